//! Granting and leaving emulations (contract 4.11, 4.12): what refuses a grant, in which order,
//! how long it lasts, and that leaving needs no right. What a layer stands on later:
//! `emulation_layers.rs`.

use chrono::{DateTime, TimeDelta, Utc};
use dossier::domain::emulation::{Command, DEPTH_MAX, Emulation, Event, Known, Refusal};
use dossier::domain::ids::GrantId;
use dossier::domain::permission::Standing;
use uuid::Uuid;

use crate::support::given::{ROLES, given, minutes, noon};

use super::{HISTORY, NO_ROLE, PHYSICS, person, standing};

pub(super) const ROOT: u128 = 1;
const TARGET: u128 = 99;

pub(super) fn grant_id(number: u128) -> GrantId {
    GrantId(Uuid::from_u128(number))
}

/// A layer of its own number as grant, granted at noon.
pub(super) fn granted(target: u128, expires_at: DateTime<Utc>) -> Event {
    Event::EmulationGranted {
        grant_id: grant_id(target),
        real_actor: person(ROOT),
        target: person(target),
        expires_at,
    }
}

/// That many layers, all of them of superadmins; the outermost is of person 11.
pub(super) fn layers(count: u128) -> Vec<Event> {
    (1..=count).map(|depth| granted(10 + depth, minutes(60))).collect()
}

pub(super) fn superadmin(number: u128) -> Standing {
    standing(person(number), "superadmin", &[])
}

/// A grant as asked of a stack of `depth` layers by superadmins only.
struct Grant {
    real: Standing,
    effective: Standing,
    target: Known,
    ttl: TimeDelta,
    now: DateTime<Utc>,
    session_ends_at: DateTime<Utc>,
}

impl Grant {
    fn at(depth: u128) -> Grant {
        Grant {
            real: superadmin(ROOT),
            effective: if depth == 0 { superadmin(ROOT) } else { superadmin(10 + depth) },
            target: Some(standing(person(TARGET), "member", &[])),
            ttl: TimeDelta::minutes(30),
            now: noon(),
            session_ends_at: minutes(24 * 60),
        }
    }

    fn by(by: Standing) -> Grant {
        Grant { real: by.clone(), effective: by, ..Grant::at(0) }
    }

    fn of(self, target: Standing) -> Grant {
        Grant { target: Some(target), ..self }
    }

    fn order(self) -> Command {
        let Grant { real, effective, target, ttl, now, session_ends_at } = self;
        let grant_id = grant_id(TARGET);
        Command::GrantEmulation { grant_id, real, effective, target, ttl, now, session_ends_at }
    }
}

/// Seen by everybody, but inactive, and of a role that nobody may act as.
fn unfit(number: u128) -> Standing {
    Standing { active: false, ..standing(person(number), "custom", &[]) }
}

fn hidden(number: u128) -> Standing {
    Standing { departments: vec![PHYSICS], ..unfit(number) }
}

#[test]
fn a_grant_names_its_root_its_target_and_its_end() {
    given::<Emulation>([]).when(Grant::at(0).order()).then([granted(TARGET, minutes(30))]);
}

#[test]
fn one_who_does_not_exist_cannot_be_acted_as() {
    let order = Grant { target: None, ..Grant::at(0) }.order();
    given::<Emulation>([]).when(order).refused(Refusal::TargetNotFound);
}

#[test]
fn the_effective_and_the_real_actor_must_both_see_the_target() {
    let sees = |number| standing(person(number), "admin", &[PHYSICS]);
    let blind = |number| standing(person(number), "admin", &[HISTORY]);
    let target = standing(person(TARGET), "member", &[PHYSICS]);
    let stack = given::<Emulation>(layers(1));
    for (real, effective) in [(blind(ROOT), sees(11)), (sees(ROOT), blind(11))] {
        let grant = Grant { real, effective, ..Grant::at(1) }.of(target.clone());
        stack.when(grant.order()).refused(Refusal::TargetNotFound);
    }
    let grant = Grant { real: sees(ROOT), effective: sees(11), ..Grant::at(1) }.of(target);
    stack.when(grant.order()).then([granted(TARGET, minutes(30))]);
}

#[test]
fn nobody_acts_as_oneself() {
    let grant = Grant::at(0).of(superadmin(ROOT));
    given::<Emulation>([]).when(grant.order()).refused(Refusal::SelfTarget);
    let grant = Grant::at(2).of(superadmin(12));
    given::<Emulation>(layers(2)).when(grant.order()).refused(Refusal::SelfTarget);
}

#[test]
fn nobody_is_in_a_chain_twice() {
    let stack = given::<Emulation>(layers(3));
    for number in [ROOT, 11, 12] {
        let grant = Grant::at(3).of(superadmin(number));
        stack.when(grant.order()).refused(Refusal::Cycle);
    }
}

#[test]
fn one_who_was_left_can_be_acted_as_again() {
    let mut events = layers(2);
    events.push(Event::EmulationExited { grant_id: grant_id(12) });
    let again = Grant::at(1).of(superadmin(12)).order();
    let expected = Event::EmulationGranted {
        grant_id: grant_id(TARGET),
        real_actor: person(ROOT),
        target: person(12),
        expires_at: minutes(30),
    };
    given::<Emulation>(events).when(again).then([expected]);
}

#[test]
fn a_chain_has_five_layers_at_most() {
    assert_eq!(DEPTH_MAX, 5);
    let fifth = Grant::at(4).order();
    given::<Emulation>(layers(4)).when(fifth).then([granted(TARGET, minutes(30))]);
    let sixth = Grant::at(5).order();
    given::<Emulation>(layers(5)).when(sixth).refused(Refusal::MaxDepth);
}

#[test]
fn one_who_is_inactive_cannot_be_acted_as() {
    let inactive = Standing { active: false, ..standing(person(TARGET), "member", &[]) };
    let grant = Grant::at(0).of(inactive);
    given::<Emulation>([]).when(grant.order()).refused(Refusal::TargetInactive);
}

#[test]
fn the_effective_and_the_real_role_must_both_allow_the_targets() {
    let key = |number, key| standing(person(number), key, &[]);
    let stack = given::<Emulation>(layers(1));
    for (real, effective, target, allowed) in [
        ("superadmin", "superadmin", "superadmin", true),
        ("superadmin", "superadmin", "custom", false),
        ("superadmin", "admin", "instructional", true),
        ("superadmin", "admin", "admin", false),
        ("superadmin", "instructional", "member", true),
        ("superadmin", "instructional", "instructional", false),
        ("superadmin", "member", "guest", false),
        ("admin", "superadmin", "admin", false),
        ("admin", "superadmin", "instructional", true),
        ("instructional", "superadmin", "instructional", false),
        ("member", "superadmin", "guest", false),
        (NO_ROLE, "superadmin", "guest", false),
        ("superadmin", NO_ROLE, "guest", false),
        ("superadmin", "superadmin", NO_ROLE, false),
    ] {
        let grant = Grant { real: key(ROOT, real), effective: key(11, effective), ..Grant::at(1) };
        let outcome = stack.when(grant.of(key(TARGET, target)).order());
        if allowed {
            outcome.then([granted(TARGET, minutes(30))]);
        } else {
            outcome.refused(Refusal::RoleNotAllowed);
        }
    }
}

#[test]
fn at_the_root_a_grant_goes_by_scoped_roles() {
    let scoped = |by: &str| match by {
        "superadmin" => vec!["superadmin", "admin", "instructional", "member", "guest"],
        "admin" => vec!["instructional", "member", "guest"],
        "instructional" => vec!["member", "guest"],
        _ => vec![],
    };
    for (by, _) in ROLES {
        for (key, _) in ROLES {
            let grant = Grant::by(standing(person(ROOT), by, &[]));
            let order = grant.of(standing(person(TARGET), key, &[])).order();
            let outcome = given::<Emulation>([]).when(order);
            if scoped(by).contains(&key) {
                outcome.then([granted(TARGET, minutes(30))]);
            } else {
                outcome.refused(Refusal::RoleNotAllowed);
            }
        }
    }
}

/// Each target is refused for one reason and would be for every later one.
#[test]
fn the_first_failing_check_names_the_reason() {
    let instructional = |number| standing(person(number), "instructional", &[HISTORY]);
    let full = |target: Standing| {
        let (real, effective) = (instructional(ROOT), instructional(15));
        let grant = Grant { real, effective, ..Grant::at(5) }.of(target);
        given::<Emulation>(layers(5)).when(grant.order())
    };
    full(hidden(11)).refused(Refusal::TargetNotFound);
    full(hidden(15)).refused(Refusal::TargetNotFound);
    full(hidden(ROOT)).refused(Refusal::TargetNotFound);
    full(unfit(15)).refused(Refusal::SelfTarget);
    full(unfit(11)).refused(Refusal::Cycle);
    full(unfit(ROOT)).refused(Refusal::Cycle);
    full(unfit(TARGET)).refused(Refusal::MaxDepth);
    let shallow = |target: Standing| {
        let order = Grant::by(instructional(ROOT)).of(target).order();
        given::<Emulation>([]).when(order)
    };
    shallow(unfit(TARGET)).refused(Refusal::TargetInactive);
    shallow(Standing { active: true, ..unfit(TARGET) }).refused(Refusal::RoleNotAllowed);
}

#[test]
fn a_grant_lasts_as_long_as_asked_when_nothing_ends_sooner() {
    let order = Grant { ttl: TimeDelta::minutes(480), ..Grant::at(0) }.order();
    given::<Emulation>([]).when(order).then([granted(TARGET, minutes(480))]);
}

#[test]
fn a_grant_never_outlives_its_session() {
    for (session_ends_at, expected) in [(29, 29), (30, 30), (31, 30)] {
        let session_ends_at = minutes(session_ends_at);
        let order = Grant { session_ends_at, ..Grant::at(0) }.order();
        given::<Emulation>([]).when(order).then([granted(TARGET, minutes(expected))]);
    }
}

#[test]
fn an_inner_layer_never_outlives_an_outer_one() {
    for (outer_ends_at, expected) in [(29, 29), (30, 30), (31, 30)] {
        let stack = given::<Emulation>([granted(11, minutes(outer_ends_at))]);
        stack.when(Grant::at(1).order()).then([granted(TARGET, minutes(expected))]);
    }
}

#[test]
fn an_inner_layer_outlives_neither_the_outermost_layer_nor_the_session() {
    let stack = given::<Emulation>([granted(11, minutes(40)), granted(12, minutes(20))]);
    stack.when(Grant::at(2).order()).then([granted(TARGET, minutes(20))]);
    let order = Grant { session_ends_at: minutes(10), ..Grant::at(2) }.order();
    stack.when(order).then([granted(TARGET, minutes(10))]);
}

/// Standings of the targets of [`layers`], all fit.
fn targets(count: u128) -> Vec<Known> {
    (1..=count).map(|depth| Some(superadmin(10 + depth))).collect()
}

fn exit(targets: Vec<Known>) -> Command {
    Command::ExitEmulation { real: Some(superadmin(ROOT)), targets, now: noon() }
}

fn exited(number: u128) -> Event {
    Event::EmulationExited { grant_id: grant_id(number) }
}

fn revoked(number: u128, reason: &str) -> Event {
    Event::EmulationRevoked { grant_id: grant_id(number), reason: reason.to_owned() }
}

#[test]
fn leaving_takes_the_innermost_layer_only() {
    let mut events = layers(3);
    given::<Emulation>(events.clone()).when(exit(targets(3))).then([exited(13)]);
    events.push(exited(13));
    given::<Emulation>(events).when(exit(targets(2))).then([exited(12)]);
}

#[test]
fn one_who_acts_as_nobody_leaves_nothing() {
    given::<Emulation>([]).when(exit(vec![])).refused(Refusal::NotEmulating);
    let mut events = layers(1);
    events.push(exited(11));
    given::<Emulation>(events).when(exit(vec![])).refused(Refusal::NotEmulating);
}

#[test]
fn leaving_cuts_the_dead_layers_and_takes_the_innermost_live_one() {
    let mut known = targets(3);
    known[2] = None;
    let expected = [revoked(13, "target_inactive"), exited(12)];
    given::<Emulation>(layers(3)).when(exit(known)).then(expected);
}

#[test]
fn leaving_when_every_layer_is_dead_leaves_nothing() {
    let mut known = targets(2);
    known[0] = Some(Standing { active: false, ..superadmin(11) });
    given::<Emulation>(layers(2)).when(exit(known)).refused(Refusal::NotEmulating);
    let late = Command::ExitEmulation {
        real: Some(superadmin(ROOT)),
        targets: targets(2),
        now: minutes(60),
    };
    given::<Emulation>(layers(2)).when(late).refused(Refusal::NotEmulating);
}

#[test]
fn leaving_needs_no_right_of_the_effective_profile() {
    let guest = standing(person(11), "guest", &[]);
    given::<Emulation>(layers(1)).when(exit(vec![Some(guest)])).then([exited(11)]);
}

#[test]
fn refusals_have_the_reasons_of_the_contract() {
    let refusals = [
        Refusal::TargetNotFound,
        Refusal::SelfTarget,
        Refusal::Cycle,
        Refusal::MaxDepth,
        Refusal::TargetInactive,
        Refusal::RoleNotAllowed,
        Refusal::NotEmulating,
    ];
    let codes = [
        "target_not_found",
        "self",
        "cycle",
        "max_depth",
        "target_inactive",
        "role_not_allowed",
        "not_emulating",
    ];
    assert_eq!(refusals.map(|refusal| refusal.code()), codes);
}
