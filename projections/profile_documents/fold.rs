//! How a profile's events change its document.

use tokio_postgres::types::Json;

use crate::domain::object_id::ObjectId;
use crate::domain::profile::{Event, Registration};
use crate::domain::values::Email;
use crate::domain::{Event as AnyEvent, Occurred};
use crate::projections::Key;

use super::{Document, Row};

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
        row.last_modified = occurred.occurred_at.timestamp_millis();
    }
    let document = &mut row.document.0;
    match event {
        Event::EmailsAssigned { emails } => row.email = first(emails),
        Event::ProfileActivated {} => row.enabled = true,
        Event::ProfileDeactivated {} => row.enabled = false,
        Event::AttributesAssigned { attributes, removed } => {
            document.attributes.retain(|name, _| !removed.contains(name));
            document.attributes.extend(attributes.clone());
        }
        Event::AttributeDefaulted { name, value } => {
            document.attributes.insert(name.clone(), value.clone());
        }
        Event::AttributeWithdrawn { name } => {
            document.attributes.remove(name);
        }
        Event::UsernameAssigned { username } => row.username.clone_from(&username.0),
        Event::ApplicationRolesAssigned { roles } => document.roles.clone_from(roles),
        Event::ApplicationRoleWithdrawn { role } => document.roles.retain(|one| one != role),
        Event::ProfileVerified {} => row.verified = true,
        Event::ProfileDeleted {} => return None,
        Event::ProfileRegistered(_)
        | Event::ProfileRenamed { .. }
        | Event::LogInEmailTaken { .. }
        | Event::RolesAssigned { .. }
        | Event::DepartmentsAssigned { .. }
        | Event::RequestLimitAssigned { .. }
        | Event::PasswordChanged {}
        | Event::LogInSucceeded {}
        | Event::LogInFailed {}
        | Event::LogInLocked { .. }
        | Event::AttachmentStored(_) => {}
    }
    row.document.0.names = row.document.0.attributes.keys().cloned().collect();
    Some(row)
}

fn registered(registration: &Registration, occurred: &Occurred) -> Row {
    let username = registration.username.as_ref().map(|username| username.0.clone());
    let object_id = ObjectId::of(occurred.stream_id);
    Row {
        tenant_id: occurred.tenant_id.0,
        id: occurred.stream_id,
        object_id: object_id.held(),
        version: occurred.version,
        ordinal: occurred.position,
        username: username.unwrap_or_else(|| object_id.to_string()),
        email: first(&registration.emails),
        verified: registration.verified,
        enabled: registration.active.unwrap_or(true),
        created_on: occurred.occurred_at.timestamp_millis(),
        last_modified: occurred.occurred_at.timestamp_millis(),
        document: Json(Document {
            roles: registration.application_roles.clone(),
            attributes: registration.attributes.clone(),
            names: registration.attributes.keys().cloned().collect(),
        }),
    }
}

fn first(emails: &[Email]) -> Option<String> {
    emails.first().map(|email| email.address.0.clone())
}
