//! Finds tenants by name, by way of the claim on the name. A cached name is used only while the
//! tenant's own events confirm it.

use std::sync::Arc;

use crate::domain::claims::{Claim, TENANT_NAME};
use crate::domain::ids::{INSTALLATION, TenantId};
use crate::domain::tenant::{Catalogue, Tenant};
use crate::store::Error;

use super::{Engine, stream};

/// Tenants read by one query.
const STREAMS_AT_ONCE: usize = 100;

impl Engine {
    /// The tenant with this name, if there is one.
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
        let Some(held) = self.holder(Claim::tenant_name(name).key).await? else { return Ok(None) };
        let tenant = TenantId(held.holder);
        self.tenant_names.insert(name.to_owned(), tenant);
        Ok(Some(tenant))
    }

    /// The tenants with a name and their states, the first 10,000 in the order in which they were
    /// made; one query for every hundred that are not cached.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn named_tenants(&self) -> Result<Vec<(TenantId, Arc<Catalogue>)>, Error> {
        // Such ids contain the time at which they were made.
        let held = self.reader.claimed(INSTALLATION.0, TENANT_NAME).await?;
        let mut named = Vec::with_capacity(held.len());
        for some in held.chunks(STREAMS_AT_ONCE) {
            let ids = || some.iter().map(|(_, tenant)| TenantId(*tenant));
            let streams: Vec<_> = ids().map(|tenant| stream::<Tenant>(tenant, tenant.0)).collect();
            let loaded = self.states.load_all::<Tenant>(&self.reader, &streams).await?;
            named.extend(ids().zip(loaded.into_iter().map(|loaded| loaded.state)));
        }
        Ok(named)
    }

    /// How many tenants have a name.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn count_named_tenants(&self) -> Result<i64, Error> {
        self.reader.count_claimed(INSTALLATION.0, TENANT_NAME).await
    }
}
