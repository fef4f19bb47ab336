//! The state of an export.

use chrono::{DateTime, Utc};

use crate::domain::ids::ProfileId;
use crate::domain::{Aggregate, Area};

use super::events::Event;

/// How long a file can be downloaded, in hours (contract 4.13).
pub const HOURS_KEPT: i64 = 24;

/// The aggregate.
pub struct Export;

/// An export.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    #[default]
    Absent,
    Made {
        owner: ProfileId,
        file_name: String,
        made_at: DateTime<Utc>,
    },
    Purged,
}

impl Aggregate for Export {
    const AREA: Area = Area::Export;
    type State = State;
    type Event = Event;

    fn evolve(state: &mut State, event: &Event, occurred_at: DateTime<Utc>) {
        match event {
            Event::ExportMade { owner, file_name, .. } => {
                *state = State::Made {
                    owner: *owner,
                    file_name: file_name.clone(),
                    made_at: occurred_at,
                };
            }
            Event::ExportDownloaded {} => {}
            Event::ExportPurged {} => *state = State::Purged,
        }
    }
}
