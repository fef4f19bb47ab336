//! The shared resources of a profile, as forms show them. How they are found is elsewhere.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Contract 2: a name.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileNameResource {
    /// The shared id of this value.
    pub id: Option<Uuid>,
    /// The value.
    pub name: Option<String>,
    /// Whether a generator made it.
    pub generated: Option<bool>,
}

/// Contract 2: an e-mail address.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileEmailResource {
    /// The shared id of this value.
    pub id: Option<Uuid>,
    /// The value.
    pub email: Option<String>,
    /// Whether a generator made it.
    pub generated: Option<bool>,
}

/// Contract 2: a daily limit of requests.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileRequestLimitResource {
    /// The shared id of this value.
    pub id: Option<Uuid>,
    /// The value.
    pub requests_per_day: Option<i64>,
    /// Whether a generator made it.
    pub generated: Option<bool>,
}

/// Contract 2: a department of the catalogue.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileDepartmentResource {
    /// The department.
    pub id: Option<Uuid>,
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Whether a generator made it.
    pub generated: Option<bool>,
}

/// Contract 2: a role of the catalogue.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileRoleResource {
    /// The role.
    pub id: Option<Uuid>,
    /// Its key.
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

/// Contract 2: a flag of the catalogue, as a switch on the form.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileFlagConfig {
    /// The flag's name without `profile_` in front.
    pub key: String,
    /// The key in title case.
    pub label: String,
    /// Its meaning. It tells apart flags of the same name.
    pub description: Option<String>,
    /// Its icon.
    pub icon_id: Option<Uuid>,
    /// The flag itself.
    pub flag_option_id: Option<Uuid>,
    /// Whether the form shows it.
    #[schema(default = true, required = false)]
    pub show: bool,
    /// Whether the form requires it.
    #[schema(default = false, required = false)]
    pub required: bool,
    /// Whether a generator made it.
    pub generated: Option<bool>,
}
