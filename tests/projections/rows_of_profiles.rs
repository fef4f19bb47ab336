//! What a profile's events make of its rows in `profiles_view` and `profile_search`, and which
//! counters its row stands for.

use dossier::domain::Area;
use dossier::domain::ids::{DepartmentId, ValueId};
use dossier::domain::profile::{Attributes, Event, Registration};
use dossier::domain::values::{Email, Name, RequestLimit};
use dossier::projections::CounterModel as _;
use dossier::projections::profile_counts::ProfileCounts;
use dossier::projections::profile_search::{self, ProfileSearch};
use dossier::projections::profiles_view::{self, ProfilesView};
use serde_json::json;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::support::given::minutes;

use super::folds::{TENANT, folded, stream_id};

const NAME_ID: Uuid = Uuid::from_u128(0xa1);
const EMAIL_ID: Uuid = Uuid::from_u128(0xa2);
const LIMIT_ID: Uuid = Uuid::from_u128(0xa3);
const HISTORY: Uuid = Uuid::from_u128(0xd1);
const PHYSICS: Uuid = Uuid::from_u128(0xd2);

fn name(id: Uuid, name: &str) -> Name {
    Name { id: ValueId(id), name: name.to_owned().into() }
}

fn email(id: Uuid, address: &str) -> Email {
    Email { id: ValueId(id), address: address.to_owned().into(), login: true }
}

fn limit(id: Uuid, requests_per_day: i32) -> RequestLimit {
    RequestLimit { id: ValueId(id), requests_per_day }
}

fn attributes(values: &[(&str, i64)]) -> Attributes {
    values.iter().map(|(name, value)| ((*name).to_owned(), json!(value).into())).collect()
}

fn registered() -> Event {
    Event::ProfileRegistered(Registration {
        name: Some(name(NAME_ID, "Élodie")),
        emails: vec![email(EMAIL_ID, "Elodie@Example.com")],
        roles: vec!["member".to_owned(), "guest".to_owned()],
        departments: vec![DepartmentId(HISTORY)],
        request_limit: Some(limit(LIMIT_ID, 10)),
        active: Some(false),
        attributes: attributes(&[("year", 1815)]),
        ..Registration::default()
    })
}

fn bare() -> Event {
    Event::ProfileRegistered(Registration {
        emails: vec![],
        roles: vec![],
        departments: vec![],
        ..Registration::default()
    })
}

fn viewed() -> profiles_view::Row {
    profiles_view::Row {
        tenant_id: TENANT.0,
        id: stream_id(Area::Profile),
        version: 1,
        name_id: Some(NAME_ID),
        name: Some("Élodie".to_owned()),
        email_ids: vec![EMAIL_ID],
        emails: vec!["Elodie@Example.com".to_owned()],
        role_keys: vec!["member".to_owned(), "guest".to_owned()],
        department_ids: vec![HISTORY],
        request_limit_id: Some(LIMIT_ID),
        requests_per_day: Some(10),
        active: false,
        username: None,
        application_roles: vec![],
        attributes: Json(attributes(&[("year", 1815)])),
        created_at: minutes(1),
        updated_at: minutes(1),
    }
}

fn found() -> profile_search::Row {
    profile_search::Row {
        tenant_id: TENANT.0,
        id: stream_id(Area::Profile),
        version: 1,
        name: Some("Élodie".to_owned()),
        username: None,
        attributes: Json(Attributes::new()),
        email_keys: vec!["elodie@example.com".to_owned()],
        role_keys: vec!["member".to_owned(), "guest".to_owned()],
        department_ids: vec![HISTORY],
        active: false,
    }
}

/// After its registration and this, the row of `profiles_view` is as registered but for this.
#[track_caller]
fn assert_viewed(event: Event, expected: profiles_view::Row) {
    let expected = profiles_view::Row { version: 2, updated_at: minutes(2), ..expected };
    assert_eq!(folded::<ProfilesView>([registered(), event]), Some(expected));
}

/// The same of `profile_search`.
#[track_caller]
fn assert_found(event: Event, expected: profile_search::Row) {
    let expected = profile_search::Row { version: 2, ..expected };
    assert_eq!(folded::<ProfileSearch>([registered(), event]), Some(expected));
}

#[test]
fn a_registered_profile_is_viewed_with_its_first_facts_and_found_by_folded_ones() {
    assert_eq!(folded::<ProfilesView>([registered()]), Some(viewed()));
    assert_eq!(folded::<ProfileSearch>([registered()]), Some(found()));
}

#[test]
fn a_profile_registered_with_nothing_is_active_and_has_no_name() {
    let viewed = profiles_view::Row {
        name_id: None,
        name: None,
        email_ids: vec![],
        emails: vec![],
        role_keys: vec![],
        department_ids: vec![],
        request_limit_id: None,
        requests_per_day: None,
        active: true,
        attributes: Json(Attributes::new()),
        ..viewed()
    };
    assert_eq!(folded::<ProfilesView>([bare()]), Some(viewed));
    let found = profile_search::Row {
        name: None,
        email_keys: vec![],
        role_keys: vec![],
        department_ids: vec![],
        active: true,
        ..found()
    };
    assert_eq!(folded::<ProfileSearch>([bare()]), Some(found));
}

#[test]
fn a_renamed_profile_is_viewed_and_found_by_its_new_name() {
    let id = Uuid::from_u128(0xb1);
    let event = Event::ProfileRenamed { name: name(id, "Éva STRASSE") };
    let shown = Some("Éva STRASSE".to_owned());
    let viewed = profiles_view::Row { name_id: Some(id), name: shown.clone(), ..viewed() };
    assert_viewed(event.clone(), viewed);
    let found = profile_search::Row { name: shown, ..found() };
    assert_eq!(found.document().name_key.as_deref(), Some("éva strasse"));
    assert_found(event, found);
}

#[test]
fn assigned_addresses_replace_the_ones_before() {
    let (one, other) = (Uuid::from_u128(0xb2), Uuid::from_u128(0xb3));
    let event = Event::EmailsAssigned { emails: vec![email(one, "B@x"), email(other, "a@x")] };
    let viewed = profiles_view::Row {
        email_ids: vec![one, other],
        emails: vec!["B@x".to_owned(), "a@x".to_owned()],
        ..viewed()
    };
    assert_viewed(event.clone(), viewed);
    let email_keys = vec!["b@x".to_owned(), "a@x".to_owned()];
    assert_found(event, profile_search::Row { email_keys, ..found() });
}

#[test]
fn assigned_roles_replace_the_ones_before() {
    let role_keys = vec!["admin".to_owned()];
    let event = Event::RolesAssigned { roles: role_keys.clone() };
    assert_viewed(event.clone(), profiles_view::Row { role_keys: role_keys.clone(), ..viewed() });
    assert_found(event, profile_search::Row { role_keys, ..found() });
}

#[test]
fn assigned_departments_replace_the_ones_before() {
    let department_ids = vec![PHYSICS, HISTORY];
    let event = Event::DepartmentsAssigned {
        departments: vec![DepartmentId(PHYSICS), DepartmentId(HISTORY)],
    };
    let expected = profiles_view::Row { department_ids: department_ids.clone(), ..viewed() };
    assert_viewed(event.clone(), expected);
    assert_found(event, profile_search::Row { department_ids, ..found() });
}

#[test]
fn an_assigned_request_limit_is_viewed_and_nothing_is_found_by_it() {
    let id = Uuid::from_u128(0xb4);
    let event = Event::RequestLimitAssigned { request_limit: limit(id, 20) };
    let expected =
        profiles_view::Row { request_limit_id: Some(id), requests_per_day: Some(20), ..viewed() };
    assert_viewed(event.clone(), expected);
    assert_eq!(folded::<ProfileSearch>([registered(), event]), Some(found()));
}

#[test]
fn activity_is_viewed_and_found() {
    let event = Event::ProfileActivated {};
    assert_viewed(event.clone(), profiles_view::Row { active: true, ..viewed() });
    assert_found(event, profile_search::Row { active: true, ..found() });
    for (event, active) in
        [(Event::ProfileDeactivated {}, false), (Event::ProfileActivated {}, true)]
    {
        let viewed = folded::<ProfilesView>([bare(), event.clone()]).expect("a row");
        let found = folded::<ProfileSearch>([bare(), event]).expect("a row");
        assert_eq!((viewed.active, found.active), (active, active));
    }
}

#[test]
fn assigned_attributes_join_those_before_and_removed_ones_go() {
    let event = Event::AttributesAssigned {
        attributes: attributes(&[("month", 12)]),
        removed: vec!["year".to_owned()],
    };
    let expected = Json(attributes(&[("month", 12)]));
    assert_viewed(event.clone(), profiles_view::Row { attributes: expected, ..viewed() });
    let event_of_one_more =
        Event::AttributesAssigned { attributes: attributes(&[("day", 10)]), removed: vec![] };
    let expected = Json(attributes(&[("day", 10), ("year", 1815)]));
    assert_viewed(event_of_one_more, profiles_view::Row { attributes: expected, ..viewed() });
    assert_eq!(folded::<ProfileSearch>([registered(), event]), Some(found()));
}

#[test]
fn a_deleted_profile_is_neither_viewed_nor_found() {
    let events = || [registered(), Event::ProfileDeleted {}];
    assert_eq!(folded::<ProfilesView>(events()), None);
    assert_eq!(folded::<ProfileSearch>(events()), None);
    let more = || events().into_iter().chain([Event::ProfileActivated {}]);
    assert_eq!(folded::<ProfilesView>(more()), None);
    assert_eq!(folded::<ProfileSearch>(more()), None);
}

#[test]
fn events_of_an_unregistered_profile_make_no_row() {
    let event = || Event::ProfileRenamed { name: name(NAME_ID, "Ada") };
    assert_eq!(folded::<ProfilesView>([event()]), None);
    assert_eq!(folded::<ProfileSearch>([event()]), None);
}

#[test]
fn a_document_is_found_by_its_name_and_addresses_and_listed_under_its_first_role() {
    let document = found().document();
    assert_eq!(document.id, stream_id(Area::Profile));
    assert_eq!(document.name_key.as_deref(), Some("élodie"));
    assert_eq!(document.text, "élodie\nelodie@example.com");
    assert_eq!(document.role.as_deref(), Some("member"));
    assert_eq!((document.departments, document.active), (vec![HISTORY], false));
    let bare = folded::<ProfileSearch>([bare()]).expect("a row").document();
    assert_eq!((bare.text.as_str(), bare.role, bare.active), ("", None, true));
}

#[test]
fn a_document_has_once_more_without_marks_what_would_not_be_found_by_them_missing() {
    let row = profile_search::Row {
        name: Some("Işık Müller".to_owned()),
        email_keys: vec!["muller@example.com".to_owned(), "ışık@example.com".to_owned()],
        ..found()
    };
    let document = row.document();
    assert_eq!(document.name_key.as_deref(), Some("işık müller"));
    let lines: Vec<_> = document.text.lines().collect();
    let plain = ["isik muller", "isik@example.com"];
    let kept = ["işık müller", "muller@example.com", "ışık@example.com"];
    assert_eq!(lines, [&kept[..], &plain[..]].concat());
}

#[test]
fn a_row_stands_for_itself_its_activity_its_first_role_and_each_department() {
    let row = profiles_view::Row { department_ids: vec![HISTORY, PHYSICS], ..viewed() };
    let expected = [
        ("profile", "all".to_owned()),
        ("active", "false".to_owned()),
        ("role", "member".to_owned()),
        ("department", HISTORY.to_string()),
        ("department", PHYSICS.to_string()),
    ];
    assert_eq!(
        ProfileCounts::counters_of(&row),
        expected.map(|(dimension, key)| (TENANT.0, dimension, key))
    );
}

#[test]
fn a_row_without_role_and_departments_stands_for_itself_and_its_activity() {
    let row = folded::<ProfilesView>([bare()]).expect("a row");
    let expected = [("profile", "all".to_owned()), ("active", "true".to_owned())];
    assert_eq!(
        ProfileCounts::counters_of(&row),
        expected.map(|(dimension, key)| (TENANT.0, dimension, key))
    );
}
