//! What can have happened to a session. Names and fields are for ever.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::ids::ProfileId;

/// An event of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Its real actor came with a token that no open session was for.
    SessionOpened { real_actor: ProfileId, expires_at: DateTime<Utc> },
    /// It is over: its time was up, or its actor is gone.
    SessionEnded { reason: String },
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Session(event)
    }
}
