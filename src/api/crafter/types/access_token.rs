//! Access tokens, by which applications call. What they permit is decided elsewhere.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::entitlement;

use super::fields;

/// Contract 3: the key of an application for this API.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct AccessToken {
    /// The application, which the permissions of attributes name.
    pub application: Option<String>,
    /// Whether it manages access tokens.
    #[serde(deserialize_with = "fields::or_default")]
    pub master: bool,
    /// Permissions; the first that matches decides. Null: none.
    #[serde(deserialize_with = "fields::optional_objects")]
    pub tenant_permissions: Option<Vec<TenantPermission>>,
    /// When it ends, in epoch milliseconds; also read as ISO 8601. Null: never.
    #[serde(
        serialize_with = "fields::optional_millis",
        deserialize_with = "fields::optional_instant"
    )]
    #[schema(value_type = Option<i64>)]
    pub expires_on: Option<DateTime<Utc>>,
    /// The value of `accessTokenId`. Generated when none is given; never null in answers.
    pub id: Option<String>,
}

/// Contract 3: what an access token permits in one tenant or in all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TenantPermission {
    /// CREATE_TENANT, READ_TENANT, UPDATE_TENANT, DELETE_TENANT, MANAGE_PROFILES, MANAGE_TICKETS,
    /// or `*` for all. Null: none.
    pub allowed_actions: Option<Vec<String>>,
    /// The tenant's name, or `*` for every one.
    pub tenant: String,
}

impl Default for TenantPermission {
    fn default() -> Self {
        TenantPermission { allowed_actions: None, tenant: entitlement::ANY.to_owned() }
    }
}

impl From<entitlement::TenantPermission> for TenantPermission {
    fn from(permission: entitlement::TenantPermission) -> Self {
        let entitlement::TenantPermission { allowed_actions, tenant } = permission;
        TenantPermission { allowed_actions, tenant }
    }
}

impl From<TenantPermission> for entitlement::TenantPermission {
    fn from(permission: TenantPermission) -> Self {
        let TenantPermission { allowed_actions, tenant } = permission;
        entitlement::TenantPermission { allowed_actions, tenant }
    }
}
