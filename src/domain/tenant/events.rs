//! What can have happened to a tenant and its catalogue. Names and fields are for ever.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::ids::{DepartmentId, RoleId, SettingId};

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
    },
    /// Tokens of this issuer are believed no more.
    IssuerDistrusted { issuer: String },
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Tenant(event)
    }
}
