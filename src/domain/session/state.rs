//! The state of a session.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::claims::{Bearer, Claim};
use crate::domain::ids::{ProfileId, TenantId, ValueId};
use crate::domain::{Aggregate, Area};

use super::events::Event;

/// Longest life of a session, in hours (contract 1.2).
pub const HOURS_MAX: i64 = 24;

/// The aggregate.
pub struct Session;

/// A session.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    #[default]
    Absent,
    Open {
        real_actor: ProfileId,
        expires_at: DateTime<Utc>,
    },
    Ticket {
        profile: ProfileId,
        issued_at: DateTime<Utc>,
    },
    Remembered {
        profile: ProfileId,
        remembered_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    },
    Verification {
        profile: ProfileId,
        email_id: Option<ValueId>,
        issued_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    },
    Ended,
}

impl State {
    /// When its time is over, if it is open now.
    pub fn open_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            State::Open { expires_at, .. } if now < *expires_at => Some(*expires_at),
            _ => None,
        }
    }
}

impl Aggregate for Session {
    const AREA: Area = Area::Session;
    type State = State;
    type Event = Event;

    /// The claim on its secret, unless the session is found by its actor: see [`Claim::bearer`].
    fn claims(tenant: TenantId, id: Uuid, state: &State) -> Vec<Claim> {
        let (bearer, expires_at) = match state {
            State::Ticket { .. } => (Bearer::Ticket, None),
            State::Remembered { expires_at, .. } => (Bearer::RememberedLogIn, Some(*expires_at)),
            State::Verification { expires_at, .. } => (Bearer::Verification, Some(*expires_at)),
            State::Absent | State::Open { .. } | State::Ended => return vec![],
        };
        vec![Claim::bearer(bearer, tenant, id, expires_at)]
    }

    fn evolve(state: &mut State, event: &Event, occurred_at: DateTime<Utc>) {
        *state = match *event {
            Event::SessionOpened { real_actor, expires_at } => {
                State::Open { real_actor, expires_at }
            }
            Event::TicketIssued { profile } => State::Ticket { profile, issued_at: occurred_at },
            Event::LogInRemembered { profile, expires_at } => {
                State::Remembered { profile, remembered_at: occurred_at, expires_at }
            }
            Event::LogInTokenRotated {} => return,
            Event::VerificationIssued { profile, email_id, expires_at } => {
                State::Verification { profile, email_id, issued_at: occurred_at, expires_at }
            }
            Event::SessionEnded { .. } => State::Ended,
        };
    }
}
