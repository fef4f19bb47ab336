//! What can have happened to an API key. Names and fields are for ever. The key itself is in no
//! event: its hash is operational state.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// An event of an API key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It entitles whoever shows it to speak to its tenant.
    ApiKeyIssued { name: String, expires_at: Option<DateTime<Utc>> },
    /// It entitles nobody any more.
    ApiKeyRevoked {},
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Access(event)
    }
}
