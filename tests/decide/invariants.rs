//! What holds after any history of orders, whoever gave them and whatever changed in between.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use dossier::domain::Rules;
use dossier::domain::emulation::{Command, DEPTH_MAX, Emulation, Event, Known, Stack};
use dossier::domain::ids::{DepartmentId, GrantId};
use dossier::domain::permission::{Authority, Standing};
use dossier::domain::{Aggregate, profile};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use uuid::Uuid;

use crate::support::given::{TARGET, minutes, noon, rank};

use super::{HISTORY, NO_ROLE, PHYSICS, email, name, person, request_limit, role, standing};

/// Persons who may be in a chain; the first is the real actor.
const PEOPLE: usize = 9;
const SESSION_MINUTES: i64 = 600;

#[derive(Clone, Debug)]
enum Step {
    Grant { target: usize, ttl_minutes: i64 },
    Exit,
    Cut,
    Wait { minutes: i64 },
    Change { who: usize, known: Known },
}

/// A session, the people there are, and what happened in it.
struct World {
    now: DateTime<Utc>,
    people: Vec<Known>,
    stack: Stack,
    granted: HashSet<GrantId>,
    ended: HashSet<GrantId>,
}

impl World {
    fn new() -> World {
        let one = |number| Some(standing(person(number), "superadmin", &[]));
        World {
            now: noon(),
            people: (0..PEOPLE as u128).map(one).collect(),
            stack: Stack::default(),
            granted: HashSet::new(),
            ended: HashSet::new(),
        }
    }

    fn targets(&self) -> Vec<Known> {
        let layers = self.stack.layers.iter();
        layers.map(|layer| self.people[layer.target.0.as_u128() as usize].clone()).collect()
    }

    fn live(&self) -> usize {
        self.stack.live(self.people[0].as_ref(), &self.targets(), self.now).0
    }

    fn take(&mut self, step: Step) {
        let (real, targets, now) = (self.people[0].clone(), self.targets(), self.now);
        match step {
            Step::Grant { target, ttl_minutes } => self.grant(target, ttl_minutes),
            Step::Exit => self.order(Command::ExitEmulation { real, targets, now }),
            Step::Cut => {
                self.order(Command::CutEmulation { real, targets, granted_until: None, now })
            }
            Step::Wait { minutes } => self.now += TimeDelta::minutes(minutes),
            Step::Change { who, known } => self.people[who] = known,
        }
    }

    /// As requests do: only an active real actor makes any (contract 1.2.6), what is dead is cut
    /// first, and the innermost live layer asks.
    fn grant(&mut self, target: usize, ttl_minutes: i64) {
        self.take(Step::Cut);
        let Some(real) = self.people[0].clone().filter(|real| real.active) else { return };
        let effective = self.targets().pop().flatten().unwrap_or_else(|| real.clone());
        let number = self.granted.len() as u128;
        self.order(Command::GrantEmulation {
            grant_id: GrantId(Uuid::from_u128(number)),
            real,
            effective,
            target: self.people[target].clone(),
            ttl: TimeDelta::minutes(ttl_minutes),
            now: self.now,
            session_ends_at: minutes(SESSION_MINUTES),
        });
    }

    fn order(&mut self, command: Command) {
        for event in Emulation::decide(TARGET.0, &self.stack, (), command).unwrap_or_default() {
            match &event {
                Event::EmulationGranted { grant_id, .. } => {
                    assert!(self.granted.insert(*grant_id), "granted twice: {grant_id}");
                }
                Event::EmulationExited { grant_id }
                | Event::EmulationExpired { grant_id }
                | Event::EmulationRevoked { grant_id, .. } => {
                    assert!(self.granted.contains(grant_id), "never granted: {grant_id}");
                    assert!(self.ended.insert(*grant_id), "ended twice: {grant_id}");
                }
            }
            Emulation::evolve(&mut self.stack, &event, self.now);
        }
    }

    fn hold(&self) -> Result<(), TestCaseError> {
        let layers = &self.stack.layers;
        prop_assert!(layers.len() <= DEPTH_MAX);
        prop_assert_eq!(self.granted.len() - self.ended.len(), layers.len());
        let mut chain = HashSet::from([person(0)]);
        let mut outer = minutes(SESSION_MINUTES);
        for layer in layers {
            prop_assert!(layer.expires_at <= outer, "{layer:?} outlives {outer}");
            prop_assert!(chain.insert(layer.target), "{layer:?} twice in its chain");
            outer = layer.expires_at;
        }
        Ok(())
    }
}

fn known() -> impl Strategy<Value = (Option<&'static str>, Vec<DepartmentId>, bool)> {
    // Mostly superadmins, so that chains grow.
    let keys = ["superadmin", "superadmin", "superadmin", "admin", "member", "custom", NO_ROLE];
    (option::weighted(0.9, select(keys.to_vec())), departments(), prop::bool::weighted(0.9))
}

fn departments() -> impl Strategy<Value = Vec<DepartmentId>> {
    subsequence(vec![HISTORY, PHYSICS], 0..=2)
}

fn step() -> impl Strategy<Value = Step> {
    let change = (0..PEOPLE, known()).prop_map(|(who, (key, departments, active))| {
        let standing = |key| standing(person(who as u128), key, &departments);
        Step::Change { who, known: key.map(|key| Standing { active, ..standing(key) }) }
    });
    prop_oneof![
        12 => (0..PEOPLE, 1_i64..=480)
            .prop_map(|(target, ttl_minutes)| Step::Grant { target, ttl_minutes }),
        2 => Just(Step::Exit),
        1 => Just(Step::Cut),
        2 => (0_i64..60).prop_map(|minutes| Step::Wait { minutes }),
        2 => change,
    ]
}

proptest! {
    #[test]
    fn a_chain_is_short_ordered_in_time_without_repetition_and_ends_each_layer_once(
        steps in vec(step(), 1..60),
    ) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            world.hold()?;
        }
    }

    #[test]
    fn cutting_leaves_the_live_layers_and_a_second_time_nothing_to_cut(
        steps in vec(step(), 1..60),
    ) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            let live = world.live();
            world.take(Step::Cut);
            prop_assert_eq!(world.stack.layers.len(), live);
            prop_assert_eq!(world.live(), live);
            let ended = world.ended.len();
            world.take(Step::Cut);
            prop_assert_eq!(world.ended.len(), ended);
        }
    }

    #[test]
    fn what_is_granted_is_live_at_once_while_the_session_lasts(steps in vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            let granted = world.granted.len();
            world.take(step);
            if world.granted.len() > granted && world.now < minutes(SESSION_MINUTES) {
                prop_assert_eq!(world.live(), world.stack.layers.len());
            }
        }
    }

    #[test]
    fn leaving_ends_one_live_layer_as_long_as_there_is_one(steps in vec(step(), 1..60)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
        for left in (0..world.live()).rev() {
            world.take(Step::Exit);
            prop_assert_eq!(world.live(), left);
        }
        prop_assert_eq!(world.live(), 0);
    }
}

fn authority() -> impl Strategy<Value = Authority> {
    let keys = ["superadmin", "admin", "instructional", "member", NO_ROLE];
    let who = select(vec![TARGET, person(1), person(2)]);
    let by = (who.clone(), select(keys.to_vec()), departments(), who).prop_map(
        |(effective, key, departments, real)| Authority::Profile {
            effective: standing(effective, key, &departments),
            real,
        },
    );
    prop_oneof![1 => Just(Authority::Operator), 2 => by]
}

fn emails() -> impl Strategy<Value = Vec<dossier::domain::values::Email>> {
    let addresses = vec![email("a@x"), email("ab@x"), email("abc@x")];
    subsequence(addresses, 0..=3).prop_shuffle()
}

fn roles() -> impl Strategy<Value = Vec<dossier::domain::permission::RankedRole>> {
    let keys = ["superadmin", "admin", "member", "guest"];
    let ranked = keys.into_iter().filter_map(role).collect::<Vec<_>>();
    subsequence(ranked, 0..=3).prop_shuffle()
}

/// What an order says of attributes: a value, or that there shall be none.
fn attributes() -> impl Strategy<Value = BTreeMap<String, Option<i64>>> {
    btree_map("[abc]", option::of(0_i64..3), 0..3)
}

pub(super) fn command() -> impl Strategy<Value = profile::Command> {
    use profile::Command;
    let limit = || (1..4).prop_map(request_limit);
    let full_name = || "A{1,3}".prop_map(|text| name(&text));
    let register = (option::of(full_name()), emails(), roles(), departments(), option::of(limit()))
        .prop_map(|(name, emails, roles, departments, request_limit)| {
            Command::RegisterProfile(profile::Registration {
                name,
                emails,
                roles,
                departments,
                request_limit,
                ..profile::Registration::default()
            })
        });
    let assign_attributes = attributes().prop_map(|named| {
        let set = named.iter().filter_map(|(name, value)| Some((name, (*value)?)));
        let set = set.map(|(name, value)| (name.clone(), serde_json::json!(value).into()));
        let removed = named.iter().filter(|(_, value)| value.is_none());
        Command::AssignAttributes {
            attributes: set.collect(),
            removed: removed.map(|(name, _)| name.clone()).collect(),
        }
    });
    prop_oneof![
        2 => register,
        1 => full_name().prop_map(|name| Command::RenameProfile { name }),
        1 => emails().prop_map(|emails| Command::AssignEmails { emails }),
        1 => roles().prop_map(|roles| Command::AssignRoles { roles }),
        1 => departments().prop_map(|departments| Command::AssignDepartments { departments }),
        1 => limit().prop_map(|request_limit| Command::AssignRequestLimit { request_limit }),
        1 => Just(Command::ActivateProfile),
        1 => Just(Command::DeactivateProfile),
        2 => assign_attributes,
        1 => Just(Command::DeleteProfile),
    ]
}

fn decide(
    state: &profile::State,
    by: &Authority,
    command: &profile::Command,
) -> Vec<profile::Event> {
    let by = profile::By { authority: by, ranks: &rank };
    profile::Profile::decide(TARGET.0, state, by, command.clone()).unwrap_or_default()
}

fn evolve(state: &mut profile::State, events: &[profile::Event]) {
    for event in events {
        profile::Profile::evolve(state, event, noon());
    }
}

proptest! {
    #[test]
    fn an_order_given_again_changes_nothing_more(
        orders in vec((authority(), command()), 1..25),
    ) {
        let mut state = profile::State::default();
        for (by, command) in orders {
            let events = decide(&state, &by, &command);
            let before = state.clone();
            evolve(&mut state, &events);
            prop_assert_eq!(events.is_empty(), state == before);
            prop_assert_eq!(decide(&state, &by, &command), []);
        }
    }

    #[test]
    fn a_deleted_profile_stays_deleted(orders in vec((authority(), command()), 1..25)) {
        let mut state = profile::State::default();
        for (by, command) in orders {
            let events = decide(&state, &by, &command);
            if matches!(state, profile::State::Deleted(_)) {
                prop_assert_eq!(&events, &[]);
            }
            evolve(&mut state, &events);
        }
    }

    /// Logs may hold what today's rules would not decide: `evolve` takes all of it.
    #[test]
    fn events_with_gaps_make_a_state_once_one_registers(
        orders in vec((command(), any::<bool>()), 1..25),
    ) {
        let (mut whole, mut gappy) = (profile::State::default(), profile::State::default());
        let mut registered = false;
        for (command, kept) in &orders {
            let events = decide(&whole, &Authority::Operator, command);
            evolve(&mut whole, &events);
            if *kept {
                evolve(&mut gappy, &events);
                registered |= matches!(command, profile::Command::RegisterProfile(_))
                    && !events.is_empty();
            }
        }
        prop_assert_eq!(gappy != profile::State::Absent, registered);
    }
}
