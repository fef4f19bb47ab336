//! What one may order an export to become.

use crate::domain::ids::ProfileId;

/// An order to an export.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Put on record that the file was made.
    MakeExport { owner: ProfileId, file_name: String, row_count: i64, profile: Option<ProfileId> },
    /// Hand the file to `by`.
    DownloadExport { by: ProfileId, superadmin: bool },
    /// Remove the file.
    PurgeExport,
}
