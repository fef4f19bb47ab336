//! What can have happened to an API key or an access token. Names and fields are for ever. Neither
//! key nor token id is in any event: their hashes, and the sealed ids, are operational state.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::entitlement::TenantPermission;

/// An access token, without its id (Crafter contract 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// Whose permissions on attributes count.
    pub application: Option<String>,
    /// Whether it opens the administration of access tokens.
    pub master: bool,
    /// The first that fits a tenant decides; None: nothing is permitted.
    pub tenant_permissions: Option<Vec<TenantPermission>>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// An event of an API key or an access token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It entitles whoever shows it to speak to its tenant.
    ApiKeyIssued { name: String, expires_at: Option<DateTime<Utc>> },
    /// It entitles nobody any more.
    ApiKeyRevoked {},
    /// An application speaks through it.
    AccessTokenIssued(AccessToken),
    /// It speaks for this application, and is master or not; what it is permitted is as before.
    AccessTokenReasserted { application: String, master: bool },
    /// None does any more.
    AccessTokenDeleted {},
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Access(event)
    }
}
