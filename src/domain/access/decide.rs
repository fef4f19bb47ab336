//! The rules of API keys and access tokens.

use uuid::Uuid;

use crate::domain::Rules;

use super::commands::Command;
use super::events::Event;
use super::state::{Access, State};

/// Why an order is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("a key or token with this id was issued before")]
    AlreadyIssued,
}

impl Rules for Access {
    type Command = Command;
    type By<'a> = ();
    type Refusal = Refusal;

    /// The events of an order to a key or token in `state`.
    ///
    /// # Errors
    /// [`Refusal::AlreadyIssued`].
    fn decide(_: Uuid, state: &State, (): (), command: Command) -> Result<Vec<Event>, Refusal> {
        match (command, state) {
            (Command::IssueApiKey { name, expires_at }, State::Absent) => {
                Ok(vec![Event::ApiKeyIssued { name, expires_at }])
            }
            // Unlike a key, a token has an id that its issuer chose: it may be issued again.
            (Command::IssueAccessToken(token), State::Absent | State::Revoked) => {
                Ok(vec![Event::AccessTokenIssued(token)])
            }
            (
                Command::IssueApiKey { .. },
                State::Issued { .. } | State::Revoked | State::Token(_),
            )
            | (Command::IssueAccessToken(_), State::Issued { .. } | State::Token(_)) => {
                Err(Refusal::AlreadyIssued)
            }
            (Command::ReassertAccessToken { application, master }, State::Token(token)) => {
                let master = master || token.master;
                let same =
                    token.application.as_ref() == Some(&application) && token.master == master;
                let event = Event::AccessTokenReasserted { application, master };
                Ok(if same { vec![] } else { vec![event] })
            }
            (Command::RevokeApiKey, State::Issued { .. }) => Ok(vec![Event::ApiKeyRevoked {}]),
            (Command::DeleteAccessToken, State::Token(_)) => Ok(vec![Event::AccessTokenDeleted {}]),
            (Command::RevokeApiKey, State::Absent | State::Revoked | State::Token(_))
            | (
                Command::ReassertAccessToken { .. } | Command::DeleteAccessToken,
                State::Absent | State::Revoked | State::Issued { .. },
            ) => Ok(vec![]),
        }
    }
}
