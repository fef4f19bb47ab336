//! Orders to a draft.

use uuid::Uuid;

use crate::domain::ids::{ProfileId, SessionId};

use super::events::Form;

/// An order to a draft.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Save this form as the version after `expected_version`; 0 starts the draft.
    SaveDraft {
        owner: ProfileId,
        session: SessionId,
        /// For a new draft.
        group: Uuid,
        mcp: bool,
        expected_version: i64,
        form: Form,
    },
    /// Close it.
    CloseDraft { reason: &'static str },
}
