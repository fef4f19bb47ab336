//! What can have happened to a tenant and its catalogue. Names and fields are for ever.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::entitlement::AttributePermission;
use crate::domain::ids::{DepartmentId, RoleId, SettingId};

/// An attribute that profiles may have (Crafter contract 3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeDefinition {
    pub name: String,
    /// Whatever applications say of it; `type` decides how values are cleansed.
    pub metadata: Option<Value>,
    pub default_value: Option<Value>,
    /// Which applications may do what with it; the first that fits decides.
    pub permissions: Vec<AttributePermission>,
}

/// An event of a tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// It exists under this name, which it claims.
    TenantRegistered { name: String },
    /// Its catalogue has this role; an earlier one of the same key is no more as it was.
    RoleDefined {
        id: RoleId,
        key: String,
        rank: u8,
        name: String,
        description: String,
        artifacts: Vec<String>,
    },
    /// Its catalogue has no role of this key. Profiles lose it as reactions.
    RoleRemoved { key: String },
    /// Its catalogue has this department.
    DepartmentDefined {
        id: DepartmentId,
        key: String,
        name: String,
        description: String,
        /// Keys of settings, the first one being in force.
        settings: Vec<String>,
    },
    /// Its catalogue has no department of this key. Profiles lose it as reactions.
    DepartmentRemoved { key: String },
    /// Its catalogue has this setting.
    SettingDefined {
        id: SettingId,
        key: String,
        name: String,
        active: bool,
        /// `#rrggbb` by use: `primary`, `accent`, `chart1`, …
        colors: BTreeMap<String, String>,
    },
    /// Its catalogue has no setting of this key.
    SettingRemoved { key: String },
    /// Tokens of this issuer are believed.
    IssuerTrusted {
        issuer: String,
        audience: String,
        algorithms: Vec<String>,
        jwks_file: Option<String>,
        jwks_url: Option<String>,
        /// Whether whoever it vouches for is made a guest if unknown (contract 1.2.3).
        #[serde(default)]
        auto_provision_guests: bool,
    },
    /// Tokens of this issuer are believed no more.
    IssuerDistrusted { issuer: String },
    /// New profiles are disabled until their e-mail address is verified.
    VerificationRequired {},
    /// New profiles need no verification.
    VerificationWaived {},
    /// Applications let people who are logged in to one of them into the others.
    SingleSignOnOffered {},
    /// They do not.
    SingleSignOnWithdrawn {},
    /// Texts given as attributes are made safe for HTML.
    CleansingEnabled {},
    /// They are kept as given.
    CleansingDisabled {},
    /// Profiles may have this application role.
    ApplicationRoleOffered { role: String },
    /// Its profiles lose this application role, as reactions.
    OfferedRoleRemoved { role: String },
    /// Profiles may have this attribute. Those that have none get its default, as reactions.
    AttributeDefined(AttributeDefinition),
    /// The attribute is so from now on; profiles stay as they are.
    AttributeRedefined(AttributeDefinition),
    /// Its profiles lose this attribute, as reactions.
    AttributeRemoved { name: String },
    /// It is gone. Its profiles go as reactions; its name is free again.
    TenantDeleted { name: String },
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Tenant(event)
    }
}
