//! Layers judged again on each request (contract 4.11): the first dead one cuts itself and
//! everything inside it, and goes on record with its reason.

use chrono::{DateTime, TimeDelta, Utc};
use dossier::domain::Rules;
use dossier::domain::emulation::{Command, Death, Emulation, Event, Known, Stack};
use dossier::domain::permission::Standing;
use uuid::Uuid;

use crate::support::given::{given, minutes, noon};

use super::emulation::{ROOT, grant_id, granted, layers, superadmin};
use super::{HISTORY, NO_ROLE, PHYSICS, person, standing};

/// A superadmin as an admin as an instructional as a member, all of one department.
fn chain() -> (Standing, [Standing; 3]) {
    let one = |number, key| standing(person(number), key, &[HISTORY]);
    (one(ROOT, "superadmin"), [one(11, "admin"), one(12, "instructional"), one(13, "member")])
}

fn judge(change: impl FnOnce(&mut Known, &mut [Known; 3])) -> (usize, Option<Death>) {
    let (real, targets) = chain();
    let (mut real, mut targets) = (Some(real), targets.map(Some));
    change(&mut real, &mut targets);
    given::<Emulation>(layers(3)).state.live(real.as_ref(), &targets, noon())
}

fn of(known: &mut Known) -> &mut Standing {
    known.as_mut().expect("a standing of the chain")
}

fn cut(stack: Vec<Event>, targets: Vec<Known>, now: DateTime<Utc>) -> Vec<Event> {
    let (real, _) = chain();
    let command = Command::CutEmulation { real: Some(real), targets, granted_until: None, now };
    let stack = given::<Emulation>(stack).state;
    Emulation::decide(Uuid::nil(), &stack, (), command).expect("cutting is never refused")
}

fn expired(number: u128) -> Event {
    Event::EmulationExpired { grant_id: grant_id(number) }
}

fn revoked(number: u128, reason: &str) -> Event {
    Event::EmulationRevoked { grant_id: grant_id(number), reason: reason.to_owned() }
}

#[test]
fn layers_live_while_everything_they_stand_on_holds() {
    assert_eq!(judge(|_, _| ()), (3, None));
}

#[test]
fn an_empty_stack_has_no_dead_layer() {
    assert_eq!(Stack::default().live(None, &[], noon()), (0, None));
    assert_eq!(Stack::default().live(Some(&superadmin(ROOT)), &[], noon()), (0, None));
}

#[test]
fn the_first_dead_layer_cuts_those_inside_it() {
    for depth in 0..3 {
        let inactive = judge(|_, targets| of(&mut targets[depth]).active = false);
        assert_eq!(inactive, (depth, Some(Death::TargetInactive)));
        let deleted = judge(|_, targets| targets[depth] = None);
        assert_eq!(deleted, (depth, Some(Death::TargetInactive)));
    }
}

#[test]
fn the_outermost_of_several_dead_layers_counts() {
    let death = judge(|_, targets| {
        targets[2] = None;
        of(&mut targets[1]).departments = vec![PHYSICS];
    });
    assert_eq!(death, (1, Some(Death::AccessLost)));
}

#[test]
fn a_layer_whose_target_nobody_knows_is_dead() {
    let stack = given::<Emulation>(layers(2)).state;
    let known = [Some(superadmin(11))];
    let live = stack.live(Some(&superadmin(ROOT)), &known, noon());
    assert_eq!(live, (1, Some(Death::TargetInactive)));
}

#[test]
fn no_layer_survives_a_real_actor_who_is_inactive_or_gone() {
    let inactive = judge(|real, _| of(real).active = false);
    assert_eq!(inactive, (0, Some(Death::RealActorInactive)));
    assert_eq!(judge(|real, _| *real = None), (0, Some(Death::RealActorInactive)));
}

#[test]
fn a_layer_dies_when_the_real_actors_role_allows_it_no_more() {
    // An admin may act as the instructional and below, but not as another admin.
    let demoted = judge(|real, _| *real = Some(standing(person(ROOT), "admin", &[HISTORY])));
    assert_eq!(demoted, (0, Some(Death::RoleNotAllowed)));
    let without = judge(|real, _| of(real).role = None);
    assert_eq!(without, (0, Some(Death::RoleNotAllowed)));
}

#[test]
fn a_layer_dies_when_the_role_outside_it_allows_it_no_more() {
    for key in ["member", "guest", "custom", NO_ROLE] {
        let death = judge(|_, targets| {
            targets[1] = Some(standing(person(12), key, &[HISTORY]));
        });
        let expected = match key {
            // Still acted as by the admin outside, but acting as the member no more.
            "member" | "guest" => (2, Some(Death::RoleNotAllowed)),
            _ => (1, Some(Death::RoleNotAllowed)),
        };
        assert_eq!(death, expected, "{key}");
    }
}

#[test]
fn a_layer_dies_when_its_target_rises_above_those_outside() {
    let risen = judge(|_, targets| {
        targets[2] = Some(standing(person(13), "instructional", &[HISTORY]));
    });
    assert_eq!(risen, (2, Some(Death::RoleNotAllowed)));
    let custom = judge(|_, targets| {
        targets[2] = Some(standing(person(13), "custom", &[HISTORY]));
    });
    assert_eq!(custom, (2, Some(Death::RoleNotAllowed)));
}

#[test]
fn a_layer_dies_when_the_one_outside_sees_its_target_no_more() {
    let moved = judge(|_, targets| of(&mut targets[2]).departments = vec![PHYSICS]);
    assert_eq!(moved, (2, Some(Death::AccessLost)));
    let outside = judge(|_, targets| of(&mut targets[0]).departments = vec![]);
    assert_eq!(outside, (1, Some(Death::AccessLost)));
    let open = judge(|_, targets| of(&mut targets[2]).departments = vec![]);
    assert_eq!(open, (3, None));
}

#[test]
fn a_layer_dies_when_the_real_actor_sees_its_target_no_more() {
    let admin = |number, departments| standing(person(number), "admin", departments);
    let targets = [Some(standing(person(11), "instructional", &[HISTORY, PHYSICS]))];
    let inner = Some(standing(person(12), "member", &[PHYSICS]));
    let targets = [targets[0].clone(), inner];
    let stack = given::<Emulation>(layers(2)).state;
    let both = admin(ROOT, &[HISTORY, PHYSICS]);
    assert_eq!(stack.live(Some(&both), &targets, noon()), (2, None));
    let history = admin(ROOT, &[HISTORY]);
    let live = stack.live(Some(&history), &targets, noon());
    assert_eq!(live, (1, Some(Death::AccessLost)));
}

#[test]
fn a_layer_lives_until_the_instant_of_its_end() {
    let (real, targets) = chain();
    let targets = targets.map(Some);
    let stack = given::<Emulation>(layers(3)).state;
    let before = minutes(60) - TimeDelta::nanoseconds(1);
    assert_eq!(stack.live(Some(&real), &targets, before), (3, None));
    let at = stack.live(Some(&real), &targets, minutes(60));
    assert_eq!(at, (0, Some(Death::Expired)));
}

#[test]
fn an_expired_outer_layer_takes_along_inner_ones_that_say_to_last() {
    let stack = vec![granted(11, minutes(10)), granted(12, minutes(20))];
    let targets = vec![Some(superadmin(11)), Some(superadmin(12))];
    let events = cut(stack, targets, minutes(10));
    assert_eq!(events, [expired(12), expired(11)]);
}

#[test]
fn only_the_inner_layer_expires_when_the_outer_one_lasts() {
    let stack = vec![granted(11, minutes(20)), granted(12, minutes(10))];
    let targets = vec![Some(superadmin(11)), Some(superadmin(12))];
    assert_eq!(cut(stack, targets, minutes(10)), [expired(12)]);
}

#[test]
fn cut_layers_go_on_record_innermost_first_with_the_reason_of_the_first_dead_one() {
    let (_, targets) = chain();
    let mut targets = targets.map(Some).to_vec();
    targets[0] = None;
    let expected = [13, 12, 11].map(|number| revoked(number, "target_inactive"));
    assert_eq!(cut(layers(3), targets, noon()), expected);
}

#[test]
fn a_layer_inside_a_revoked_one_that_has_expired_too_is_recorded_as_expired() {
    let stack = vec![granted(11, minutes(20)), granted(12, minutes(10))];
    let targets = vec![None, Some(superadmin(12))];
    let expected = [expired(12), revoked(11, "target_inactive")];
    assert_eq!(cut(stack, targets, minutes(10)), expected);
}

#[test]
fn cutting_what_lives_changes_nothing() {
    let (_, targets) = chain();
    assert_eq!(cut(layers(3), targets.map(Some).to_vec(), noon()), []);
    assert_eq!(cut(vec![], vec![], noon()), []);
}

#[test]
fn cutting_twice_cuts_once() {
    let (_, targets) = chain();
    let known = targets.clone().map(Some).to_vec();
    let dead = vec![known[0].clone(), None, known[2].clone()];
    let mut stack = layers(3);
    stack.extend(cut(stack.clone(), dead, noon()));
    assert_eq!(cut(stack, known[..1].to_vec(), noon()), []);
}

#[test]
fn ended_layers_are_off_the_stack_whatever_ended_them() {
    let exited = Event::EmulationExited { grant_id: grant_id(13) };
    let mut events = layers(3);
    for (end, left) in [(exited, 2), (expired(12), 1), (revoked(11, "access_lost"), 0)] {
        events.push(end);
        assert_eq!(given::<Emulation>(events.clone()).state.layers.len(), left);
    }
}

#[test]
fn a_layer_remembers_when_it_was_granted_and_by_whom() {
    let stack = given::<Emulation>(layers(1)).state;
    assert_eq!(stack.real_actor, Some(person(ROOT)));
    assert_eq!(stack.layers[0].granted_at, noon());
}

#[test]
fn reasons_are_stable() {
    let deaths = [
        (Death::Expired, "expired"),
        (Death::RealActorInactive, "real_actor_inactive"),
        (Death::TargetInactive, "target_inactive"),
        (Death::RoleNotAllowed, "role_not_allowed"),
        (Death::AccessLost, "access_lost"),
    ];
    for (death, reason) in deaths {
        assert_eq!(death.reason(), reason);
    }
}
