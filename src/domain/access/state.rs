//! What an API key's events have made of it.

use chrono::{DateTime, Utc};

use crate::domain::{Aggregate, Area};

use super::events::Event;

/// The aggregate.
pub struct Access;

/// An API key.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    #[default]
    Absent,
    Issued {
        name: String,
        expires_at: Option<DateTime<Utc>>,
    },
    Revoked,
}

impl State {
    /// Whether it entitles anybody now.
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        match self {
            State::Issued { expires_at, .. } => expires_at.is_none_or(|end| now < end),
            State::Absent | State::Revoked => false,
        }
    }
}

impl Aggregate for Access {
    const AREA: Area = Area::Access;
    type State = State;
    type Event = Event;

    fn of(event: &crate::domain::Event) -> Option<&Event> {
        match event {
            crate::domain::Event::Access(event) => Some(event),
            _ => None,
        }
    }

    fn evolve(state: &mut State, event: &Event, _: DateTime<Utc>) {
        *state = match event {
            Event::ApiKeyIssued { name, expires_at } => {
                State::Issued { name: name.clone(), expires_at: *expires_at }
            }
            Event::ApiKeyRevoked {} => State::Revoked,
        };
    }
}
