//! What one may order a session to become.

use chrono::{DateTime, Utc};

use crate::domain::ids::ProfileId;

/// An order to a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Open it for this actor.
    OpenSession { real_actor: ProfileId, expires_at: DateTime<Utc> },
    /// End it.
    EndSession { reason: &'static str },
}
