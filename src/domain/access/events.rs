//! The events of an API key or an access token. Their names and fields never change. Neither the
//! key nor the token's id is in any event: their hashes and the sealed ids are operational state.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::entitlement::TenantPermission;

/// An access token, without its id (Crafter contract 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// The application that the permissions of attributes name.
    pub application: Option<String>,
    /// Whether it may manage access tokens.
    pub master: bool,
    /// The first permission that matches a tenant decides; None permits nothing.
    pub tenant_permissions: Option<Vec<TenantPermission>>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// An event of an API key or an access token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// An API key became valid: whoever sends it may speak to its tenant.
    ApiKeyIssued { name: String, expires_at: Option<DateTime<Utc>> },
    /// The API key was revoked.
    ApiKeyRevoked {},
    /// An access token was issued to an application.
    AccessTokenIssued(AccessToken),
    /// The token acts for this application, as a master or not; its permissions stay.
    AccessTokenReasserted { application: String, master: bool },
    /// The access token was revoked.
    AccessTokenDeleted {},
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Access(event)
    }
}
