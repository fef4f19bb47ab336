//! Bodies of answers that are no success. Their statuses are chosen in `src/api/people/failure.rs`.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::v5::types::bulk::ProfileFieldError;
use crate::api::v5::types::draft::ProfileDraftFormState;

/// Contract 1.1: the body of a 422.
#[derive(Clone, Serialize, ToSchema)]
pub struct HTTPValidationError {
    /// One entry for each invalid part of the request.
    pub detail: Vec<ValidationError>,
}

/// Contract 1.1: an invalid part of a request.
#[derive(Clone, Serialize, ToSchema)]
pub struct ValidationError {
    /// Its place, outermost first, as in `["body", "profiles", 0, "profile_id"]`.
    #[schema(inline)]
    pub loc: Vec<LocationPart>,
    /// What is wrong with it, for people.
    pub msg: String,
    /// What is wrong with it, for programs.
    pub r#type: String,
}

/// Contract 1.1: one step on the way to the invalid part.
#[derive(Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum LocationPart {
    /// A field of an object.
    Name(String),
    /// An item of a list.
    Index(i64),
}

/// Contract 1.1: the body of every failure but 422.
#[derive(Clone, Serialize, ToSchema)]
pub struct ErrorResponse {
    /// One sentence for people.
    pub detail: String,
    /// The stable code of the table in contract 1.1.
    pub code: String,
}

/// Contracts 1.1 and 4.7: a draft with an unknown id or an impossible value.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileDraftErrorResponse {
    /// One sentence for people.
    pub detail: String,
    /// `invalid_reference` or `invalid_value`.
    pub code: String,
    /// One entry for each invalid field.
    pub errors: Vec<ProfileFieldError>,
}

/// Contract 4.7: the draft was changed since the caller read it; this is its current content.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileDraftConflictResponse {
    /// One sentence for people.
    pub detail: String,
    /// `draft_version_conflict`.
    pub code: String,
    /// The draft.
    pub draft_id: Uuid,
    /// The version to name in the next attempt: the current one.
    pub current_version: i64,
    /// The content of that version.
    pub form_state: ProfileDraftFormState,
}
