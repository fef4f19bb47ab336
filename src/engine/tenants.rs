//! Tenants by name. A name leads to a tenant by the claim on it; what is remembered of that is
//! believed only as long as the tenant's own events say the same.

use uuid::Uuid;

use crate::domain::ids::{INSTALLATION, TenantId};
use crate::store::Error;

use super::{Engine, claims};

impl Engine {
    /// The tenant of this name, if there is one.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn tenant_named(&self, name: &str) -> Result<Option<TenantId>, Error> {
        if let Some(tenant) = self.tenant_names.get(name) {
            if self.catalogue(tenant).await?.name.as_deref() == Some(name) {
                return Ok(Some(tenant));
            }
            self.tenant_names.invalidate(name);
        }
        let claim = claims::tenant_name(name);
        let held = self.reader.claims(&[claim]).await?;
        let Some(held) = held.get(&claim) else { return Ok(None) };
        let tenant = TenantId(held.holder);
        self.tenant_names.insert(name.to_owned(), tenant);
        Ok(Some(tenant))
    }

    /// The tenants that have a name, in the order in which they were made.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn named_tenants(&self) -> Result<Vec<TenantId>, Error> {
        let held = self.reader.claimed(INSTALLATION.0, "tenant_name").await?;
        let mut tenants: Vec<Uuid> = held.into_iter().map(|(_, holder)| holder).collect();
        // Ids that we make tell when they were made.
        tenants.sort_unstable();
        Ok(tenants.into_iter().map(TenantId).collect())
    }
}
