//! What one may order a session, ticket, remembered log-in or verification to become.

use chrono::{DateTime, Utc};

use crate::domain::ids::{ProfileId, ValueId};

/// An order to a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Open it for this actor.
    OpenSession { real_actor: ProfileId, expires_at: DateTime<Utc> },
    /// Let it be a ticket: a person is logged in.
    IssueTicket { profile: ProfileId },
    /// Let it be a log-in that is remembered.
    RememberLogIn { profile: ProfileId, expires_at: DateTime<Utc> },
    /// Give a remembered log-in another token.
    RotateToken,
    /// Let it be a token that verifies an e-mail address or resets a password.
    IssueVerification {
        profile: ProfileId,
        /// The address that it is sent to, if it is sent at all.
        email_id: Option<ValueId>,
        expires_at: DateTime<Utc>,
    },
    /// End it.
    EndSession { reason: &'static str },
}
