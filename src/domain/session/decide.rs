//! What becomes of an order to a session.

use super::commands::Command;
use super::events::Event;
use super::state::State;

/// The fact in the way of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this session was opened before")]
    AlreadyOpened,
}

impl Refusal {
    /// A stable code for metrics and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::AlreadyOpened => "already_opened",
        }
    }
}

/// What happens to a session in `state` on this order.
///
/// # Errors
/// [`Refusal::AlreadyOpened`].
pub fn decide(state: &State, command: Command) -> Result<Vec<Event>, Refusal> {
    match (command, state) {
        (Command::OpenSession { real_actor, expires_at }, State::Absent) => {
            Ok(vec![Event::SessionOpened { real_actor, expires_at }])
        }
        (Command::OpenSession { .. }, State::Open { .. } | State::Ended) => {
            Err(Refusal::AlreadyOpened)
        }
        (Command::EndSession { reason }, State::Open { .. }) => {
            Ok(vec![Event::SessionEnded { reason: reason.to_owned() }])
        }
        (Command::EndSession { .. }, State::Absent | State::Ended) => Ok(vec![]),
    }
}
