//! The state of a profile.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::attributes::weight_of_all;
use crate::domain::claims::Claim;
use crate::domain::ids::{DepartmentId, ProfileId, TenantId};
use crate::domain::permission::{RankedRole, Standing};
use crate::domain::values::{Email, Name, RequestLimit};
use crate::domain::{Aggregate, Area};

use super::events::{Attachment, Attributes, Event, Registration};

/// The aggregate.
pub struct Profile;

/// A profile: not registered yet, live, or deleted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum State {
    #[default]
    Absent,
    Live(Box<Facts>),
    /// With its last facts, so that permissions on its history can be decided.
    Deleted(Box<Facts>),
}

/// The facts of a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    pub name: Option<Name>,
    pub emails: Vec<Email>,
    pub roles: Vec<String>,
    pub departments: Vec<DepartmentId>,
    pub request_limit: Option<RequestLimit>,
    pub active: Option<bool>,
    pub attributes: Attributes,
    pub username: Option<String>,
    pub application_roles: Vec<String>,
    pub verified: bool,
    pub attachments: Vec<Attachment>,
    /// How often the password was set. It tells whether a compared password is still the current
    /// one.
    pub password_changes: u32,
    /// Failed log-ins since the last successful one.
    pub failed_log_ins: u32,
    pub locked_until: Option<DateTime<Utc>>,
    pub registered_at: DateTime<Utc>,
    /// When it was last changed, without changes that its tenant made to all profiles.
    pub modified_at: DateTime<Utc>,
}

impl Facts {
    /// Its name in lists and in its own context: its name, else what stands in for it.
    pub fn shown_name(&self) -> Option<String> {
        let name = self.name.as_ref().map(|name| name.name.0.clone());
        name.or_else(|| substitute_name(&self.attributes, self.username.as_deref()))
    }

    /// Contract 1.4: no flag means active.
    pub fn is_active(&self) -> bool {
        self.active.unwrap_or(true)
    }

    /// Whether log-ins are locked now.
    pub fn is_locked(&self, now: DateTime<Utc>) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    /// The standing of the profile, by the ranks of its tenant's roles.
    pub fn standing(&self, id: ProfileId, ranks: impl Fn(&str) -> Option<u8>) -> Standing {
        let role = self
            .roles
            .iter()
            .find_map(|key| ranks(key).map(|rank| RankedRole { key: key.clone(), rank }));
        Standing {
            profile: id,
            role,
            departments: self.departments.clone(),
            active: self.is_active(),
            in_applications: !self.application_roles.is_empty(),
        }
    }
}

impl State {
    /// The facts, while the profile lives.
    pub fn live(&self) -> Option<&Facts> {
        match self {
            State::Live(facts) => Some(facts),
            State::Absent | State::Deleted(_) => None,
        }
    }

    /// Its name in answers and as a value of the field `state`.
    pub fn name(&self) -> &'static str {
        match self {
            State::Absent => "absent",
            State::Live(_) => "live",
            State::Deleted(_) => "deleted",
        }
    }

    /// The facts, also of a deleted profile.
    pub fn last_known(&self) -> Option<&Facts> {
        match self {
            State::Live(facts) | State::Deleted(facts) => Some(facts),
            State::Absent => None,
        }
    }
}

impl Aggregate for Profile {
    const AREA: Area = Area::Profile;
    type State = State;
    type Event = Event;

    fn weight(state: &State) -> usize {
        state.last_known().map_or(0, |facts| weight_of_all(&facts.attributes))
    }

    /// The ids of a deleted profile and of its files stay claimed; its log-ins become free.
    fn claims(tenant: TenantId, id: Uuid, state: &State) -> Vec<Claim> {
        let Some(known) = state.last_known() else { return vec![] };
        let files = known.attachments.iter().map(|one| Claim::attachment_id(tenant, one.id));
        let mut claims: Vec<Claim> = files.chain([Claim::profile_id(tenant, id)]).collect();
        if let Some(facts) = state.live() {
            let log_ins = facts.emails.iter().filter(|email| email.login);
            claims.extend(log_ins.map(|email| Claim::login_email(tenant, &email.address.0)));
            claims.extend(facts.username.iter().map(|name| Claim::username(tenant, name)));
        }
        claims
    }

    fn evolve(state: &mut State, event: &Event, occurred_at: DateTime<Utc>) {
        if let Event::ProfileRegistered(registration) = event {
            *state = State::Live(Box::new(registered(registration.clone(), occurred_at)));
            return;
        }
        let State::Live(facts) = state else { return };
        if event.modifies() {
            facts.modified_at = occurred_at;
        }
        match event.clone() {
            Event::ProfileRegistered(_) => {}
            Event::ProfileRenamed { name } => facts.name = Some(name),
            Event::EmailsAssigned { emails } => facts.emails = emails,
            Event::LogInEmailTaken { email_id } => {
                facts.emails.iter_mut().for_each(|email| email.login |= email.id == email_id);
            }
            Event::RolesAssigned { roles } => facts.roles = roles,
            Event::DepartmentsAssigned { departments } => facts.departments = departments,
            Event::RequestLimitAssigned { request_limit } => {
                facts.request_limit = Some(request_limit);
            }
            Event::ProfileActivated {} => facts.active = Some(true),
            Event::ProfileDeactivated {} => facts.active = Some(false),
            Event::AttributesAssigned { attributes, removed } => {
                facts.attributes.retain(|name, _| !removed.contains(name));
                facts.attributes.extend(attributes);
            }
            Event::AttributeDefaulted { name, value } => {
                facts.attributes.insert(name, value);
            }
            Event::AttributeWithdrawn { name } => {
                facts.attributes.remove(&name);
            }
            Event::UsernameAssigned { username } => facts.username = Some(username.0),
            Event::ApplicationRolesAssigned { roles } => facts.application_roles = roles,
            Event::ApplicationRoleWithdrawn { role } => {
                facts.application_roles.retain(|one| *one != role);
            }
            Event::ProfileVerified {} => facts.verified = true,
            Event::PasswordChanged {} => facts.password_changes += 1,
            Event::LogInSucceeded {} => (facts.failed_log_ins, facts.locked_until) = (0, None),
            Event::LogInFailed {} => facts.failed_log_ins += 1,
            Event::LogInLocked { until } => facts.locked_until = Some(until),
            Event::AttachmentStored(attachment) => {
                match facts.attachments.iter_mut().find(|one| one.name == attachment.name) {
                    Some(one) => *one = attachment,
                    None => facts.attachments.push(attachment),
                }
            }
            Event::ProfileDeleted {} => *state = State::Deleted(std::mem::take(facts)),
        }
    }
}

fn registered(registration: Registration, occurred_at: DateTime<Utc>) -> Facts {
    Facts {
        name: registration.name,
        emails: registration.emails,
        roles: registration.roles,
        departments: registration.departments,
        request_limit: registration.request_limit,
        active: registration.active,
        attributes: registration.attributes,
        username: registration.username.map(|username| username.0),
        application_roles: registration.application_roles,
        verified: registration.verified,
        registered_at: occurred_at,
        modified_at: occurred_at,
        ..Facts::default()
    }
}

/// What stands in for a missing name in lists: displayName, else first and last name, else the
/// username.
pub fn substitute_name(attributes: &Attributes, username: Option<&str>) -> Option<String> {
    let text = |name: &str| {
        let text = attributes.get(name).and_then(|value| value.0.as_str());
        text.map(str::trim).filter(|text| !text.is_empty())
    };
    if let Some(name) = text("displayName") {
        return Some(name.to_owned());
    }
    let parts: Vec<&str> = ["firstName", "lastName"].into_iter().filter_map(text).collect();
    match parts.is_empty() {
        false => Some(parts.join(" ")),
        true => username.map(str::to_owned),
    }
}
