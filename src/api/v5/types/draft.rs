//! Bodies of PATCH /draft and POST /drafts. Which version wins is decided elsewhere.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Contract 4.7: the full state of a draft. An absent field is empty in the new version.
#[derive(Deserialize, ToSchema)]
pub struct PatchProfileDraftRequest {
    /// The draft to continue; none starts a new one.
    pub input_draft_id: Option<Uuid>,
    /// The version the caller last saw; 0 for a new draft.
    #[serde(default, deserialize_with = "zero_if_null")]
    #[schema(default = 0)]
    pub expected_version: i64,
    /// The name by value.
    pub name: Option<String>,
    /// The name by id; if given, `name` is ignored.
    pub name_id: Option<Uuid>,
    /// An e-mail address by value, at most 254 characters, added to `email_ids`.
    #[schema(max_length = 254)]
    pub email: Option<String>,
    /// A daily limit of requests by value, added to `request_limit_ids`.
    pub request_limit: Option<i64>,
    /// The active flag.
    pub flag_id: Option<Uuid>,
    /// The departments, the primary one first.
    pub department_ids: Option<Vec<Uuid>>,
    /// The e-mail addresses, the primary one first.
    pub email_ids: Option<Vec<Uuid>>,
    /// The roles, the one that counts first.
    pub role_ids: Option<Vec<Uuid>>,
    /// The daily limits of requests; the last is kept.
    pub request_limit_ids: Option<Vec<Uuid>>,
}

/// Contract 4.7: the draft after saving.
#[derive(Clone, Serialize, ToSchema)]
pub struct PatchProfileDraftResponse {
    /// Whether it was saved.
    pub success: bool,
    /// The draft.
    pub draft_id: Uuid,
    /// Its version now.
    pub new_version: i64,
    /// One sentence for people.
    pub message: String,
    /// What was stored, for the client to adopt.
    pub form_state: Option<ProfileDraftFormState>,
}

/// Contract 2: the content of a draft, with values as ids.
#[derive(Clone, Serialize, ToSchema)]
pub struct ProfileDraftFormState {
    /// The name.
    pub name_id: Option<Uuid>,
    /// The active flag.
    pub flag_id: Option<Uuid>,
    /// The departments, the primary one first.
    pub department_ids: Vec<Uuid>,
    /// The e-mail addresses, the primary one first.
    pub email_ids: Vec<Uuid>,
    /// The roles, the one that counts first.
    pub role_ids: Vec<Uuid>,
    /// The daily limit of requests, at most one.
    pub request_limit_ids: Vec<Uuid>,
}

/// Contract 4.8: the caller's active drafts, last saved first.
#[derive(Clone, Serialize, ToSchema)]
pub struct ListProfileDraftsResponse {
    /// At most 20 drafts.
    pub entries: Option<Vec<GetProfileDraftResponse>>,
}

/// Contracts 2 and 4.8: a draft in a list.
#[derive(Clone, Serialize, ToSchema)]
pub struct GetProfileDraftResponse {
    /// The draft.
    pub id: Uuid,
    /// Its version now.
    pub version: i64,
    /// When it was started.
    pub created_at: DateTime<Utc>,
    /// Whether a generator made it.
    pub generated: bool,
    /// Whether it was started over MCP.
    pub mcp: bool,
    /// Always true: closed drafts are not listed.
    pub active: bool,
    /// The same id in all drafts of one piece of work.
    pub group_id: Uuid,
    /// The session of the last save.
    pub session_id: Uuid,
    /// The owner, not the profile being edited.
    pub profile_ids: Vec<Uuid>,
    /// The departments, the primary one first.
    pub department_ids: Vec<Uuid>,
    /// The e-mail addresses, the primary one first.
    pub email_ids: Vec<Uuid>,
    /// The active flag, at most one.
    pub flag_ids: Vec<Uuid>,
    /// The name, at most one.
    pub name_ids: Vec<Uuid>,
    /// The daily limit of requests, at most one.
    pub request_limit_ids: Vec<Uuid>,
    /// The roles, the one that counts first.
    pub role_ids: Vec<Uuid>,
}

/// Contract 1: on input `null` means the same as absent.
fn zero_if_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(Option::<i64>::deserialize(deserializer)?.unwrap_or_default())
}
