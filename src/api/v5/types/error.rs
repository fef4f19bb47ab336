//! Bodies of answers that are not a success. Never says which status goes with them: the face's
//! `error.rs` does.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::v5::types::bulk::ProfileFieldError;
use crate::api::v5::types::draft::ProfileDraftFormState;

/// Contract 1.1: the body of a 422.
#[derive(Clone, Serialize, ToSchema)]
pub struct HTTPValidationError {
    /// One entry for each part of the request that was refused.
    pub detail: Vec<ValidationError>,
}

/// Contract 1.1: one refused part of a request.
#[derive(Clone, Serialize, ToSchema)]
pub struct ValidationError {
    /// Where it stands, outermost first, as in `["body", "profiles", 0, "profile_id"]`.
    #[schema(inline)]
    pub loc: Vec<LocationPart>,
    /// What is wrong with it, for people.
    pub msg: String,
    /// What is wrong with it, for programs.
    pub r#type: String,
}

/// Contract 1.1: one step of the way to a refused part.
#[derive(Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum LocationPart {
    /// A field of an object.
    Name(String),
    /// An item of a list.
    Index(i64),
}

/// Contract 1.1: the body of every refusal and failure but 422.
#[derive(Clone, Serialize, ToSchema)]
pub struct ErrorResponse {
    /// One sentence for people.
    pub detail: String,
    /// The stable code of the table in contract 1.1.
    pub code: String,
}

/// Contracts 1.1 and 4.7: a draft that refers to something that does not exist, or holds a value
/// that cannot be.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileDraftErrorResponse {
    /// One sentence for people.
    pub detail: String,
    /// `invalid_reference` or `invalid_value`.
    pub code: String,
    /// One entry for each field refused.
    pub errors: Vec<ProfileFieldError>,
}

/// Contract 4.7: the draft has moved on since the caller read it; what it is now.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileDraftConflictResponse {
    /// One sentence for people.
    pub detail: String,
    /// `draft_version_conflict`.
    pub code: String,
    /// The draft in question.
    pub draft_id: Uuid,
    /// The version to name in the next attempt.
    pub current_version: i64,
    /// What is stored under that version.
    pub form_state: ProfileDraftFormState,
}
