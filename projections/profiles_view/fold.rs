//! How a profile's events change its row.

use tokio_postgres::types::Json;

use crate::domain::profile::{Event, Registration};
use crate::domain::values::{Email, Name, RequestLimit};
use crate::domain::{Event as AnyEvent, Occurred};
use crate::projections::Key;

use super::Row;

pub fn key(event: &Occurred) -> Option<Key> {
    matches!(event.event, AnyEvent::Profile(_)).then_some((event.tenant_id.0, event.stream_id))
}

pub fn evolve(row: Option<Row>, occurred: &Occurred) -> Option<Row> {
    let AnyEvent::Profile(event) = &occurred.event else { return row };
    if let Event::ProfileRegistered(registration) = event {
        return Some(registered(registration, occurred));
    }
    let mut row = row?;
    row.version = occurred.version;
    if event.modifies() {
        row.updated_at = occurred.occurred_at;
    }
    match event {
        Event::ProfileRegistered(_)
        | Event::LogInEmailTaken { .. }
        | Event::ProfileVerified {}
        | Event::PasswordChanged {}
        | Event::LogInSucceeded {}
        | Event::LogInFailed {}
        | Event::LogInLocked { .. }
        | Event::AttachmentStored(_) => {}
        Event::ProfileRenamed { name } => set_name(&mut row, Some(name)),
        Event::EmailsAssigned { emails } => set_emails(&mut row, emails),
        Event::RolesAssigned { roles } => row.role_keys.clone_from(roles),
        Event::DepartmentsAssigned { departments } => {
            row.department_ids = departments.iter().map(|department| department.0).collect();
        }
        Event::RequestLimitAssigned { request_limit } => {
            set_request_limit(&mut row, Some(request_limit));
        }
        Event::ProfileActivated {} => row.active = true,
        Event::ProfileDeactivated {} => row.active = false,
        Event::AttributesAssigned { attributes, removed } => {
            row.attributes.0.retain(|name, _| !removed.contains(name));
            row.attributes.0.extend(attributes.clone());
        }
        Event::AttributeDefaulted { name, value } => {
            row.attributes.0.insert(name.clone(), value.clone());
        }
        Event::AttributeWithdrawn { name } => {
            row.attributes.0.remove(name);
        }
        Event::UsernameAssigned { username } => row.username = Some(username.0.clone()),
        Event::ApplicationRolesAssigned { roles } => row.application_roles.clone_from(roles),
        Event::ApplicationRoleWithdrawn { role } => {
            row.application_roles.retain(|one| one != role);
        }
        Event::ProfileDeleted {} => return None,
    }
    Some(row)
}

fn registered(registration: &Registration, occurred: &Occurred) -> Row {
    let departments = registration.departments.iter();
    let mut row = Row {
        tenant_id: occurred.tenant_id.0,
        id: occurred.stream_id,
        version: occurred.version,
        name_id: None,
        name: None,
        email_ids: vec![],
        emails: vec![],
        role_keys: registration.roles.clone(),
        department_ids: departments.map(|department| department.0).collect(),
        request_limit_id: None,
        requests_per_day: None,
        active: registration.active.unwrap_or(true),
        username: registration.username.as_ref().map(|username| username.0.clone()),
        application_roles: registration.application_roles.clone(),
        attributes: Json(registration.attributes.clone()),
        created_at: occurred.occurred_at,
        updated_at: occurred.occurred_at,
    };
    set_name(&mut row, registration.name.as_ref());
    set_emails(&mut row, &registration.emails);
    set_request_limit(&mut row, registration.request_limit.as_ref());
    row
}

fn set_name(row: &mut Row, name: Option<&Name>) {
    row.name_id = name.map(|name| name.id.0);
    row.name = name.map(|name| name.name.0.clone());
}

fn set_emails(row: &mut Row, emails: &[Email]) {
    row.email_ids = emails.iter().map(|email| email.id.0).collect();
    row.emails = emails.iter().map(|email| email.address.0.clone()).collect();
}

fn set_request_limit(row: &mut Row, limit: Option<&RequestLimit>) {
    row.request_limit_id = limit.map(|limit| limit.id.0);
    row.requests_per_day = limit.map(|limit| limit.requests_per_day);
}
