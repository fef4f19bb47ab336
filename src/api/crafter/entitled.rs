//! What the access token of a call permits (contract 4.1 to 4.3).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::entitlement::{
    AttributeAction, TenantAction, attribute_allows, everywhere_allows, tenant_allows,
};
use crate::domain::tenant::Catalogue;

use super::call::Caller;
use super::error::Failure;

impl Caller {
    /// Fails unless it is a master token: only these manage access tokens.
    ///
    /// # Errors
    /// [`Failure::NotMaster`].
    pub fn is_master(&self) -> Result<(), Failure> {
        if self.token.master { Ok(()) } else { Err(Failure::NotMaster) }
    }

    /// Fails unless it permits this action in the tenant of this name, which need not exist.
    ///
    /// # Errors
    /// [`Failure::ActionDenied`].
    pub fn may(&self, tenant: &str, action: TenantAction) -> Result<(), Failure> {
        let permissions = self.token.tenant_permissions.as_deref();
        match tenant_allows(permissions, tenant, action) {
            true => Ok(()),
            false => Err(Failure::ActionDenied(action.name())),
        }
    }

    /// Fails unless it permits each of these actions.
    ///
    /// # Errors
    /// [`Failure::ActionDenied`] for the first that is not permitted.
    pub fn may_all(&self, tenant: &str, actions: &[TenantAction]) -> Result<(), Failure> {
        actions.iter().try_for_each(|action| self.may(tenant, *action))
    }

    /// Fails unless it permits this action on tenants in general.
    ///
    /// # Errors
    /// [`Failure::ActionDenied`].
    pub fn may_everywhere(&self, action: TenantAction) -> Result<(), Failure> {
        match everywhere_allows(self.token.tenant_permissions.as_deref(), action) {
            true => Ok(()),
            false => Err(Failure::ActionDenied(action.name())),
        }
    }

    /// Whether its application may read this attribute. An attribute that the tenant does not
    /// define, which only another API can have written, is never read here.
    pub fn reads(&self, catalogue: &Catalogue, attribute: &str) -> bool {
        self.allows(catalogue, attribute, AttributeAction::Read) == Some(true)
    }

    /// Fails unless its application may do this to every one of these attributes.
    ///
    /// # Errors
    /// [`Failure::AttributeNotDefined`], [`Failure::AttributeDenied`] for the first that fails;
    /// nothing is stored then.
    pub fn check_attributes<'a>(
        &self,
        catalogue: &Catalogue,
        attributes: impl IntoIterator<Item = &'a String>,
        action: AttributeAction,
    ) -> Result<(), Failure> {
        for name in attributes {
            match self.allows(catalogue, name, action) {
                Some(true) => {}
                Some(false) => return Err(Failure::AttributeDenied(name.clone())),
                None => return Err(Failure::AttributeNotDefined(name.clone())),
            }
        }
        Ok(())
    }

    fn allows(
        &self,
        catalogue: &Catalogue,
        attribute: &str,
        action: AttributeAction,
    ) -> Option<bool> {
        let definition = catalogue.attribute(attribute)?;
        let application = self.token.application.as_deref();
        Some(attribute_allows(&definition.permissions, application, action))
    }
}

/// The attributes in a call's parameter.
pub type Given = BTreeMap<String, Value>;
