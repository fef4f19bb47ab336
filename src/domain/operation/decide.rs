//! The rules of records: each order is recorded.

use std::convert::Infallible;

use uuid::Uuid;

use crate::domain::Rules;

use super::commands::Command;
use super::events::Event;
use super::state::Operation;

impl Rules for Operation {
    type Command = Command;
    type By<'a> = ();
    type Refusal = Infallible;

    fn decide(_: Uuid, (): &(), (): (), command: Command) -> Result<Vec<Event>, Infallible> {
        Ok(vec![match command {
            Command::RecordRefusedEmulation { target, reason } => {
                Event::EmulationRefused { target, reason: reason.to_owned() }
            }
            Command::RecordRefresh { rows_differing } => {
                Event::ReadModelsRefreshed { rows_differing }
            }
        }])
    }
}
