//! What can have happened to a draft. Names and fields are for ever.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::ids::{DepartmentId, ProfileId, SessionId};
use crate::domain::values::{Email, Name, RequestLimit};

/// The whole form as one save left it. What is absent is empty (contract 4.7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    pub name: Option<Name>,
    pub emails: Vec<Email>,
    /// Keys of directory roles.
    pub roles: Vec<String>,
    pub departments: Vec<DepartmentId>,
    pub request_limit: Option<RequestLimit>,
    /// The value of the flag `profile_active`, if one is picked.
    pub active: Option<bool>,
}

/// An event of a draft. The n-th save is the draft's version n.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Its owner left the form like this.
    DraftSaved {
        owner: ProfileId,
        session: SessionId,
        /// Ties the saves of one piece of work together; the same in each.
        group: Uuid,
        /// Whether a program marked as such (`X-MCP`) saved it.
        mcp: bool,
        form: Form,
    },
    /// It was closed: nobody saved it for 30 days, or its owner is gone.
    DraftClosed { reason: String },
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Draft(event)
    }
}
