//! Orders to a session, ticket, persistent login or verification.

use chrono::{DateTime, Utc};

use crate::domain::ids::{ProfileId, ValueId};

/// An order to a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Open it for this actor.
    OpenSession { real_actor: ProfileId, expires_at: DateTime<Utc> },
    /// Issue it as a ticket: a person has logged in.
    IssueTicket { profile: ProfileId },
    /// Start it as a persistent login.
    RememberLogIn { profile: ProfileId, expires_at: DateTime<Utc> },
    /// Replace the token of a persistent login.
    RotateToken,
    /// Issue it as a token that verifies an e-mail address or permits another password.
    IssueVerification {
        profile: ProfileId,
        /// The address to which it is sent, if it is sent.
        email_id: Option<ValueId>,
        expires_at: DateTime<Utc>,
    },
    /// End it.
    EndSession { reason: &'static str },
}
