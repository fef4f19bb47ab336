//! How a tenant's events change the rows of its catalogue.

use serde_json::{Value, json};
use tokio_postgres::types::Json;

use crate::domain::ids::catalogue_id;
use crate::domain::tenant::Event;
use crate::domain::{Event as AnyEvent, Occurred};
use crate::projections::Key;

use super::Row;

pub fn key(occurred: &Occurred) -> Option<Key> {
    let AnyEvent::Tenant(event) = &occurred.event else { return None };
    let (kind, key) = place(event);
    Some((occurred.tenant_id.0, catalogue_id(occurred.tenant_id, kind, key)))
}

pub fn evolve(row: Option<Row>, occurred: &Occurred) -> Option<Row> {
    let AnyEvent::Tenant(event) = &occurred.event else { return row };
    let (kind, key) = place(event);
    Some(Row {
        tenant_id: occurred.tenant_id.0,
        id: catalogue_id(occurred.tenant_id, kind, key),
        version: occurred.version,
        kind: kind.to_owned(),
        key: key.to_owned(),
        entry: Json(entry(event)?),
    })
}

fn place(event: &Event) -> (&'static str, &str) {
    match event {
        Event::TenantRegistered { name } | Event::TenantDeleted { name } => ("tenant", name),
        Event::RoleDefined { key, .. } | Event::RoleRemoved { key } => ("role", key),
        Event::DepartmentDefined { key, .. } | Event::DepartmentRemoved { key } => {
            ("department", key)
        }
        Event::SettingDefined { key, .. } | Event::SettingRemoved { key } => ("setting", key),
        Event::IssuerTrusted { issuer, .. } | Event::IssuerDistrusted { issuer } => {
            ("issuer", issuer)
        }
        Event::VerificationRequired {} | Event::VerificationWaived {} => ("option", "verification"),
        Event::SingleSignOnOffered {} | Event::SingleSignOnWithdrawn {} => {
            ("option", "single_sign_on")
        }
        Event::CleansingEnabled {} | Event::CleansingDisabled {} => ("option", "cleansing"),
        Event::ApplicationRoleOffered { role } | Event::OfferedRoleRemoved { role } => {
            ("application_role", role)
        }
        Event::AttributeDefined(definition) | Event::AttributeRedefined(definition) => {
            ("attribute", &definition.name)
        }
        Event::AttributeRemoved { name } => ("attribute", name),
    }
}

/// The entry after the event; None when the event removes it.
fn entry(event: &Event) -> Option<Value> {
    match event {
        Event::TenantRegistered { name } => Some(json!({ "name": name })),
        Event::RoleDefined { rank, name, description, artifacts, audits, .. } => Some(json!({
            "rank": rank,
            "name": name,
            "description": description,
            "artifacts": artifacts,
            "audits": audits,
        })),
        Event::DepartmentDefined { name, description, settings, .. } => Some(json!({
            "name": name,
            "description": description,
            "settings": settings,
        })),
        Event::SettingDefined { name, active, colors, .. } => Some(json!({
            "name": name,
            "active": active,
            "colors": colors,
        })),
        Event::IssuerTrusted {
            audience,
            algorithms,
            jwks_file,
            jwks_url,
            auto_provision_guests,
            ..
        } => Some(json!({
            "audience": audience,
            "algorithms": algorithms,
            "jwks_file": jwks_file,
            "jwks_url": jwks_url,
            "auto_provision_guests": auto_provision_guests,
        })),
        Event::VerificationRequired {}
        | Event::SingleSignOnOffered {}
        | Event::CleansingEnabled {} => Some(json!(true)),
        Event::VerificationWaived {}
        | Event::SingleSignOnWithdrawn {}
        | Event::CleansingDisabled {} => Some(json!(false)),
        Event::ApplicationRoleOffered { .. } => Some(json!({})),
        Event::AttributeDefined(definition) | Event::AttributeRedefined(definition) => {
            Some(json!({
                "metadata": definition.metadata,
                "default_value": definition.default_value,
                "permissions": definition.permissions,
            }))
        }
        Event::RoleRemoved { .. }
        | Event::DepartmentRemoved { .. }
        | Event::SettingRemoved { .. }
        | Event::OfferedRoleRemoved { .. }
        | Event::AttributeRemoved { .. }
        | Event::TenantDeleted { .. }
        | Event::IssuerDistrusted { .. } => None,
    }
}
