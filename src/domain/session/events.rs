//! What can have happened to a session, ticket, remembered log-in or verification. Names and
//! fields are for ever.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{ProfileId, ValueId};

/// An event of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Its real actor came with a token that no open session was for.
    SessionOpened { real_actor: ProfileId, expires_at: DateTime<Utc> },
    /// A person logged in to an application.
    TicketIssued { profile: ProfileId },
    /// A person asked to be remembered by an application.
    LogInRemembered { profile: ProfileId, expires_at: DateTime<Utc> },
    /// Its token is another one.
    LogInTokenRotated {},
    /// Whoever has the link sent to this profile may verify its address or reset its password.
    VerificationIssued {
        profile: ProfileId,
        /// The address that it was sent to, which it therefore verifies.
        email_id: Option<ValueId>,
        expires_at: DateTime<Utc>,
    },
    /// It is over: its time was up, it was used or given up, or its actor is gone.
    SessionEnded { reason: String },
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Session(event)
    }
}
