//! What becomes of an order to a draft (contract 4.7).

use uuid::Uuid;

use crate::domain::Rules;

use super::commands::Command;
use super::events::Event;
use super::state::{Draft, State};

/// The fact in the way of an order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Also somebody else's, and a closed one: not told apart.
    #[error("draft not found")]
    DraftNotFound,
    /// Somebody saved in between, or the version was never reached.
    #[error("the draft is at version {current_version}")]
    VersionConflict { current_version: i64 },
}

impl Rules for Draft {
    type Command = Command;
    type By<'a> = ();
    type Refusal = Refusal;

    /// What happens to a draft in `state` on this order; nothing when the last save is repeated.
    ///
    /// # Errors
    /// The first fact in the way.
    fn decide(_: Uuid, state: &State, (): (), command: Command) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::SaveDraft { owner, session, group, mcp, expected_version, form } => {
                let continues = state.version > 0;
                if continues && (state.closed || state.owner != owner) {
                    return Err(Refusal::DraftNotFound);
                }
                if expected_version != state.version {
                    // A save whose answer got lost is sent again as it was.
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
