//! What can have happened to a profile. Names and fields are for ever.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::ids::{DepartmentId, ProfileId};
use crate::domain::personal::Personal;
use crate::domain::values::{Email, Name, RequestLimit};

/// Attributes by name.
pub type Attributes = BTreeMap<String, Personal<Value>>;

/// An event of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It exists, with these first facts.
    ProfileRegistered {
        name: Option<Name>,
        emails: Vec<Email>,
        /// Keys of directory roles, the first being the role.
        roles: Vec<String>,
        departments: Vec<DepartmentId>,
        request_limit: Option<RequestLimit>,
        /// None: no flag is linked, which counts as active.
        active: Option<bool>,
        #[serde(default)]
        attributes: Attributes,
        /// The profile it was duplicated from.
        #[serde(default)]
        duplicated_from: Option<ProfileId>,
    },
    /// It has this name.
    ProfileRenamed { name: Name },
    /// It has these e-mail addresses, the first being the primary one.
    EmailsAssigned { emails: Vec<Email> },
    /// It has these directory roles, the first being the role.
    RolesAssigned { roles: Vec<String> },
    /// It belongs to these departments, the first being the primary one.
    DepartmentsAssigned { departments: Vec<DepartmentId> },
    /// It may make this many requests a day.
    RequestLimitAssigned { request_limit: RequestLimit },
    /// It may act.
    ProfileActivated {},
    /// It may not act.
    ProfileDeactivated {},
    /// These attributes have these values; the removed ones have none.
    AttributesAssigned { attributes: Attributes, removed: Vec<String> },
    /// It is gone. Its e-mail addresses are free again.
    ProfileDeleted {},
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Profile(event)
    }
}
