//! Bodies of POST /export and /refresh. Exported rows are in the file only.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Contract 4.13: asks for profiles as a CSV file.
#[derive(Deserialize, ToSchema)]
pub struct ExportProfilesRequest {
    /// The profile to export; none means all that the caller may see.
    pub profile_export_id: Option<Uuid>,
}

/// Contract 4.13: the file that was made.
#[derive(Clone, Serialize, ToSchema)]
pub struct ExportProfilesResponse {
    /// The path to download it from.
    pub upload_id: Uuid,
    /// The name to save it under.
    pub file_name: String,
    /// How many rows it has, without the header.
    pub row_count: i64,
}

/// Contract 4.14: what was replayed and compared.
#[derive(Clone, Serialize, ToSchema)]
pub struct RefreshProfilesResponse {
    /// Whether everything was done in time.
    pub success: bool,
    /// The read models done.
    pub refreshed_views: Vec<String>,
    /// The cache tags that were invalidated.
    pub invalidated_tags: Vec<String>,
}
