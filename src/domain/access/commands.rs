//! Orders to an API key or an access token.

use chrono::{DateTime, Utc};

use super::events::AccessToken;

/// An order to an API key or an access token.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Make it valid; if a time is given, until then.
    IssueApiKey { name: String, expires_at: Option<DateTime<Utc>> },
    /// Revoke it.
    RevokeApiKey,
    /// Issue it as an application's access token.
    IssueAccessToken(AccessToken),
    /// Let it act for this application again, as a master or not (Crafter contract 4.4). Its
    /// permissions stay.
    ReassertAccessToken { application: String, master: bool },
    /// Revoke the access token.
    DeleteAccessToken,
}
