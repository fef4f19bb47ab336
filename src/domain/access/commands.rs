//! What one may order an API key to become.

use chrono::{DateTime, Utc};

/// An order to an API key.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Let it be valid, until then if a time is given.
    IssueApiKey { name: String, expires_at: Option<DateTime<Utc>> },
    /// Let it be valid no more.
    RevokeApiKey,
}
