//! What becomes of an order to an export (contract 4.13).

use uuid::Uuid;

use crate::domain::Rules;

use super::commands::Command;
use super::events::Event;
use super::state::{Export, State};

/// The fact in the way of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Also one made for somebody else, and a purged one: not told apart.
    #[error("upload not found")]
    UploadNotFound,
    #[error("an export with this id was made before")]
    AlreadyMade,
}

impl Rules for Export {
    type Command = Command;
    type By<'a> = ();
    type Refusal = Refusal;

    /// What happens to an export in `state` on this order.
    ///
    /// # Errors
    /// The fact in the way.
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
