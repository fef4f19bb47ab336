//! The events of a draft. Their names and fields never change.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::ids::{DepartmentId, ProfileId, SessionId};
use crate::domain::values::{Email, Name, RequestLimit};

/// The whole form of one save. An absent field is empty (contract 4.7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    pub name: Option<Name>,
    pub emails: Vec<Email>,
    /// Keys of directory roles.
    pub roles: Vec<String>,
    pub departments: Vec<DepartmentId>,
    pub request_limit: Option<RequestLimit>,
    /// The value of the flag `profile_active`, if one is selected.
    pub active: Option<bool>,
}

/// An event of a draft. The save number n is the draft's version n.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Its owner saved this form.
    DraftSaved {
        owner: ProfileId,
        session: SessionId,
        /// The same id in all saves of one piece of work.
        group: Uuid,
        /// Whether a program that declares itself (`X-MCP`) saved it.
        mcp: bool,
        form: Form,
    },
    /// It was closed: it was not saved for 30 days, or its owner was deleted.
    DraftClosed { reason: String },
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Draft(event)
    }
}
