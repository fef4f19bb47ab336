//! Bodies of POST /create, /update, /duplicate and /delete. Their contents are checked elsewhere.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::people::object::objects;

/// Contract 4.4: profiles to create, all or none.
#[derive(Deserialize, ToSchema)]
pub struct CreateProfilesRequest {
    /// One item for each profile.
    #[serde(deserialize_with = "objects")]
    #[schema(max_items = 100)]
    pub profiles: Vec<CreateProfileItem>,
}

/// Contract 2: a profile to create.
#[derive(Deserialize, ToSchema)]
pub struct CreateProfileItem {
    /// An id that the caller chooses. Sending the same item again with it changes nothing.
    pub id: Option<Uuid>,
    /// The name by id; if given, `name` is ignored.
    pub name_id: Option<Uuid>,
    /// The name by value.
    pub name: Option<String>,
    /// The daily limit of requests.
    pub request_limit_id: Option<Uuid>,
    /// The active flag.
    pub flag_id: Option<Uuid>,
    /// The departments by id, the primary one first; win over `departments`.
    pub department_ids: Option<Vec<Uuid>>,
    /// The departments by name.
    pub departments: Option<Vec<String>>,
    /// The e-mail addresses, the primary one first.
    pub email_ids: Option<Vec<Uuid>>,
    /// The roles, the one that counts first.
    pub role_ids: Option<Vec<Uuid>>,
}

/// Contract 4.4: the outcome of each item, in the order of the request.
#[derive(Clone, Serialize, ToSchema)]
pub struct CreateProfilesResponse {
    /// One result for each item.
    pub results: Vec<ProfileResultItem>,
}

/// Contract 4.5: profiles to change, all or none.
#[derive(Deserialize, ToSchema)]
pub struct UpdateProfilesRequest {
    /// One item for each profile.
    #[serde(deserialize_with = "objects")]
    #[schema(max_items = 100)]
    pub profiles: Vec<UpdateProfileItem>,
}

/// Contracts 2 and 4.5: changes of a profile. An absent field stays; a list replaces.
#[derive(Deserialize, ToSchema)]
pub struct UpdateProfileItem {
    /// The profile to change.
    pub profile_id: Uuid,
    /// The name by id; if given, `name` is ignored.
    pub name_id: Option<Uuid>,
    /// The name by value.
    pub name: Option<String>,
    /// The daily limit of requests.
    pub request_limit_id: Option<Uuid>,
    /// The active flag.
    pub flag_id: Option<Uuid>,
    /// The departments by id, the primary one first; win over `departments`.
    pub department_ids: Option<Vec<Uuid>>,
    /// The departments by name.
    pub departments: Option<Vec<String>>,
    /// The e-mail addresses, the primary one first.
    pub email_ids: Option<Vec<Uuid>>,
    /// The roles, the one that counts first.
    pub role_ids: Option<Vec<Uuid>>,
}

/// Contract 4.5: the outcome of each item, in the order of the request.
#[derive(Clone, Serialize, ToSchema)]
pub struct UpdateProfilesResponse {
    /// One result for each item.
    pub results: Vec<ProfileResultItem>,
}

/// Contract 2: the outcome of one item of a create or an update.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileResultItem {
    /// Whether it was written.
    pub success: bool,
    /// The profile written.
    pub profile_id: Option<Uuid>,
    /// One sentence for people.
    pub message: String,
    /// The invalid fields; null on success.
    pub errors: Option<Vec<ProfileFieldError>>,
}

/// Contract 2: why a field is invalid.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileFieldError {
    /// The field's name in the request.
    pub field: String,
    /// One sentence for people.
    pub message: String,
}

/// Contract 4.6: a profile to copy.
#[derive(Deserialize, ToSchema)]
pub struct DuplicateProfileRequest {
    /// The profile to copy.
    pub target_profile_id: Uuid,
}

/// Contract 4.6: the copy.
#[derive(Clone, Serialize, ToSchema)]
pub struct DuplicateProfileResponse {
    /// Whether it was made.
    pub success: bool,
    /// The new profile.
    pub profile_id: Uuid,
    /// One sentence for people.
    pub message: String,
}

/// Contract 4.9: profiles to delete, each by itself.
#[derive(Deserialize, ToSchema)]
pub struct DeleteProfilesRequest {
    /// The profiles to delete.
    #[schema(max_items = 100)]
    pub profile_ids: Vec<Uuid>,
}

/// Contract 4.9: the outcome of each profile, in the order of the request, each once.
#[derive(Clone, Serialize, ToSchema)]
pub struct DeleteProfilesResponse {
    /// One result for each profile.
    pub results: Vec<DeleteProfileResult>,
}

/// Contract 2: the outcome of one profile of a delete.
#[derive(Clone, Serialize, ToSchema)]
pub struct DeleteProfileResult {
    /// Whether it was deleted.
    pub success: bool,
    /// The profile.
    pub profile_id: Uuid,
    /// One sentence for people.
    pub message: String,
}
