//! What an event of a tenant means for each of its profiles. It is decided as if it had reached the
//! profile at the moment of the event: changes that others made since then stay.

use serde_json::Value;

use super::Aggregate;
use super::ids::{DepartmentId, TenantId, catalogue_id};
use super::permission::RankedRole;
use super::profile::{self, Command, Event as ProfileEvent, Facts, Profile};
use super::tenant::{Catalogue, Event};

/// What follows from an event of a tenant.
#[derive(Clone, Debug)]
pub enum Consequence {
    RoleRemoved(String),
    DepartmentRemoved(DepartmentId),
    ApplicationRoleRemoved(String),
    AttributeRemoved(String),
    AttributeDefined(String, Value),
    TenantDeleted,
}

/// An event of a profile, compared with the tenant's event.
pub struct Witnessed {
    pub event: ProfileEvent,
    /// Whether it came after the tenant's event.
    pub since: bool,
    /// Whether it is itself a consequence, of this or another event of a tenant.
    pub follows: bool,
}

impl Consequence {
    /// What follows from `event`, if anything does.
    pub fn of(tenant: TenantId, event: &Event) -> Option<Consequence> {
        match event {
            Event::RoleRemoved { key } => Some(Consequence::RoleRemoved(key.clone())),
            Event::DepartmentRemoved { key } => {
                let id = DepartmentId(catalogue_id(tenant, "department", key));
                Some(Consequence::DepartmentRemoved(id))
            }
            Event::OfferedRoleRemoved { role } => {
                Some(Consequence::ApplicationRoleRemoved(role.clone()))
            }
            Event::AttributeRemoved { name } => Some(Consequence::AttributeRemoved(name.clone())),
            Event::AttributeDefined(definition) => {
                let value = definition.default_value.clone()?;
                Some(Consequence::AttributeDefined(definition.name.clone(), value))
            }
            Event::TenantDeleted { .. } => Some(Consequence::TenantDeleted),
            _ => None,
        }
    }

    /// The name of its commands, in the log and in metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Consequence::RoleRemoved(_) | Consequence::DepartmentRemoved(_) => "pull_removed",
            Consequence::ApplicationRoleRemoved(_) => "withdraw_application_role",
            Consequence::AttributeRemoved(_) => "withdraw_attribute",
            Consequence::AttributeDefined(..) => "default_attribute",
            Consequence::TenantDeleted => "delete_with_tenant",
        }
    }

    /// Whether an event of a profile can concern the same thing.
    pub fn is_touched_by(&self, witnessed: &Witnessed) -> bool {
        match (self, &witnessed.event) {
            _ if !witnessed.since => false,
            (
                Consequence::AttributeRemoved(removed),
                ProfileEvent::AttributeDefaulted { name, .. },
            ) => name == removed,
            (_, event) => !witnessed.follows && self.is_settled_by(None, event),
        }
    }

    /// Whether, since the tenant's event, somebody gave the profile what this would take, or took
    /// what this would give. Keeping something is not giving it. Other consequences do not count,
    /// except the default that the tenant gives again now: it is not taken and given once more.
    pub fn is_settled(&self, history: &[Witnessed], catalogue: &Catalogue) -> bool {
        let mut state = profile::State::default();
        let mut settled = false;
        for Witnessed { event, since, follows } in history {
            settled |= *since
                && match follows {
                    true => self.is_given_again_by(event, catalogue),
                    false => self.is_settled_by(state.last_known(), event),
                };
            Profile::evolve(&mut state, event, chrono::DateTime::UNIX_EPOCH);
        }
        settled
    }

    fn is_given_again_by(&self, event: &ProfileEvent, catalogue: &Catalogue) -> bool {
        match (self, event) {
            (
                Consequence::AttributeRemoved(removed),
                ProfileEvent::AttributeDefaulted { name, value },
            ) => {
                let defined = catalogue.attribute(name);
                let default = defined.and_then(|defined| defined.default_value.as_ref());
                name == removed && default == Some(&value.0)
            }
            _ => false,
        }
    }

    fn is_settled_by(&self, before: Option<&Facts>, event: &ProfileEvent) -> bool {
        use ProfileEvent as E;
        let new = |had: fn(&Facts) -> &[String], has: &[String], one: &String| {
            has.contains(one) && !before.is_some_and(|before| had(before).contains(one))
        };
        match (self, event) {
            (Consequence::TenantDeleted, _) => false,
            (_, E::ProfileRegistered(_)) => true,
            (Consequence::RoleRemoved(key), E::RolesAssigned { roles }) => {
                new(|facts| &facts.roles, roles, key)
            }
            (Consequence::DepartmentRemoved(id), E::DepartmentsAssigned { departments }) => {
                departments.contains(id)
                    && !before.is_some_and(|before| before.departments.contains(id))
            }
            (Consequence::ApplicationRoleRemoved(role), E::ApplicationRolesAssigned { roles }) => {
                new(|facts| &facts.application_roles, roles, role)
            }
            (Consequence::AttributeRemoved(name), E::AttributesAssigned { attributes, .. }) => {
                attributes.contains_key(name)
            }
            (Consequence::AttributeDefined(name, _), E::AttributesAssigned { removed, .. }) => {
                removed.contains(name)
            }
            _ => false,
        }
    }

    /// The order to the profile.
    pub fn command(&self, catalogue: &Catalogue, facts: &Facts) -> Command {
        match self {
            Consequence::RoleRemoved(key) => {
                let kept = facts.roles.iter().filter(|role| *role != key);
                let ranked = |key: &String| RankedRole {
                    key: key.clone(),
                    rank: catalogue.rank(key).unwrap_or_default(),
                };
                Command::AssignRoles { roles: kept.map(ranked).collect() }
            }
            Consequence::DepartmentRemoved(gone) => {
                let kept = facts.departments.iter().filter(|one| *one != gone);
                Command::AssignDepartments { departments: kept.copied().collect() }
            }
            Consequence::ApplicationRoleRemoved(role) => {
                Command::WithdrawApplicationRole { role: role.clone() }
            }
            Consequence::AttributeRemoved(name) => {
                Command::WithdrawAttribute { name: name.clone() }
            }
            Consequence::AttributeDefined(name, value) => {
                Command::DefaultAttribute { name: name.clone(), value: value.clone().into() }
            }
            Consequence::TenantDeleted => Command::DeleteProfile,
        }
    }
}
