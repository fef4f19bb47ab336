//! What differs between two states of a profile, as the History API shows it.

use std::collections::BTreeMap;

use dossier::domain::Rules;
use dossier::domain::attachment::Digest;
use dossier::domain::ids::AttachmentId;
use dossier::domain::permission::Authority;
use dossier::domain::profile::{
    Attachment, By, Change, Event, Past, Profile, Registration, State, changes,
};
use dossier::domain::values::Email;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::given::{TARGET, noon, rank};

use super::invariants::command;
use super::profile::registered;
use super::{HISTORY, email};

/// The fields that each of these events changed, with old and new value.
fn told(events: impl IntoIterator<Item = Event>) -> Vec<Vec<(String, Value, Value)>> {
    let mut past = Past::default();
    let steps = (1..).zip(events).map(|(version, event)| past.step(&event, version, noon()));
    let changes = steps.map(|step| step.map(|step| step.changes).unwrap_or_default());
    let told = |one: Change| (one.field, one.old, one.new);
    changes.map(|changes| changes.into_iter().map(told).collect()).collect()
}

fn change(field: &str, old: Value, new: Value) -> (String, Value, Value) {
    (field.to_owned(), old, new)
}

/// An address with which nobody logs in.
fn contact(address: &str) -> Email {
    Email { login: false, ..email(address) }
}

#[test]
fn a_registration_changes_every_field_that_it_sets() {
    let null = || Value::Null;
    let expected = vec![
        change("active", null(), json!(true)),
        change("attributes.year", null(), json!(1815)),
        change("departments", null(), json!([HISTORY])),
        change("emails", null(), json!(["ada@example.com"])),
        change("login_emails", null(), json!(["ada@example.com"])),
        change("name", null(), json!("Ada")),
        change("request_limit", null(), json!(10)),
        change("roles", null(), json!(["member"])),
        change("state", json!("absent"), json!("live")),
        change("verified", null(), json!(false)),
    ];
    assert_eq!(told([registered()]), [expected]);
    let bare = Event::ProfileRegistered(Registration::default());
    let fields: Vec<String> = told([bare]).remove(0).into_iter().map(|one| one.0).collect();
    assert_eq!(fields, ["active", "state", "verified"]);
}

#[test]
fn an_event_changes_only_what_differs_after_it() {
    let both = vec![email("ada@example.com"), contact("a@example.com")];
    let address = email("a@example.com").id;
    let told = told([
        registered(),
        Event::EmailsAssigned { emails: both },
        Event::LogInEmailTaken { email_id: address },
        Event::EmailsAssigned { emails: vec![] },
        Event::ProfileActivated {},
        Event::ProfileDeactivated {},
        Event::PasswordChanged {},
        Event::LogInFailed {},
        Event::RolesAssigned { roles: vec![] },
        Event::ProfileDeleted {},
    ]);
    let (one, two) = (json!(["ada@example.com"]), json!(["ada@example.com", "a@example.com"]));
    let expected = vec![
        vec![change("emails", one.clone(), two.clone())],
        vec![change("login_emails", one, two.clone())],
        vec![change("emails", two.clone(), Value::Null), change("login_emails", two, Value::Null)],
        vec![],
        vec![change("active", json!(true), json!(false))],
        vec![],
        vec![],
        vec![change("roles", json!(["member"]), Value::Null)],
        vec![change("state", json!("live"), json!("deleted"))],
    ];
    assert_eq!(told[1..], expected);
}

#[test]
fn attributes_and_attachments_are_fields_of_their_own() {
    let file = |bytes| Attachment {
        id: AttachmentId(Uuid::from_u128(1)),
        name: "photo".to_owned().into(),
        content_type: "image/png".to_owned(),
        bytes,
        md5: String::new(),
        digest: Digest([7; 32]),
    };
    let shown = |bytes: u64| json!({ "content_type": "image/png", "bytes": bytes, "sha256": "07".repeat(32) });
    let attributes = BTreeMap::from([("b.c".to_owned(), json!({ "d": 1 }).into())]);
    let told = told([
        registered(),
        Event::AttributesAssigned { attributes, removed: vec!["year".to_owned()] },
        Event::AttachmentStored(file(10)),
        Event::AttachmentStored(file(11)),
    ]);
    let expected = vec![
        vec![
            change("attributes.b.c", Value::Null, json!({ "d": 1 })),
            change("attributes.year", json!(1815), Value::Null),
        ],
        vec![change("attachments.photo", Value::Null, shown(10))],
        vec![change("attachments.photo", shown(10), shown(11))],
    ];
    assert_eq!(told[1..], expected);
}

#[test]
fn a_past_remembers_which_event_changed_a_field_last() {
    let mut past = Past::default();
    let events =
        [registered(), Event::ProfileDeactivated {}, Event::LogInFailed {}, Event::LogInFailed {}];
    for (version, event) in (1..).zip(events) {
        past.step(&event, version, noon());
    }
    assert_eq!((past.version, past.changed_version), (4, 2));
    let stored = serde_json::to_string(&past).unwrap();
    assert_eq!(serde_json::from_str::<Past>(&stored).unwrap(), past);
}

/// Field by field what was first and what is last, where they differ.
fn joined(steps: &[Vec<Change>]) -> BTreeMap<String, (Value, Value)> {
    let mut joined: BTreeMap<String, (Value, Value)> = BTreeMap::new();
    for Change { field, old, new } in steps.iter().flatten().cloned() {
        joined.entry(field).or_insert((old, Value::Null)).1 = new;
    }
    joined.retain(|_, (old, new)| old != new);
    joined
}

proptest! {
    #[test]
    fn the_changes_of_all_steps_join_to_the_change_of_the_whole(
        orders in vec(command(), 1..40),
    ) {
        let (mut past, mut steps) = (Past::default(), vec![]);
        for command in orders {
            let by = By { authority: &Authority::Operator, ranks: &rank };
            let events = Profile::decide(TARGET.0, &past.state, by, command).unwrap_or_default();
            for event in events {
                let version = past.version + 1;
                let step = past.step(&event, version, noon());
                steps.push(step.map(|step| step.changes).unwrap_or_default());
                let whole = changes(&State::Absent, &past.state);
                let whole: BTreeMap<String, (Value, Value)> =
                    whole.into_iter().map(|one| (one.field, (one.old, one.new))).collect();
                prop_assert_eq!(joined(&steps), whole);
            }
        }
    }
}
