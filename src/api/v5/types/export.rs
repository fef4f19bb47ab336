//! Bodies of POST /export and /refresh. Never holds an exported row.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Contract 4.13: asks for profiles as a CSV file.
#[derive(Deserialize, ToSchema)]
pub struct ExportProfilesRequest {
    /// The one profile to export; none for all the caller may see.
    pub profile_export_id: Option<Uuid>,
}

/// Contract 4.13: where the file is.
#[derive(Clone, Serialize, ToSchema)]
pub struct ExportProfilesResponse {
    /// What to download it by.
    pub upload_id: Uuid,
    /// The name it is saved under.
    pub file_name: String,
    /// How many rows it has below its header.
    pub row_count: i64,
}

/// Contract 4.14: what was replayed and compared.
#[derive(Clone, Serialize, ToSchema)]
pub struct RefreshProfilesResponse {
    /// Whether all of it was done in time.
    pub success: bool,
    /// The read models done.
    pub refreshed_views: Vec<String>,
    /// The tags of the caches dropped.
    pub invalidated_tags: Vec<String>,
}
