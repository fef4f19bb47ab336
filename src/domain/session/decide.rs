//! The rules of sessions, tickets, persistent logins and verifications.

use uuid::Uuid;

use crate::domain::Rules;

use super::commands::Command;
use super::events::Event;
use super::state::{Session, State};

/// Why an order is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this session was opened before")]
    AlreadyOpened,
}

impl Rules for Session {
    type Command = Command;
    type By<'a> = ();
    type Refusal = Refusal;

    /// The events of an order to a session in `state`.
    ///
    /// # Errors
    /// [`Refusal::AlreadyOpened`].
    fn decide(_: Uuid, state: &State, (): (), command: Command) -> Result<Vec<Event>, Refusal> {
        let opened = match command {
            Command::EndSession { reason } => {
                let live = !matches!(state, State::Absent | State::Ended);
                let ended = live.then(|| Event::SessionEnded { reason: reason.to_owned() });
                return Ok(ended.into_iter().collect());
            }
            Command::RotateToken => {
                let remembered = matches!(state, State::Remembered { .. });
                return Ok(remembered.then_some(Event::LogInTokenRotated {}).into_iter().collect());
            }
            Command::OpenSession { real_actor, expires_at } => {
                Event::SessionOpened { real_actor, expires_at }
            }
            Command::IssueTicket { profile } => Event::TicketIssued { profile },
            Command::RememberLogIn { profile, expires_at } => {
                Event::LogInRemembered { profile, expires_at }
            }
            Command::IssueVerification { profile, email_id, expires_at } => {
                Event::VerificationIssued { profile, email_id, expires_at }
            }
        };
        match state {
            State::Absent => Ok(vec![opened]),
            _ => Err(Refusal::AlreadyOpened),
        }
    }
}
