//! How a profile's events change what it is found by.

use serde_json::Value;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::domain::folding::folded;
use crate::domain::ids::DepartmentId;
use crate::domain::personal::Personal;
use crate::domain::profile::{Attributes, Event, Registration};
use crate::domain::values::Email;
use crate::domain::{Event as AnyEvent, Occurred};
use crate::projections::Key;

use super::Row;

/// The attributes whose values stand in for a missing name.
const CALLED_BY: [&str; 3] = ["displayName", "firstName", "lastName"];

pub fn key(event: &Occurred) -> Option<Key> {
    let AnyEvent::Profile(fact) = &event.event else { return None };
    let called_by = |name: &String| CALLED_BY.contains(&name.as_str());
    let touches = match fact {
        Event::ProfileRegistered(_)
        | Event::ProfileRenamed { .. }
        | Event::EmailsAssigned { .. }
        | Event::RolesAssigned { .. }
        | Event::DepartmentsAssigned { .. }
        | Event::ProfileActivated {}
        | Event::ProfileDeactivated {}
        | Event::UsernameAssigned { .. }
        | Event::ProfileDeleted {} => true,
        Event::AttributesAssigned { attributes, removed } => {
            attributes.keys().chain(removed).any(called_by)
        }
        Event::AttributeDefaulted { name, .. } | Event::AttributeWithdrawn { name } => {
            called_by(name)
        }
        Event::RequestLimitAssigned { .. }
        | Event::LogInEmailTaken { .. }
        | Event::ApplicationRolesAssigned { .. }
        | Event::ApplicationRoleWithdrawn { .. }
        | Event::ProfileVerified {}
        | Event::PasswordChanged {}
        | Event::LogInSucceeded {}
        | Event::LogInFailed {}
        | Event::LogInLocked { .. }
        | Event::AttachmentStored(_) => false,
    };
    touches.then_some((event.tenant_id.0, event.stream_id))
}

pub fn evolve(row: Option<Row>, occurred: &Occurred) -> Option<Row> {
    let AnyEvent::Profile(event) = &occurred.event else { return row };
    if let Event::ProfileRegistered(registration) = event {
        return Some(registered(registration, occurred));
    }
    let mut row = row?;
    row.version = occurred.version;
    match event {
        Event::ProfileRenamed { name } => row.name = Some(name.name.0.clone()),
        Event::EmailsAssigned { emails } => row.email_keys = email_keys(emails),
        Event::RolesAssigned { roles } => row.role_keys.clone_from(roles),
        Event::DepartmentsAssigned { departments } => row.department_ids = ids(departments),
        Event::ProfileActivated {} => row.active = true,
        Event::ProfileDeactivated {} => row.active = false,
        Event::UsernameAssigned { username } => row.username = Some(username.0.clone()),
        Event::AttributesAssigned { attributes, removed } => {
            row.attributes.0.retain(|name, _| !removed.contains(name));
            row.attributes.0.extend(called_by(attributes));
        }
        Event::AttributeDefaulted { name, value } => {
            row.attributes.0.insert(name.clone(), value.clone());
        }
        Event::AttributeWithdrawn { name } => {
            row.attributes.0.remove(name);
        }
        Event::ProfileDeleted {} => return None,
        Event::ProfileRegistered(_)
        | Event::RequestLimitAssigned { .. }
        | Event::LogInEmailTaken { .. }
        | Event::ApplicationRolesAssigned { .. }
        | Event::ApplicationRoleWithdrawn { .. }
        | Event::ProfileVerified {}
        | Event::PasswordChanged {}
        | Event::LogInSucceeded {}
        | Event::LogInFailed {}
        | Event::LogInLocked { .. }
        | Event::AttachmentStored(_) => {}
    }
    Some(row)
}

fn registered(registration: &Registration, occurred: &Occurred) -> Row {
    Row {
        tenant_id: occurred.tenant_id.0,
        id: occurred.stream_id,
        version: occurred.version,
        name: registration.name.as_ref().map(|name| name.name.0.clone()),
        username: registration.username.as_ref().map(|username| username.0.clone()),
        attributes: Json(called_by(&registration.attributes).collect()),
        email_keys: email_keys(&registration.emails),
        role_keys: registration.roles.clone(),
        department_ids: ids(&registration.departments),
        active: registration.active.unwrap_or(true),
    }
}

fn called_by(attributes: &Attributes) -> impl Iterator<Item = (String, Personal<Value>)> + '_ {
    let named = CALLED_BY.iter().filter_map(|name| attributes.get_key_value(*name));
    named.map(|(name, value)| (name.clone(), value.clone()))
}

fn email_keys(emails: &[Email]) -> Vec<String> {
    emails.iter().map(|email| folded(&email.address.0)).collect()
}

fn ids(departments: &[DepartmentId]) -> Vec<Uuid> {
    departments.iter().map(|department| department.0).collect()
}
