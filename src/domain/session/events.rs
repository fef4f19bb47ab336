//! The events of a session, ticket, persistent login or verification. Their names and fields never
//! change.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ProfileId, ValueId};

/// An event of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A real actor came with a token that had no open session.
    SessionOpened { real_actor: ProfileId, expires_at: DateTime<Utc> },
    /// A person logged in to an application.
    TicketIssued { profile: ProfileId },
    /// A person asked an application to remember the log-in.
    LogInRemembered { profile: ProfileId, expires_at: DateTime<Utc> },
    /// Its token was replaced.
    LogInTokenRotated {},
    /// A link was issued: whoever has it may verify the address or replace the password of this
    /// profile.
    VerificationIssued {
        profile: ProfileId,
        /// The address to which it was sent, and which it therefore verifies.
        email_id: Option<ValueId>,
        expires_at: DateTime<Utc>,
    },
    /// It ended: its time was over, it was used or given up, or its actor was deleted.
    SessionEnded { reason: String },
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Session(event)
    }
}
