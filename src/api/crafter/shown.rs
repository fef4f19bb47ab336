//! Makes beans (contract 3) from states.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::attributes::{AttributeToReturn, returned};
use crate::domain::object_id;
use crate::domain::profile::{Attachment, Facts};
use crate::domain::tenant::{AttributeDefinition, Catalogue};

use super::call::Caller;
use super::find::{FoundProfile, FoundTenant};
use super::types::profile::{Profile, ProfileAttachment, file_size};
use super::types::tenant::{self as wire, Tenant};

/// A profile with these of its attributes.
pub fn profile(found: &FoundProfile, attributes: BTreeMap<String, Value>) -> Profile {
    let facts = &found.facts;
    let id = object_id::shown(found.id.0);
    Profile {
        username: facts.username.clone().unwrap_or_else(|| id.clone()),
        email: facts.emails.first().map(|email| email.address.0.clone()),
        verified: facts.verified,
        enabled: facts.is_active(),
        created_on: facts.registered_at,
        last_modified: facts.modified_at,
        tenant: found.tenant.name.clone(),
        roles: facts.application_roles.clone(),
        attributes,
        id,
    }
}

/// What a profile's attributes are, as plain JSON.
pub fn attributes(facts: &Facts) -> BTreeMap<String, Value> {
    facts.attributes.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect()
}

/// The attributes that the caller asked for and may read; reads also select by path (contract 4.7).
pub fn readable(
    caller: &Caller,
    catalogue: &Catalogue,
    facts: &Facts,
    wanted: &AttributeToReturn,
) -> BTreeMap<String, Value> {
    returned(&attributes(facts), wanted, |name| caller.reads(catalogue, name), true)
}

/// The attributes in the answer to a change: those that may be read, and those that the call wrote,
/// by exact names.
pub fn after_change(
    caller: &Caller,
    catalogue: &Catalogue,
    facts: &Facts,
    written: &[String],
    wanted: &AttributeToReturn,
) -> BTreeMap<String, Value> {
    let readable = |name: &str| {
        caller.reads(catalogue, name)
            || (catalogue.attribute(name).is_some() && written.iter().any(|one| one == name))
    };
    returned(&attributes(facts), wanted, readable, false)
}

/// A tenant.
pub fn tenant(tenant: &FoundTenant) -> Tenant {
    let catalogue = &tenant.catalogue;
    Tenant {
        name: tenant.name.clone(),
        verify_new_profiles: catalogue.verifies_new_profiles,
        available_roles: catalogue.application_roles.clone(),
        sso_enabled: catalogue.offers_single_sign_on,
        attribute_definitions: catalogue.attributes.iter().map(definition).collect(),
        cleanse_attributes: catalogue.cleanses_attributes,
        id: Some(object_id::shown(tenant.id.0)),
    }
}

fn definition(definition: &AttributeDefinition) -> wire::AttributeDefinition {
    wire::AttributeDefinition {
        permissions: definition.permissions.iter().cloned().map(Into::into).collect(),
        name: definition.name.clone(),
        metadata: definition.metadata.as_ref().and_then(|value| value.as_object().cloned()),
        default_value: definition.default_value.clone(),
    }
}

/// An attachment.
pub fn attachment(attachment: &Attachment) -> ProfileAttachment {
    ProfileAttachment {
        md5: Some(attachment.md5.clone()),
        content_type: Some(attachment.content_type.clone()),
        file_size: Some(file_size(attachment.bytes)),
        file_name: Some(attachment.name.0.clone()),
        file_size_bytes: attachment.bytes,
        id: Some(object_id::shown(attachment.id.0)),
    }
}
