//! The business rules: areas, their events, and the pure functions that decide and evolve. No I/O,
//! no clock and no new ids: all facts arrive in commands.

pub mod access;
pub mod attachment;
pub mod attributes;
pub mod claims;
pub mod cleansing;
pub mod codec;
pub mod consequence;
pub mod draft;
pub mod emulation;
pub mod entitlement;
pub mod export;
pub mod filter;
pub mod folding;
pub mod ids;
pub mod mailbox;
pub mod naming;
pub mod object_id;
pub mod operation;
pub mod permission;
pub mod personal;
pub mod profile;
pub mod session;
pub mod tenant;
pub mod values;

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use claims::Claim;
use ids::TenantId;

/// A kind of aggregate. Together with a tenant and an id it names a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Area {
    Tenant,
    Profile,
    Draft,
    Emulation,
    Access,
    Session,
    Export,
    Operation,
}

impl Area {
    /// Every area.
    pub const ALL: [Area; 8] = [
        Area::Tenant,
        Area::Profile,
        Area::Draft,
        Area::Emulation,
        Area::Access,
        Area::Session,
        Area::Export,
        Area::Operation,
    ];

    /// The name under which the log stores it; at most 12 bytes, never changed.
    pub const fn name(self) -> &'static str {
        match self {
            Area::Tenant => "tenant",
            Area::Profile => "profile",
            Area::Draft => "draft",
            Area::Emulation => "emulation",
            Area::Access => "access",
            Area::Session => "session",
            Area::Export => "export",
            Area::Operation => "operation",
        }
    }

    /// The area with this stored name.
    pub fn named(name: &str) -> Option<Area> {
        Area::ALL.into_iter().find(|area| area.name() == name)
    }
}

/// An aggregate: how its events become its state.
pub trait Aggregate: 'static {
    /// The area of its streams.
    const AREA: Area;
    /// Its state; the default is the state before any event.
    type State: Clone + Default + Debug + Send + Sync + 'static;
    /// Its events.
    type Event: Serialize + DeserializeOwned + Clone + Debug + Into<Event> + Send + Sync + 'static;

    /// The state after one more event. It cannot fail, since the event has happened.
    fn evolve(state: &mut Self::State, event: &Self::Event, occurred_at: DateTime<Utc>);

    /// About how many bytes of a state callers chose without a small bound, so that caches can be
    /// bounded by bytes.
    fn weight(_: &Self::State) -> usize {
        0
    }

    /// The claims of an aggregate in this state. Appending its events takes the claims that are
    /// new, and releases those that are gone.
    fn claims(_: TenantId, _id: Uuid, _: &Self::State) -> Vec<Claim> {
        vec![]
    }
}

/// The rules of an area: they turn an order into events. Events come from nowhere else.
pub trait Rules: Aggregate {
    /// Its orders.
    type Command: Clone + Send + Sync;
    /// Who gives the order, if the rules need that; otherwise `()`.
    type By<'a>: Copy + Send + Sync;
    /// Why an order is refused.
    type Refusal: std::error::Error + Send + Sync + 'static;

    /// The events of an order to the aggregate `id` in `state`; none when it changes nothing.
    ///
    /// # Errors
    /// The first reason against it.
    fn decide(
        id: Uuid,
        state: &Self::State,
        by: Self::By<'_>,
        command: Self::Command,
    ) -> Result<Vec<Self::Event>, Self::Refusal>;
}

/// An event of any area.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Tenant(tenant::Event),
    Profile(profile::Event),
    Draft(draft::Event),
    Emulation(emulation::Event),
    Access(access::Event),
    Session(session::Event),
    Export(export::Event),
    Operation(operation::Event),
}

impl Event {
    /// Reads a stored event.
    ///
    /// # Errors
    /// The area has no event of this name, or the payload does not fit.
    pub fn decode(area: Area, name: &str, payload: &str) -> Result<Event, codec::Error> {
        Ok(match area {
            Area::Tenant => Event::Tenant(codec::decode(name, payload)?),
            Area::Profile => Event::Profile(codec::decode(name, payload)?),
            Area::Draft => Event::Draft(codec::decode(name, payload)?),
            Area::Emulation => Event::Emulation(codec::decode(name, payload)?),
            Area::Access => Event::Access(codec::decode(name, payload)?),
            Area::Session => Event::Session(codec::decode(name, payload)?),
            Area::Export => Event::Export(codec::decode(name, payload)?),
            Area::Operation => Event::Operation(codec::decode(name, payload)?),
        })
    }

    /// The stored name and payload of this event.
    ///
    /// # Errors
    /// None in practice; the signature is serde's.
    pub fn encode(&self) -> Result<codec::Encoded, codec::Error> {
        match self {
            Event::Tenant(event) => codec::encode(event),
            Event::Profile(event) => codec::encode(event),
            Event::Draft(event) => codec::encode(event),
            Event::Emulation(event) => codec::encode(event),
            Event::Access(event) => codec::encode(event),
            Event::Session(event) => codec::encode(event),
            Event::Export(event) => codec::encode(event),
            Event::Operation(event) => codec::encode(event),
        }
    }
}

/// An event with where, when and by whom it happened: the input of read models.
#[derive(Clone, Debug)]
pub struct Occurred {
    pub tenant_id: TenantId,
    pub area: Area,
    pub stream_id: Uuid,
    /// Its number within the stream, from 1.
    pub version: i64,
    /// Its number within the log. Never leaves the server.
    pub position: i64,
    /// When it became true.
    pub occurred_at: DateTime<Utc>,
    /// When the log took it.
    pub recorded_at: DateTime<Utc>,
    pub real_actor_id: Uuid,
    pub effective_actor_id: Uuid,
    pub operation: &'static str,
    /// The stored name.
    pub name: String,
    pub event_id: Uuid,
    pub request_id: Uuid,
    pub correlation_id: Uuid,
    pub session_id: Option<Uuid>,
    /// The profiles that the actor acts as, outermost first, and the grant of the innermost.
    pub emulation: Vec<Uuid>,
    pub grant_id: Option<Uuid>,
    /// `http`, `mcp`, `cli` or `system`.
    pub channel: &'static str,
    pub face: &'static str,
    pub event: Event,
}
