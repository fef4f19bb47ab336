//! The values that an event carries, with their ids.

use uuid::Uuid;

use crate::domain::values::{Email, Name, RequestLimit, ValueKind};
use crate::domain::{Event as AnyEvent, Occurred, draft, profile};

use super::Row;

pub fn rows(occurred: &Occurred) -> Vec<Row> {
    let mut values = Values { tenant_id: occurred.tenant_id.0, rows: Vec::new() };
    match &occurred.event {
        AnyEvent::Profile(event) => values.profile(event),
        AnyEvent::Draft(draft::Event::DraftSaved { form, .. }) => {
            values.name(form.name.as_ref());
            values.emails(&form.emails);
            values.request_limit(form.request_limit.as_ref());
        }
        AnyEvent::Draft(draft::Event::DraftClosed { .. })
        | AnyEvent::Tenant(_)
        | AnyEvent::Emulation(_)
        | AnyEvent::Access(_)
        | AnyEvent::Session(_)
        | AnyEvent::Export(_)
        | AnyEvent::Operation(_) => {}
    }
    values.rows
}

struct Values {
    tenant_id: Uuid,
    rows: Vec<Row>,
}

impl Values {
    fn profile(&mut self, event: &profile::Event) {
        match event {
            profile::Event::ProfileRegistered(registration) => {
                self.name(registration.name.as_ref());
                self.emails(&registration.emails);
                self.request_limit(registration.request_limit.as_ref());
            }
            profile::Event::ProfileRenamed { name } => self.name(Some(name)),
            profile::Event::EmailsAssigned { emails } => self.emails(emails),
            profile::Event::RequestLimitAssigned { request_limit } => {
                self.request_limit(Some(request_limit));
            }
            profile::Event::RolesAssigned { .. }
            | profile::Event::DepartmentsAssigned { .. }
            | profile::Event::ProfileActivated {}
            | profile::Event::ProfileDeactivated {}
            | profile::Event::AttributesAssigned { .. }
            | profile::Event::LogInEmailTaken { .. }
            | profile::Event::AttributeDefaulted { .. }
            | profile::Event::AttributeWithdrawn { .. }
            | profile::Event::UsernameAssigned { .. }
            | profile::Event::ApplicationRolesAssigned { .. }
            | profile::Event::ApplicationRoleWithdrawn { .. }
            | profile::Event::ProfileVerified {}
            | profile::Event::PasswordChanged {}
            | profile::Event::LogInSucceeded {}
            | profile::Event::LogInFailed {}
            | profile::Event::LogInLocked { .. }
            | profile::Event::AttachmentStored(_)
            | profile::Event::ProfileDeleted {} => {}
        }
    }

    fn name(&mut self, name: Option<&Name>) {
        let Some(name) = name else { return };
        self.push(name.id.0, ValueKind::Name, name.name.0.clone());
    }

    fn emails(&mut self, emails: &[Email]) {
        for email in emails {
            self.push(email.id.0, ValueKind::Email, email.address.0.clone());
        }
    }

    fn request_limit(&mut self, limit: Option<&RequestLimit>) {
        let Some(limit) = limit else { return };
        self.push(limit.id.0, ValueKind::RequestLimit, limit.requests_per_day.to_string());
    }

    fn push(&mut self, id: Uuid, kind: ValueKind, value: String) {
        self.rows.push(Row { tenant_id: self.tenant_id, id, kind: kind.name().to_owned(), value });
    }
}
