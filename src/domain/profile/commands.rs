//! What one may order a profile to become. Ids, ranks and values are facts that the caller found.

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
    /// Make it exist.
    RegisterProfile(Registration<RankedRole>),
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
    /// Give it this value unless it has one.
    DefaultAttribute { name: String, value: Personal<Value> },
    /// Take an attribute from it that is defined no more.
    WithdrawAttribute { name: String },
    /// Let it log in under this name.
    AssignUsername { username: String },
    /// Give it these application roles instead of those it has.
    AssignApplicationRoles { roles: Vec<String> },
    /// Take an application role from it that is offered no more.
    WithdrawApplicationRole { role: String },
    /// Its e-mail address is its own; it logs in with it too, if nobody else does.
    VerifyProfile { log_in_email_is_free: bool },
    /// Let it log in with this address of its own, which was shown to be its own and which nobody
    /// else logs in with.
    TakeLogInEmail { email_id: ValueId },
    /// Let it log in with another password.
    ChangePassword,
    /// Somebody showed its password, or a wrong one.
    LogIn { right: bool, now: DateTime<Utc>, policy: LockPolicy },
    /// Give it this file, in place of one of the same name.
    StoreAttachment(Attachment),
    /// Remove it.
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
