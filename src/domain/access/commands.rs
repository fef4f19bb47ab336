//! What one may order an API key or an access token to become.

use chrono::{DateTime, Utc};

use super::events::AccessToken;

/// An order to an API key or an access token.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Let it be valid, until then if a time is given.
    IssueApiKey { name: String, expires_at: Option<DateTime<Utc>> },
    /// Let it be valid no more.
    RevokeApiKey,
    /// Let an application speak through it.
    IssueAccessToken(AccessToken),
    /// Let it speak for this application again, and be master if it is told to (Crafter contract
    /// 4.4); what it is permitted stays.
    ReassertAccessToken { application: String, master: bool },
    /// Let none do so any more.
    DeleteAccessToken,
}
