//! The rules of exports (contract 4.13).

use uuid::Uuid;

use crate::domain::Rules;

use super::commands::Command;
use super::events::Event;
use super::state::{Export, State};

/// Why an order is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Also for another owner's export and for a purged one: callers cannot tell which.
    #[error("upload not found")]
    UploadNotFound,
    #[error("an export with this id was made before")]
    AlreadyMade,
}

impl Rules for Export {
    type Command = Command;
    type By<'a> = ();
    type Refusal = Refusal;

    /// The events of an order to an export in `state`.
    ///
    /// # Errors
    /// The reason against it.
    fn decide(_: Uuid, state: &State, (): (), command: Command) -> Result<Vec<Event>, Refusal> {
        match (command, state) {
            (Command::MakeExport { owner, file_name, row_count, profile }, State::Absent) => {
                Ok(vec![Event::ExportMade { owner, file_name, row_count, profile }])
            }
            (Command::MakeExport { .. }, State::Made { .. } | State::Purged) => {
                Err(Refusal::AlreadyMade)
            }
            (Command::DownloadExport { by, superadmin }, State::Made { owner, .. })
                if superadmin || by == *owner =>
            {
                Ok(vec![Event::ExportDownloaded {}])
            }
            (Command::DownloadExport { .. }, _) => Err(Refusal::UploadNotFound),
            (Command::PurgeExport, State::Made { .. }) => Ok(vec![Event::ExportPurged {}]),
            (Command::PurgeExport, State::Absent | State::Purged) => Ok(vec![]),
        }
    }
}
