//! What becomes of an order to an API key.

use super::commands::Command;
use super::events::Event;
use super::state::State;

/// The fact in the way of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("an API key with this id was issued before")]
    AlreadyIssued,
}

impl Refusal {
    /// A stable code for metrics and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::AlreadyIssued => "already_issued",
        }
    }
}

/// What happens to an API key in `state` on this order.
///
/// # Errors
/// [`Refusal::AlreadyIssued`].
pub fn decide(state: &State, command: Command) -> Result<Vec<Event>, Refusal> {
    match (command, state) {
        (Command::IssueApiKey { name, expires_at }, State::Absent) => {
            Ok(vec![Event::ApiKeyIssued { name, expires_at }])
        }
        (Command::IssueApiKey { .. }, State::Issued { .. } | State::Revoked) => {
            Err(Refusal::AlreadyIssued)
        }
        (Command::RevokeApiKey, State::Issued { .. }) => Ok(vec![Event::ApiKeyRevoked {}]),
        (Command::RevokeApiKey, State::Absent | State::Revoked) => Ok(vec![]),
    }
}
