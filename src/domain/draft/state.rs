//! The state of a draft.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::ids::{ProfileId, SessionId};
use crate::domain::{Aggregate, Area};

use super::events::{Event, Form};

/// The aggregate.
pub struct Draft;

/// A draft.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Number of saves; 0 before the first.
    pub version: i64,
    pub owner: ProfileId,
    pub session: SessionId,
    pub group: Uuid,
    pub mcp: bool,
    pub form: Form,
    pub created_at: DateTime<Utc>,
    pub saved_at: DateTime<Utc>,
    pub closed: bool,
}

impl State {
    /// Whether its owner can continue it.
    pub fn is_open(&self) -> bool {
        self.version > 0 && !self.closed
    }
}

impl Aggregate for Draft {
    const AREA: Area = Area::Draft;
    type State = State;
    type Event = Event;

    fn evolve(state: &mut State, event: &Event, occurred_at: DateTime<Utc>) {
        match event {
            Event::DraftSaved { owner, session, group, mcp, form } => {
                if state.version == 0 {
                    state.created_at = occurred_at;
                }
                state.version += 1;
                state.owner = *owner;
                state.session = *session;
                state.group = *group;
                state.mcp = *mcp;
                state.form.clone_from(form);
                state.saved_at = occurred_at;
            }
            Event::DraftClosed { .. } => state.closed = true,
        }
    }
}
