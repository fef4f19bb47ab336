//! A profile as it was after one of its events.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::changes::{Change, changes};
use super::events::Event;
use super::state::{Profile, State};
use crate::domain::Aggregate;

/// A profile after a number of its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Past {
    pub state: State,
    /// How many events.
    pub version: i64,
    /// The version of the last event that changed a field; 0 before the first.
    pub changed_version: i64,
}

/// What an event changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The state before the event.
    pub before: State,
    /// The fields that it changed, at least one, sorted.
    pub changes: Vec<Change>,
}

impl Past {
    /// Adds the event with this version. Returns what it changed; None when no field differs.
    pub fn step(&mut self, event: &Event, version: i64, at: DateTime<Utc>) -> Option<Step> {
        self.version = version;
        if !event.changes_fields() {
            Profile::evolve(&mut self.state, event, at);
            return None;
        }
        let before = self.state.clone();
        Profile::evolve(&mut self.state, event, at);
        let changes = changes(&before, &self.state);
        if changes.is_empty() {
            return None;
        }
        self.changed_version = version;
        Some(Step { before, changes })
    }
}
