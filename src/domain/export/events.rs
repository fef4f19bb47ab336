//! The events of an export. Their names and fields never change. No event holds the file.

use serde::{Deserialize, Serialize};

use crate::domain::ids::ProfileId;

/// An event of an export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A file was made of what `owner` may see.
    ExportMade {
        owner: ProfileId,
        file_name: String,
        row_count: i64,
        /// The only profile in it; None for all.
        profile: Option<ProfileId>,
    },
    /// The file was given to the actors of the envelope.
    ExportDownloaded {},
    /// The file was removed.
    ExportPurged {},
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Export(event)
    }
}
