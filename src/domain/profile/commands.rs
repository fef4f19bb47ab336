//! What one may order a profile to become. Ids, ranks and values are facts that the caller found.

use crate::domain::ids::{DepartmentId, ProfileId};
use crate::domain::permission::RankedRole;
use crate::domain::values::{Email, Name, RequestLimit};

use super::events::Attributes;

/// An order to a profile.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Make it exist.
    RegisterProfile {
        name: Option<Name>,
        emails: Vec<Email>,
        roles: Vec<RankedRole>,
        departments: Vec<DepartmentId>,
        request_limit: Option<RequestLimit>,
        active: Option<bool>,
        attributes: Attributes,
        duplicated_from: Option<ProfileId>,
    },
    /// Give it a name.
    RenameProfile { name: Name },
    /// Give it these e-mail addresses instead of those it has.
    AssignEmails { emails: Vec<Email> },
    /// Give it these roles instead of those it has.
    AssignRoles { roles: Vec<RankedRole> },
    /// Put it into these departments instead of those it is in.
    AssignDepartments { departments: Vec<DepartmentId> },
    /// Limit its requests per day.
    AssignRequestLimit { request_limit: RequestLimit },
    /// Let it act.
    ActivateProfile,
    /// Let it act no more.
    DeactivateProfile,
    /// Set these attributes and remove those.
    AssignAttributes { attributes: Attributes, removed: Vec<String> },
    /// Remove it.
    DeleteProfile,
}
