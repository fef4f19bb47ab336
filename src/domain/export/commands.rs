//! Orders to an export.

use crate::domain::ids::ProfileId;

/// An order to an export.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Record that the file was made.
    MakeExport { owner: ProfileId, file_name: String, row_count: i64, profile: Option<ProfileId> },
    /// Give the file to `by`.
    DownloadExport { by: ProfileId, superadmin: bool },
    /// Remove the file.
    PurgeExport,
}
