//! How a profile's events change what it is found by.

use uuid::Uuid;

use crate::domain::folding::folded;
use crate::domain::ids::DepartmentId;
use crate::domain::profile::Event;
use crate::domain::values::{Email, Name};
use crate::domain::{Event as AnyEvent, Occurred};
use crate::projections::Key;

use super::Row;

pub fn key(event: &Occurred) -> Option<Key> {
    let AnyEvent::Profile(fact) = &event.event else { return None };
    let touches = match fact {
        Event::ProfileRegistered { .. }
        | Event::ProfileRenamed { .. }
        | Event::EmailsAssigned { .. }
        | Event::RolesAssigned { .. }
        | Event::DepartmentsAssigned { .. }
        | Event::ProfileActivated {}
        | Event::ProfileDeactivated {}
        | Event::ProfileDeleted {} => true,
        Event::RequestLimitAssigned { .. } | Event::AttributesAssigned { .. } => false,
    };
    touches.then_some((event.tenant_id.0, event.stream_id))
}

pub fn fold(row: Option<Row>, occurred: &Occurred) -> Option<Row> {
    let AnyEvent::Profile(event) = &occurred.event else { return row };
    if row.as_ref().is_some_and(|row| row.version >= occurred.version) {
        return row;
    }
    if let Event::ProfileRegistered { name, emails, roles, departments, active, .. } = event {
        return Some(Row {
            tenant_id: occurred.tenant_id.0,
            id: occurred.stream_id,
            version: occurred.version,
            name_key: name.as_ref().map(name_key),
            email_keys: email_keys(emails),
            role_keys: roles.clone(),
            department_ids: ids(departments),
            active: active.unwrap_or(true),
        });
    }
    let mut row = row?;
    row.version = occurred.version;
    match event {
        Event::ProfileRegistered { .. }
        | Event::RequestLimitAssigned { .. }
        | Event::AttributesAssigned { .. } => {}
        Event::ProfileRenamed { name } => row.name_key = Some(name_key(name)),
        Event::EmailsAssigned { emails } => row.email_keys = email_keys(emails),
        Event::RolesAssigned { roles } => row.role_keys.clone_from(roles),
        Event::DepartmentsAssigned { departments } => row.department_ids = ids(departments),
        Event::ProfileActivated {} => row.active = true,
        Event::ProfileDeactivated {} => row.active = false,
        Event::ProfileDeleted {} => return None,
    }
    Some(row)
}

fn name_key(name: &Name) -> String {
    folded(&name.name.0)
}

fn email_keys(emails: &[Email]) -> Vec<String> {
    emails.iter().map(|email| folded(&email.address.0)).collect()
}

fn ids(departments: &[DepartmentId]) -> Vec<Uuid> {
    departments.iter().map(|department| department.0).collect()
}
