//! Drafts (contract 4.7): one version a save, for one owner, and a lost answer may be asked again.

use dossier::domain::draft::{Command, Draft, Event, Form, Refusal};
use dossier::domain::ids::SessionId;
use uuid::Uuid;

use crate::support::given::{given, noon};

use super::{HISTORY, email, name, person, request_limit};

const OWNER: u128 = 1;
const STRANGER: u128 = 2;
const SESSION: SessionId = SessionId(Uuid::from_u128(0x5e));
const OTHER_SESSION: SessionId = SessionId(Uuid::from_u128(0x5f));
const GROUP: Uuid = Uuid::from_u128(0x60);

fn form(full_name: &str) -> Form {
    Form { name: Some(name(full_name)), ..Form::default() }
}

fn full_form() -> Form {
    Form {
        name: Some(name("Ada")),
        emails: vec![email("ada@example.com")],
        roles: vec!["member".to_owned()],
        departments: vec![HISTORY],
        request_limit: Some(request_limit(10)),
        active: Some(true),
    }
}

fn saved(form: Form) -> Event {
    Event::DraftSaved { owner: person(OWNER), session: SESSION, group: GROUP, mcp: false, form }
}

fn closed() -> Event {
    Event::DraftClosed { reason: "expired".to_owned() }
}

fn save(expected_version: i64, form: Form) -> Command {
    save_by(OWNER, expected_version, form)
}

fn save_by(owner: u128, expected_version: i64, form: Form) -> Command {
    Command::SaveDraft {
        owner: person(owner),
        session: SESSION,
        group: GROUP,
        mcp: false,
        expected_version,
        form,
    }
}

#[test]
fn the_first_save_starts_a_draft_at_version_one() {
    given::<Draft>([]).when(save(0, full_form())).then([saved(full_form())]);
    let draft = given::<Draft>([saved(full_form())]).state;
    assert_eq!((draft.version, draft.form.clone()), (1, full_form()));
    assert_eq!((draft.created_at, draft.saved_at), (noon(), noon()));
    assert!(draft.is_open());
}

#[test]
fn a_draft_that_nobody_saved_is_not_open() {
    assert!(!given::<Draft>([]).state.is_open());
}

#[test]
fn a_new_draft_starts_from_version_zero_only() {
    for expected in [-1, 1] {
        let refusal = Refusal::VersionConflict { current_version: 0 };
        given::<Draft>([]).when(save(expected, form("Ada"))).refused(refusal);
    }
}

#[test]
fn a_save_at_the_current_version_makes_the_next_one() {
    let draft = given::<Draft>([saved(form("Ada")), saved(form("Ada L."))]);
    draft.when(save(2, form("Ada Lovelace"))).then([saved(form("Ada Lovelace"))]);
}

#[test]
fn what_a_save_leaves_out_is_empty_afterwards() {
    let draft = given::<Draft>([saved(full_form()), saved(Form::default())]).state;
    assert_eq!((draft.version, draft.form), (2, Form::default()));
}

#[test]
fn a_save_of_what_is_there_already_is_a_version_too() {
    given::<Draft>([saved(form("Ada"))]).when(save(1, form("Ada"))).then([saved(form("Ada"))]);
}

#[test]
fn saves_from_any_other_version_conflict() {
    let draft = given::<Draft>([saved(form("a")), saved(form("b")), saved(form("c"))]);
    for expected in [-1, 0, 1, 2, 4] {
        let refusal = Refusal::VersionConflict { current_version: 3 };
        draft.when(save(expected, form("d"))).refused(refusal);
    }
}

#[test]
fn the_last_save_sent_again_changes_nothing() {
    given::<Draft>([saved(form("Ada"))]).when(save(0, form("Ada"))).then_nothing();
    let draft = given::<Draft>([saved(form("Ada")), saved(form("Ada L."))]);
    draft.when(save(1, form("Ada L."))).then_nothing();
}

#[test]
fn a_save_two_versions_behind_is_no_repetition() {
    let draft = given::<Draft>([saved(form("Ada")), saved(form("Ada")), saved(form("Ada"))]);
    draft.when(save(2, form("Ada"))).then_nothing();
    let refusal = Refusal::VersionConflict { current_version: 3 };
    draft.when(save(1, form("Ada"))).refused(refusal);
}

#[test]
fn a_repetition_with_another_form_conflicts() {
    let refusal = Refusal::VersionConflict { current_version: 1 };
    given::<Draft>([saved(form("Ada"))]).when(save(0, form("Eve"))).refused(refusal);
}

#[test]
fn a_repetition_from_another_session_conflicts() {
    let again = Command::SaveDraft {
        owner: person(OWNER),
        session: OTHER_SESSION,
        group: GROUP,
        mcp: false,
        expected_version: 0,
        form: form("Ada"),
    };
    let refusal = Refusal::VersionConflict { current_version: 1 };
    given::<Draft>([saved(form("Ada"))]).when(again).refused(refusal);
}

#[test]
fn another_session_of_the_owner_goes_on_with_a_draft() {
    let other = Command::SaveDraft {
        owner: person(OWNER),
        session: OTHER_SESSION,
        group: Uuid::from_u128(0x61),
        mcp: true,
        expected_version: 1,
        form: form("Ada L."),
    };
    // The group of the first save stays.
    let expected = Event::DraftSaved {
        owner: person(OWNER),
        session: OTHER_SESSION,
        group: GROUP,
        mcp: true,
        form: form("Ada L."),
    };
    given::<Draft>([saved(form("Ada"))]).when(other).then([expected]);
}

#[test]
fn nobody_else_learns_that_there_is_a_draft() {
    let draft = given::<Draft>([saved(form("Ada"))]);
    for expected in [0, 1, 2] {
        let order = save_by(STRANGER, expected, form("Ada"));
        draft.when(order).refused(Refusal::DraftNotFound);
    }
}

#[test]
fn a_closed_draft_is_not_found_even_by_its_owner() {
    let draft = given::<Draft>([saved(form("Ada")), closed()]);
    assert!(!draft.state.is_open());
    for expected in [0, 1, 2] {
        draft.when(save(expected, form("Ada"))).refused(Refusal::DraftNotFound);
    }
}

#[test]
fn an_open_draft_is_closed_and_once() {
    let close = || Command::CloseDraft { reason: "expired" };
    given::<Draft>([saved(form("Ada"))]).when(close()).then([closed()]);
    given::<Draft>([saved(form("Ada")), closed()]).when(close()).then_nothing();
    given::<Draft>([]).when(close()).then_nothing();
}
