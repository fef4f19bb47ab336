//! Bodies of POST /context: who the caller is, what the caller may do, and the theme.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Contract 4.1: asks for the caller's own context.
#[derive(Deserialize, ToSchema)]
pub struct GetProfileContextRequest {
    /// Takes settings and theme from this department instead of the primary one.
    pub department_id: Option<Uuid>,
}

/// Contract 4.1: identity, permissions and theme of the effective profile.
#[derive(Clone, Serialize, ToSchema)]
pub struct GetProfileContextResponse {
    /// The effective profile.
    pub id: Option<Uuid>,
    /// Its name.
    pub name: Option<String>,
    /// The key of its first role.
    pub role: Option<String>,
    /// Whether it may act.
    pub active: Option<bool>,
    /// The kinds of artifact its role opens.
    pub role_artifacts: Option<Vec<String>>,
    /// The sections that those artifacts make visible, in the contract's order.
    pub available_sections: Option<Vec<String>>,
    /// The roles it may emulate, ascending.
    pub scoped_roles: Option<Vec<String>>,
    /// Its departments, the primary one first.
    pub department_ids: Option<Vec<Uuid>>,
    /// The first of its departments.
    pub primary_department_id: Option<Uuid>,
    /// The setting that applies to it.
    pub settings_id: Option<Uuid>,
    /// The colours of that setting; null when it has no primary colour.
    pub theme: Option<ThemePrimitives>,
    /// The session of the real actor.
    pub session_id: Option<Uuid>,
    /// Whether another profile is acting as this one.
    pub is_emulation: Option<bool>,
    /// How many layers of emulation are live.
    pub emulation_depth: Option<i64>,
    /// Every role there is, not only the caller's.
    pub role_resources: Option<Vec<QGetProfileContextV4RoleResource>>,
}

/// Contract 2: the colours of a setting, each as `#rrggbb`.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct ThemePrimitives {
    /// The main colour.
    pub primary: Option<String>,
    /// Highlights.
    pub accent: Option<String>,
    /// The page.
    pub background: Option<String>,
    /// Cards and panels.
    pub surface: Option<String>,
    /// Success.
    pub success: Option<String>,
    /// Warnings.
    pub warning: Option<String>,
    /// Failures.
    pub error: Option<String>,
    /// First series of a chart.
    pub chart1: Option<String>,
    /// Second series of a chart.
    pub chart2: Option<String>,
    /// Third series of a chart.
    pub chart3: Option<String>,
    /// Fourth series of a chart.
    pub chart4: Option<String>,
    /// Fifth series of a chart.
    pub chart5: Option<String>,
}

/// Contract 2: a role in the context. The type's name is the published one.
#[derive(Clone, Serialize, ToSchema)]
pub struct QGetProfileContextV4RoleResource {
    /// The role's key.
    pub role: Option<String>,
    /// Its name for people.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Always null: roles have no icon here.
    pub icon_value: Option<String>,
    /// Always null: roles have no colour here.
    pub color_hex: Option<String>,
}
