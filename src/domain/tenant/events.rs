//! The events of a tenant and its catalogue. Their names and fields never change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::entitlement::AttributePermission;
use crate::domain::ids::{DepartmentId, RoleId, SettingId};

/// An attribute that profiles may have (Crafter contract 3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeDefinition {
    pub name: String,
    /// Free, for applications; `type` decides how values are cleansed.
    pub metadata: Option<Value>,
    pub default_value: Option<Value>,
    /// What applications may do with it; the first permission that matches decides.
    pub permissions: Vec<AttributePermission>,
}

/// An event of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It was registered with this name, which it claims.
    TenantRegistered { name: String },
    /// This role was defined; it replaces an earlier one with the same key.
    RoleDefined {
        id: RoleId,
        key: String,
        rank: u8,
        name: String,
        description: String,
        artifacts: Vec<String>,
        /// Whether it sees all history of its tenant (History contract 0.2).
        audits: bool,
    },
    /// The role was removed. Reactions remove it from profiles.
    RoleRemoved { key: String },
    /// This department was defined.
    DepartmentDefined {
        id: DepartmentId,
        key: String,
        name: String,
        description: String,
        /// Keys of settings; the first one applies.
        settings: Vec<String>,
    },
    /// The department was removed. Reactions remove it from profiles.
    DepartmentRemoved { key: String },
    /// This setting was defined.
    SettingDefined {
        id: SettingId,
        key: String,
        name: String,
        active: bool,
        /// `#rrggbb` by use: `primary`, `accent`, `chart1`, and others.
        colors: BTreeMap<String, String>,
    },
    /// The setting was removed.
    SettingRemoved { key: String },
    /// Tokens of this issuer are accepted from now on.
    IssuerTrusted {
        issuer: String,
        audience: String,
        algorithms: Vec<String>,
        jwks_file: Option<String>,
        jwks_url: Option<String>,
        /// Whether an unknown person in its tokens becomes a guest (contract 1.2.3).
        #[serde(default)]
        auto_provision_guests: bool,
    },
    /// Tokens of this issuer are no longer accepted.
    IssuerDistrusted { issuer: String },
    /// New profiles stay disabled until their e-mail address is verified.
    VerificationRequired {},
    /// New profiles need no verification.
    VerificationWaived {},
    /// Single sign-on is offered: applications accept each other's log-ins.
    SingleSignOnOffered {},
    /// Single sign-on is not offered.
    SingleSignOnWithdrawn {},
    /// Texts in attributes are cleansed for HTML.
    CleansingEnabled {},
    /// Texts in attributes are stored as given.
    CleansingDisabled {},
    /// This application role is offered.
    ApplicationRoleOffered { role: String },
    /// The application role was removed. Reactions remove it from profiles.
    OfferedRoleRemoved { role: String },
    /// This attribute was defined. Reactions give its default to profiles without a value.
    AttributeDefined(AttributeDefinition),
    /// The attribute was redefined; profiles stay as they are.
    AttributeRedefined(AttributeDefinition),
    /// The attribute was removed. Reactions remove it from profiles.
    AttributeRemoved { name: String },
    /// It was deleted. Reactions delete its profiles; its name is free again.
    TenantDeleted { name: String },
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Tenant(event)
    }
}
