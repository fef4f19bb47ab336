//! The rules of drafts (contract 4.7).

use uuid::Uuid;

use crate::domain::Rules;

use super::commands::Command;
use super::events::Event;
use super::state::{Draft, State};

/// Why an order is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Also for another owner's draft and for a closed one: callers cannot tell which.
    #[error("draft not found")]
    DraftNotFound,
    /// Another save came first, or the version does not exist.
    #[error("the draft is at version {current_version}")]
    VersionConflict { current_version: i64 },
}

impl Rules for Draft {
    type Command = Command;
    type By<'a> = ();
    type Refusal = Refusal;

    /// The events of an order to a draft in `state`; none when the last save is repeated.
    ///
    /// # Errors
    /// The first reason against it.
    fn decide(_: Uuid, state: &State, (): (), command: Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::SaveDraft { owner, session, group, mcp, expected_version, form } => {
                let continues = state.version > 0;
                if continues && (state.closed || state.owner != owner) {
                    return Err(Refusal::DraftNotFound);
                }
                if expected_version != state.version {
                    // A client that did not receive the answer sends the same save again.
                    let repeated = continues
                        && expected_version == state.version - 1
                        && state.session == session
                        && state.form == form;
                    return if repeated {
                        Ok(vec![])
                    } else {
                        Err(Refusal::VersionConflict { current_version: state.version })
                    };
                }
                let group = if continues { state.group } else { group };
                Ok(vec![Event::DraftSaved { owner, session, group, mcp, form }])
            }
            Command::CloseDraft { reason } if state.is_open() => {
                Ok(vec![Event::DraftClosed { reason: reason.to_owned() }])
            }
            Command::CloseDraft { .. } => Ok(vec![]),
        }
    }
}
