//! The grammar in which rules are tested: given what happened, when this is ordered, then that
//! follows or it is refused. No I/O, no clock: everything happens at [`noon`].

use chrono::{DateTime, TimeDelta, Utc};
use dossier::domain::Rules;
use dossier::domain::ids::ProfileId;
use dossier::domain::permission::Authority;
use dossier::domain::profile::{By, Command, Profile};
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

impl<A: for<'a> Rules<By<'a> = ()>> Given<A> {
    /// An order is given.
    pub fn when(&self, command: A::Command) -> Outcome<A> {
        Outcome(A::decide(TARGET.0, &self.state, (), command))
    }
}

impl Given<Profile> {
    /// Somebody gives an order, in the tenant that ranks roles as [`rank`] does.
    pub fn when_by(&self, (authority, command): (Authority, Command)) -> Outcome<Profile> {
        let by = By { authority: &authority, ranks: &rank };
        Outcome(Profile::decide(TARGET.0, &self.state, by, command))
    }
}

impl<A: Rules<Event: PartialEq, Refusal: PartialEq>> Outcome<A> {
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
