//! What can have happened to an export. Names and fields are for ever. The file is in no event.

use serde::{Deserialize, Serialize};

use crate::domain::ids::ProfileId;

/// An event of an export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A file was made with what `owner` may see.
    ExportMade {
        owner: ProfileId,
        file_name: String,
        row_count: i64,
        /// The one profile exported; None for all.
        profile: Option<ProfileId>,
    },
    /// The file was handed out to the envelope's actors.
    ExportDownloaded {},
    /// The file was removed.
    ExportPurged {},
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Export(event)
    }
}
