//! What a profile's events have made of it.

use chrono::{DateTime, Utc};

use crate::domain::ids::{DepartmentId, ProfileId};
use crate::domain::permission::{RankedRole, Standing};
use crate::domain::values::{Email, Name, RequestLimit};
use crate::domain::{Aggregate, Area};

use super::events::{Attributes, Event};

/// The aggregate.
pub struct Profile;

/// A profile: not yet, now, or no more.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    #[default]
    Absent,
    Live(Box<Facts>),
    /// With what it last was, so that its history can still be judged.
    Deleted(Box<Facts>),
}

/// What is true of a profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    pub name: Option<Name>,
    pub emails: Vec<Email>,
    pub roles: Vec<String>,
    pub departments: Vec<DepartmentId>,
    pub request_limit: Option<RequestLimit>,
    pub active: Option<bool>,
    pub attributes: Attributes,
    pub registered_at: DateTime<Utc>,
}

impl Facts {
    /// Contract 1.4: no flag linked means active.
    pub fn is_active(&self) -> bool {
        self.active.unwrap_or(true)
    }

    /// Where the profile stands, given how its tenant ranks roles.
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

    fn of(event: &crate::domain::Event) -> Option<&Event> {
        match event {
            crate::domain::Event::Profile(event) => Some(event),
            _ => None,
        }
    }

    fn evolve(state: &mut State, event: &Event, occurred_at: DateTime<Utc>) {
        if let Event::ProfileRegistered { .. } = event {
            *state = State::Live(Box::new(registered(event, occurred_at)));
            return;
        }
        let State::Live(facts) = state else { return };
        match event {
            Event::ProfileRegistered { .. } => {}
            Event::ProfileRenamed { name } => facts.name = Some(name.clone()),
            Event::EmailsAssigned { emails } => facts.emails.clone_from(emails),
            Event::RolesAssigned { roles } => facts.roles.clone_from(roles),
            Event::DepartmentsAssigned { departments } => {
                facts.departments.clone_from(departments);
            }
            Event::RequestLimitAssigned { request_limit } => {
                facts.request_limit = Some(request_limit.clone());
            }
            Event::ProfileActivated {} => facts.active = Some(true),
            Event::ProfileDeactivated {} => facts.active = Some(false),
            Event::AttributesAssigned { attributes, removed } => {
                facts.attributes.retain(|name, _| !removed.contains(name));
                facts.attributes.extend(attributes.clone());
            }
            Event::ProfileDeleted {} => *state = State::Deleted(std::mem::take(facts)),
        }
    }
}

fn registered(event: &Event, occurred_at: DateTime<Utc>) -> Facts {
    let Event::ProfileRegistered {
        name,
        emails,
        roles,
        departments,
        request_limit,
        active,
        attributes,
        duplicated_from: _,
    } = event
    else {
        return Facts::default();
    };
    Facts {
        name: name.clone(),
        emails: emails.clone(),
        roles: roles.clone(),
        departments: departments.clone(),
        request_limit: request_limit.clone(),
        active: *active,
        attributes: attributes.clone(),
        registered_at: occurred_at,
    }
}
