//! The state of an API key or an access token.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::claims::Claim;
use crate::domain::ids::TenantId;
use crate::domain::{Aggregate, Area};

use super::events::{AccessToken, Event};

/// The aggregate.
pub struct Access;

/// An API key or an access token.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    #[default]
    Absent,
    Issued {
        name: String,
        expires_at: Option<DateTime<Utc>>,
    },
    Token(AccessToken),
    Revoked,
}

impl State {
    /// The access token, if it is one and is valid now.
    pub fn valid_token(&self, now: DateTime<Utc>) -> Option<&AccessToken> {
        match self {
            State::Token(token) if token.expires_at.is_none_or(|end| now < end) => Some(token),
            State::Token(_) | State::Absent | State::Issued { .. } | State::Revoked => None,
        }
    }

    /// Whether it is an API key that is valid now.
    pub fn is_valid(&self, now: DateTime<Utc>) -> bool {
        match self {
            State::Issued { expires_at, .. } => expires_at.is_none_or(|end| now < end),
            State::Absent | State::Token(_) | State::Revoked => false,
        }
    }
}

impl Aggregate for Access {
    const AREA: Area = Area::Access;
    type State = State;
    type Event = Event;

    /// The claim on an API key's name, while it is valid. Claims on secrets are not here, since
    /// states do not hold secrets.
    fn claims(tenant: TenantId, _: Uuid, state: &State) -> Vec<Claim> {
        match state {
            State::Issued { name, .. } => vec![Claim::api_key_name(tenant, name)],
            State::Absent | State::Token(_) | State::Revoked => vec![],
        }
    }

    fn evolve(state: &mut State, event: &Event, _: DateTime<Utc>) {
        *state = match event {
            Event::AccessTokenReasserted { application, master } => {
                let State::Token(token) = state else { return };
                token.application = Some(application.clone());
                token.master = *master;
                return;
            }
            Event::ApiKeyIssued { name, expires_at } => {
                State::Issued { name: name.clone(), expires_at: *expires_at }
            }
            Event::AccessTokenIssued(token) => State::Token(token.clone()),
            Event::ApiKeyRevoked {} | Event::AccessTokenDeleted {} => State::Revoked,
        };
    }
}
