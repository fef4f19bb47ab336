//! The grammar in which rules are tested: given what happened, when this is ordered, then that
//! follows or it is refused. No I/O, no clock: everything happens at [`noon`].

use std::fmt::Debug;

use chrono::{DateTime, TimeDelta, Utc};
use dossier::domain::ids::ProfileId;
use dossier::domain::permission::Authority;
use dossier::domain::{Aggregate, access, draft, emulation, export, profile, session, tenant};
use uuid::Uuid;

/// The profile that orders to profiles are about.
pub const TARGET: ProfileId = ProfileId(Uuid::from_u128(0x7a7));

/// The contract's roles and their ranks (1.3), highest first.
pub const ROLES: [(&str, u8); 6] = [
    ("superadmin", 5),
    ("admin", 4),
    ("instructional", 3),
    ("member", 2),
    ("guest", 1),
    ("custom", 1),
];

/// How the tenant of these tests ranks a role.
pub fn rank(key: &str) -> Option<u8> {
    ROLES.iter().find(|(role, _)| *role == key).map(|(_, rank)| *rank)
}

/// When everything happens.
pub fn noon() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(12)
}

/// So many minutes after [`noon`].
pub fn minutes(count: i64) -> DateTime<Utc> {
    noon() + TimeDelta::minutes(count)
}

/// An area's `decide`, in one shape for all areas.
pub trait Rules: Aggregate<Event: PartialEq> {
    type Order;
    type Refusal: Debug + PartialEq;

    fn decide(state: &Self::State, order: Self::Order) -> Result<Vec<Self::Event>, Self::Refusal>;
}

/// What has happened.
pub struct Given<A: Rules> {
    pub state: A::State,
}

/// What came of an order.
pub struct Outcome<A: Rules>(Result<Vec<A::Event>, A::Refusal>);

/// What these events have made of an aggregate.
pub fn given<A: Rules>(events: impl IntoIterator<Item = A::Event>) -> Given<A> {
    let mut state = A::State::default();
    for event in events {
        A::evolve(&mut state, &event, noon());
    }
    Given { state }
}

impl<A: Rules> Given<A> {
    pub fn when(&self, order: A::Order) -> Outcome<A> {
        Outcome(A::decide(&self.state, order))
    }
}

impl<A: Rules> Outcome<A> {
    #[track_caller]
    pub fn then(self, events: impl IntoIterator<Item = A::Event>) {
        assert_eq!(self.0, Ok(events.into_iter().collect()));
    }

    #[track_caller]
    pub fn then_nothing(self) {
        self.then([]);
    }

    #[track_caller]
    pub fn refused(self, refusal: A::Refusal) {
        assert_eq!(self.0, Err(refusal));
    }
}

impl Rules for profile::Profile {
    type Order = (Authority, profile::Command);
    type Refusal = profile::Refusal;

    fn decide(
        state: &profile::State,
        (by, command): Self::Order,
    ) -> Result<Vec<profile::Event>, profile::Refusal> {
        profile::decide(TARGET, state, &by, rank, command)
    }
}

impl Rules for tenant::Tenant {
    type Order = tenant::Command;
    type Refusal = tenant::Refusal;

    fn decide(
        state: &tenant::Catalogue,
        order: tenant::Command,
    ) -> Result<Vec<tenant::Event>, tenant::Refusal> {
        tenant::decide(state, order)
    }
}

impl Rules for draft::Draft {
    type Order = draft::Command;
    type Refusal = draft::Refusal;

    fn decide(
        state: &draft::State,
        order: draft::Command,
    ) -> Result<Vec<draft::Event>, draft::Refusal> {
        draft::decide(state, order)
    }
}

impl Rules for emulation::Emulation {
    type Order = emulation::Command;
    type Refusal = emulation::Refusal;

    fn decide(
        state: &emulation::Stack,
        order: emulation::Command,
    ) -> Result<Vec<emulation::Event>, emulation::Refusal> {
        emulation::decide(state, order)
    }
}

impl Rules for access::Access {
    type Order = access::Command;
    type Refusal = access::Refusal;

    fn decide(
        state: &access::State,
        order: access::Command,
    ) -> Result<Vec<access::Event>, access::Refusal> {
        access::decide(state, order)
    }
}

impl Rules for session::Session {
    type Order = session::Command;
    type Refusal = session::Refusal;

    fn decide(
        state: &session::State,
        order: session::Command,
    ) -> Result<Vec<session::Event>, session::Refusal> {
        session::decide(state, order)
    }
}

impl Rules for export::Export {
    type Order = export::Command;
    type Refusal = export::Refusal;

    fn decide(
        state: &export::State,
        order: export::Command,
    ) -> Result<Vec<export::Event>, export::Refusal> {
        export::decide(state, order)
    }
}
