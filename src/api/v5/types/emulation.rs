//! Bodies of POST /emulate and /unemulate. Who may emulate whom is decided elsewhere.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::bounds;

/// Contract 4.11: asks to act as another profile from the next request on.
#[derive(Deserialize, ToSchema)]
pub struct EmulateProfileRequest {
    /// The profile to act as.
    pub target_profile_id: Uuid,
    /// For how many minutes, at most 480; none or 0 means the default.
    #[serde(default, deserialize_with = "bounds::between::<_, 0, 480>")]
    #[schema(default = 120, minimum = 0, maximum = 480)]
    pub ttl_minutes: Option<i64>,
}

/// Contract 4.11: the grant, or why there is none.
#[derive(Clone, Serialize, ToSchema)]
pub struct EmulateProfileResponse {
    /// Whether the next request acts as the target.
    pub allowed: bool,
    /// The stable code of the reason for a refusal; null when allowed.
    pub reason: Option<String>,
    /// The grant; null when refused.
    pub grant_id: Option<Uuid>,
    /// When it ends at the latest; null when refused.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Contract 4.12: whether a layer was left.
#[derive(Clone, Serialize, ToSchema)]
pub struct UnemulateProfileResponse {
    /// Whether the next request acts one layer further out.
    pub ok: bool,
    /// `not_emulating` when there was no layer to leave; otherwise null.
    pub reason: Option<String>,
}
