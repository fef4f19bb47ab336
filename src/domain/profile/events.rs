//! What can have happened to a profile. Names and fields are for ever.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::attachment::Digest;
use crate::domain::ids::{AttachmentId, DepartmentId, ProfileId, ValueId};
use crate::domain::permission::RankedRole;
use crate::domain::personal::Personal;
use crate::domain::values::{Email, Name, RequestLimit};

/// Attributes by name.
pub type Attributes = BTreeMap<String, Personal<Value>>;

/// The facts a profile starts with. `Role` is a key, or in a command a key and its rank.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Registration<Role = String> {
    pub name: Option<Name>,
    pub emails: Vec<Email>,
    /// Directory roles, the first being the role.
    pub roles: Vec<Role>,
    pub departments: Vec<DepartmentId>,
    pub request_limit: Option<RequestLimit>,
    /// None: no flag is linked, which counts as active.
    pub active: Option<bool>,
    #[serde(default)]
    pub attributes: Attributes,
    /// The profile it was duplicated from.
    #[serde(default)]
    pub duplicated_from: Option<ProfileId>,
    /// What it logs in as, if it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<Personal<String>>,
    /// Roles that mean something to applications only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub application_roles: Vec<String>,
    /// Whether its e-mail address was shown to be its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
}

impl Registration<RankedRole> {
    /// With the keys of its roles alone, as an event has it.
    pub fn with_keys(self) -> Registration {
        Registration {
            name: self.name,
            emails: self.emails,
            roles: self.roles.into_iter().map(|role| role.key).collect(),
            departments: self.departments,
            request_limit: self.request_limit,
            active: self.active,
            attributes: self.attributes,
            duplicated_from: self.duplicated_from,
            username: self.username,
            application_roles: self.application_roles,
            verified: self.verified,
        }
    }
}

/// A file that a profile has under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub id: AttachmentId,
    /// The file name without its last extension.
    pub name: Personal<String>,
    pub content_type: String,
    pub bytes: u64,
    /// In hexadecimal digits, as clients are shown it.
    pub md5: String,
    /// Where the content is kept.
    pub digest: Digest,
}

/// An event of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It exists, with these first facts.
    ProfileRegistered(Registration),
    /// It has this name.
    ProfileRenamed { name: Name },
    /// It has these e-mail addresses, the first being the primary one.
    EmailsAssigned { emails: Vec<Email> },
    /// It logs in with the e-mail address of this id, which nobody else held.
    LogInEmailTaken { email_id: ValueId },
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
    /// It has this value because its tenant gives it to all who have none.
    AttributeDefaulted { name: String, value: Personal<Value> },
    /// It has no such attribute any more, because its tenant defines none.
    AttributeWithdrawn { name: String },
    /// It logs in under this name.
    UsernameAssigned { username: Personal<String> },
    /// It has these application roles.
    ApplicationRolesAssigned { roles: Vec<String> },
    /// It has lost an application role, because its tenant offers it no more.
    ApplicationRoleWithdrawn { role: String },
    /// Its e-mail address was shown to be its own.
    ProfileVerified {},
    /// It logs in with another password than before.
    PasswordChanged {},
    /// It showed its password. What failed before no longer counts.
    LogInSucceeded {},
    /// Somebody showed a wrong password for it.
    LogInFailed {},
    /// So many failed that nobody may log in as it until then.
    LogInLocked { until: DateTime<Utc> },
    /// It has this file; one of the same name is no more.
    AttachmentStored(Attachment),
    /// It is gone. Its e-mail addresses and its username are free again.
    ProfileDeleted {},
}

impl Event {
    /// Whether the profile was last modified by it (Crafter contract 4.7): not by what follows from
    /// a change of its tenant, nor by a file that was put beside it.
    pub fn modifies(&self) -> bool {
        !matches!(
            self,
            Event::AttributeDefaulted { .. }
                | Event::AttributeWithdrawn { .. }
                | Event::ApplicationRoleWithdrawn { .. }
                | Event::AttachmentStored(_)
        )
    }
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Profile(event)
    }
}
