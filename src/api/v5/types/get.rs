//! Bodies of POST /get: one profile as a form to edit. What may be edited is decided elsewhere.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::v5::types::section::{
    ProfileDepartmentSection, ProfileEmailSection, ProfileFlagSection, ProfileNameSection,
    ProfileRequestLimitSection, ProfileRoleSection,
};

/// Contract 4.2: asks for the form of one profile, or of a new one.
#[derive(Deserialize, ToSchema)]
pub struct GetProfileRequest {
    /// The profile to edit; none for a new one.
    pub target_profile_id: Option<Uuid>,
    /// A draft of the caller. Its content replaces the selected values.
    pub draft_id: Option<Uuid>,
}

/// Contract 4.2: the form, section by section.
#[derive(Clone, Serialize, ToSchema)]
pub struct GetProfileResponse {
    /// The effective profile's name.
    pub actor_name: Option<String>,
    /// False on the form of a new profile.
    pub profile_exists: Option<bool>,
    /// Whether the caller may save the form.
    pub can_edit: Option<bool>,
    /// The reason; null exactly when the caller may save.
    pub disabled_reason: Option<String>,
    /// The draft's version; null without a draft.
    pub draft_version: Option<i64>,
    /// The piece of work that the draft belongs to; null without a draft.
    pub group_id: Option<Uuid>,
    /// The profile asked for.
    pub profile_id: Option<Uuid>,
    /// The key of the first role selected.
    pub role: Option<String>,
    /// The keys of the roles the caller may assign, highest first.
    pub role_options: Option<Vec<String>>,
    /// Always false: nothing here generates content.
    pub basic_show_ai_generate: Option<bool>,
    /// Always false: nothing here generates content.
    pub general_show_ai_generate: Option<bool>,
    /// The name.
    pub names: Option<ProfileNameSection>,
    /// The e-mail addresses.
    pub emails: Option<ProfileEmailSection>,
    /// The daily limit of requests.
    pub request_limits: Option<ProfileRequestLimitSection>,
    /// The active flag.
    pub flags: Option<ProfileFlagSection>,
    /// The departments.
    pub departments: Option<ProfileDepartmentSection>,
    /// The roles.
    pub roles: Option<ProfileRoleSection>,
}
