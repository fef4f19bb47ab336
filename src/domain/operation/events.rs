//! What can have been done or refused. Names and fields are for ever.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::ids::ProfileId;

/// A record of the area `operation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// Somebody wanted to act as another and was not let (contract 4.11).
    EmulationRefused { target: ProfileId, reason: String },
    /// The read models of the tenant were replayed and compared (contract 4.14).
    ReadModelsRefreshed {
        /// Rows that differed from the replay and were rewritten, by read model.
        rows_differing: BTreeMap<String, i64>,
    },
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Operation(event)
    }
}
