//! The events of records. Their names and fields never change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::ids::ProfileId;

/// A record of the area `operation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// An emulation was refused (contract 4.11).
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
