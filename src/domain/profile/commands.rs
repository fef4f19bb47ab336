//! Orders to a profile. Ids, ranks and values in them are facts that the caller has found.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::domain::ids::{DepartmentId, ValueId};
use crate::domain::permission::RankedRole;
use crate::domain::personal::Personal;
use crate::domain::values::{Email, Name, RequestLimit};

use super::events::{Attachment, Attributes, Registration};

/// An order to a profile.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Register it.
    RegisterProfile(Registration<RankedRole>),
    /// Set its name.
    RenameProfile { name: Name },
    /// Replace its e-mail addresses.
    AssignEmails { emails: Vec<Email> },
    /// Replace its roles.
    AssignRoles { roles: Vec<RankedRole> },
    /// Replace its departments.
    AssignDepartments { departments: Vec<DepartmentId> },
    /// Set its limit of requests per day.
    AssignRequestLimit { request_limit: RequestLimit },
    /// Activate it.
    ActivateProfile,
    /// Deactivate it.
    DeactivateProfile,
    /// Set these attributes and remove those.
    AssignAttributes { attributes: Attributes, removed: Vec<String> },
    /// Set this attribute unless it has a value.
    DefaultAttribute { name: String, value: Personal<Value> },
    /// Remove an attribute that the tenant no longer defines.
    WithdrawAttribute { name: String },
    /// Set its username.
    AssignUsername { username: String },
    /// Replace its application roles.
    AssignApplicationRoles { roles: Vec<String> },
    /// Remove an application role that the tenant no longer offers.
    WithdrawApplicationRole { role: String },
    /// Verify its e-mail address. It becomes a log-in too, if no other profile has it.
    VerifyProfile { log_in_email_is_free: bool },
    /// Make this address of its own a log-in. It was verified, and no other profile has it.
    TakeLogInEmail { email_id: ValueId },
    /// Replace its password.
    ChangePassword,
    /// Record a log-in with the right or a wrong password.
    LogIn { right: bool, now: DateTime<Utc>, policy: LockPolicy },
    /// Attach this file. It replaces one of the same name.
    StoreAttachment(Attachment),
    /// Delete it.
    DeleteProfile,
}

/// When log-ins are locked after failures (Crafter contract 4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockPolicy {
    /// How many failures there must be for a lock.
    pub failures_max: u32,
    /// How long a lock holds, in minutes.
    pub lock_minutes: i64,
}
