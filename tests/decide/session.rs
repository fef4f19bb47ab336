//! Sessions: opened once for one actor, over at their end or when they are ended.

use chrono::TimeDelta;
use dossier::domain::session::{Command, Event, HOURS_MAX, Refusal, Session};

use crate::support::given::{given, minutes, noon};

use super::person;

fn open() -> Command {
    Command::OpenSession { real_actor: person(1), expires_at: minutes(60) }
}

fn opened() -> Event {
    Event::SessionOpened { real_actor: person(1), expires_at: minutes(60) }
}

fn ended() -> Event {
    Event::SessionEnded { reason: "expired".to_owned() }
}

#[test]
fn a_session_is_opened_for_its_real_actor() {
    given::<Session>([]).when(open()).then([opened()]);
}

#[test]
fn a_session_is_opened_only_once() {
    given::<Session>([opened()]).when(open()).refused(Refusal::AlreadyOpened);
    given::<Session>([opened(), ended()]).when(open()).refused(Refusal::AlreadyOpened);
}

#[test]
fn an_open_session_can_be_ended() {
    let end = Command::EndSession { reason: "expired" };
    given::<Session>([opened()]).when(end).then([ended()]);
}

#[test]
fn ending_what_is_not_open_changes_nothing() {
    let end = || Command::EndSession { reason: "owner_deleted" };
    given::<Session>([]).when(end()).then_nothing();
    given::<Session>([opened(), ended()]).when(end()).then_nothing();
}

#[test]
fn a_session_is_open_until_the_instant_of_its_end() {
    let session = given::<Session>([opened()]).state;
    assert_eq!(session.open_until(minutes(60) - TimeDelta::nanoseconds(1)), Some(minutes(60)));
    assert_eq!(session.open_until(minutes(60)), None);
}

#[test]
fn a_session_that_was_not_opened_or_has_ended_is_not_open() {
    assert_eq!(given::<Session>([]).state.open_until(noon()), None);
    assert_eq!(given::<Session>([opened(), ended()]).state.open_until(noon()), None);
}

#[test]
fn a_session_lasts_a_day_at_most() {
    assert_eq!(HOURS_MAX, 24);
}
