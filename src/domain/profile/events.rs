//! The events of a profile. Their names and fields never change.

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

/// The first facts of a profile. `Role` is a key, or in a command a key and its rank.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Registration<Role = String> {
    pub name: Option<Name>,
    pub emails: Vec<Email>,
    /// Directory roles; the first is the one that counts.
    pub roles: Vec<Role>,
    pub departments: Vec<DepartmentId>,
    pub request_limit: Option<RequestLimit>,
    /// None: no flag is set, which counts as active.
    pub active: Option<bool>,
    #[serde(default)]
    pub attributes: Attributes,
    /// The profile that it was copied from.
    #[serde(default)]
    pub duplicated_from: Option<ProfileId>,
    /// Its username, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<Personal<String>>,
    /// Roles that have a meaning only in applications.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub application_roles: Vec<String>,
    /// Whether its e-mail address was verified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
}

impl Registration<RankedRole> {
    /// The same with only the keys of roles, as events have it.
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
    /// In hexadecimal digits, as clients see it.
    pub md5: String,
    /// The address of the content in the store.
    pub digest: Digest,
}

/// An event of a profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It was registered with these first facts.
    ProfileRegistered(Registration),
    /// It got this name.
    ProfileRenamed { name: Name },
    /// It got these e-mail addresses; the first is the primary one.
    EmailsAssigned { emails: Vec<Email> },
    /// The e-mail address with this id, which no other profile had, became a log-in.
    LogInEmailTaken { email_id: ValueId },
    /// It got these directory roles; the first is the one that counts.
    RolesAssigned { roles: Vec<String> },
    /// It got these departments; the first is the primary one.
    DepartmentsAssigned { departments: Vec<DepartmentId> },
    /// It got this limit of requests per day.
    RequestLimitAssigned { request_limit: RequestLimit },
    /// It was activated.
    ProfileActivated {},
    /// It was deactivated.
    ProfileDeactivated {},
    /// These attributes were set, and those removed.
    AttributesAssigned { attributes: Attributes, removed: Vec<String> },
    /// It got this value because its tenant gives it to all profiles without one.
    AttributeDefaulted { name: String, value: Personal<Value> },
    /// It lost the attribute because its tenant no longer defines it.
    AttributeWithdrawn { name: String },
    /// It got this username.
    UsernameAssigned { username: Personal<String> },
    /// It got these application roles.
    ApplicationRolesAssigned { roles: Vec<String> },
    /// It lost the application role because its tenant no longer offers it.
    ApplicationRoleWithdrawn { role: String },
    /// Its e-mail address was verified.
    ProfileVerified {},
    /// It got another password.
    PasswordChanged {},
    /// A log-in with its password succeeded. The counter of failures is zero again.
    LogInSucceeded {},
    /// A log-in failed because the password was wrong.
    LogInFailed {},
    /// Too many log-ins failed: it is locked until this time.
    LogInLocked { until: DateTime<Utc> },
    /// A file was attached; it replaced one of the same name.
    AttachmentStored(Attachment),
    /// It was deleted. Its e-mail addresses and its username are free again.
    ProfileDeleted {},
}

impl Event {
    /// Whether the event changes the time of the last modification (Crafter contract 4.7):
    /// consequences of a change of the tenant and attached files do not.
    pub fn modifies(&self) -> bool {
        !matches!(
            self,
            Event::AttributeDefaulted { .. }
                | Event::AttributeWithdrawn { .. }
                | Event::ApplicationRoleWithdrawn { .. }
                | Event::AttachmentStored(_)
        )
    }

    /// Whether the event can change a field that the History API shows.
    pub fn changes_fields(&self) -> bool {
        !matches!(
            self,
            Event::PasswordChanged {}
                | Event::LogInSucceeded {}
                | Event::LogInFailed {}
                | Event::LogInLocked { .. }
        )
    }
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Profile(event)
    }
}
