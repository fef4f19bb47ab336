//! What events make of the rows of drafts, deadlines, the catalogue, shared values and
//! the audit log.

use chrono::TimeDelta;
use dossier::domain::ids::{
    DepartmentId, GrantId, ProfileId, RoleId, SessionId, ValueId, catalogue_id,
};
use dossier::domain::values::{Email, Name, RequestLimit};
use dossier::domain::{Area, Event, draft, emulation, export, profile, session, tenant};
use dossier::projections::audit_log::{self, AuditLog};
use dossier::projections::catalogue::Catalogue;
use dossier::projections::deadlines::{self, DRAFT_DAYS_MAX, Deadlines};
use dossier::projections::profile_drafts_view::{self, ProfileDraftsView};
use dossier::projections::shared_values::SharedValues;
use dossier::projections::{InsertModel, RowModel};
use serde_json::json;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::support::given::minutes;

use super::folds::{EFFECTIVE_ACTOR, REAL_ACTOR, TENANT, folded, occurred, stream_id};

const OWNER: Uuid = Uuid::from_u128(0xa0);
const SESSION: Uuid = Uuid::from_u128(0xc1);
const OTHER_SESSION: Uuid = Uuid::from_u128(0xc2);
const GROUP: Uuid = Uuid::from_u128(0xc3);

fn form(full_name: &str) -> draft::Form {
    let name = Name { id: ValueId(GROUP), name: full_name.to_owned().into() };
    draft::Form { name: Some(name), ..draft::Form::default() }
}

fn saved(session: Uuid, full_name: &str) -> draft::Event {
    draft::Event::DraftSaved {
        owner: ProfileId(OWNER),
        session: SessionId(session),
        group: GROUP,
        mcp: session == OTHER_SESSION,
        form: form(full_name),
    }
}

fn draft_closed() -> draft::Event {
    draft::Event::DraftClosed { reason: "expired".to_owned() }
}

#[test]
fn a_draft_is_shown_as_last_saved_with_the_time_of_its_start() {
    let row = profile_drafts_view::Row {
        tenant_id: TENANT.0,
        id: stream_id(Area::Draft),
        version: 2,
        owner_id: OWNER,
        session_id: OTHER_SESSION,
        group_id: GROUP,
        mcp: true,
        form: Json(form("Ada L.")),
        created_at: minutes(1),
        saved_at: minutes(2),
    };
    let events = || [saved(SESSION, "Ada"), saved(OTHER_SESSION, "Ada L.")];
    assert_eq!(folded::<ProfileDraftsView>(events()), Some(row));
    let closed = events().into_iter().chain([draft_closed()]);
    assert_eq!(folded::<ProfileDraftsView>(closed), None);
}

fn made() -> export::Event {
    export::Event::ExportMade {
        owner: ProfileId(OWNER),
        file_name: "profiles.csv".to_owned(),
        row_count: 2,
        profile: None,
    }
}

fn due(events: impl IntoIterator<Item = impl Into<Event>>) -> deadlines::Row {
    folded::<Deadlines>(events).expect("a deadline")
}

#[test]
fn a_session_is_due_at_its_end_and_no_more_once_ended() {
    let opened =
        || session::Event::SessionOpened { real_actor: ProfileId(OWNER), expires_at: minutes(60) };
    let row = due([opened()]);
    assert_eq!((row.area.as_str(), row.stream_id), ("session", stream_id(Area::Session)));
    assert_eq!((row.due_at, row.subject_id), (minutes(60), OWNER));
    let ended = session::Event::SessionEnded { reason: "expired".to_owned() };
    assert_eq!(folded::<Deadlines>([opened(), ended]), None);
}

#[test]
fn a_draft_is_due_thirty_days_after_its_last_save() {
    let row = due([saved(SESSION, "Ada"), saved(SESSION, "Ada")]);
    assert_eq!((DRAFT_DAYS_MAX, row.subject_id), (30, OWNER));
    assert_eq!(row.due_at, minutes(2) + TimeDelta::days(30));
    assert_eq!(folded::<Deadlines>([saved(SESSION, "Ada"), draft_closed()]), None);
}

#[test]
fn an_export_is_due_a_day_after_it_was_made_whenever_it_is_downloaded() {
    let row = due([made(), export::Event::ExportDownloaded {}]);
    assert_eq!((row.due_at, row.subject_id), (minutes(1) + TimeDelta::hours(24), OWNER));
    assert_eq!(folded::<Deadlines>([made(), export::Event::ExportPurged {}]), None);
}

fn granted(number: u128, ends_after: i64) -> emulation::Event {
    emulation::Event::EmulationGranted {
        grant_id: GrantId(Uuid::from_u128(number)),
        real_actor: ProfileId(OWNER),
        target: ProfileId(Uuid::from_u128(100 + number)),
        expires_at: minutes(ends_after),
    }
}

#[test]
fn an_emulation_is_due_at_the_first_end_of_its_layers() {
    let row = due([granted(1, 60), granted(2, 40), granted(3, 50)]);
    assert_eq!((row.area.as_str(), row.subject_id), ("emulation", OWNER));
    assert_eq!(row.grant_ids, [1, 2, 3].map(Uuid::from_u128));
    assert_eq!(row.grant_targets, [101, 102, 103].map(Uuid::from_u128));
    assert_eq!(row.grant_ends, [60, 40, 50].map(minutes));
    assert_eq!(row.due_at, minutes(40));
}

#[test]
fn a_layer_that_ends_in_any_way_is_waited_for_no_more() {
    let grant_id = GrantId(Uuid::from_u128(2));
    for end in [
        emulation::Event::EmulationExited { grant_id },
        emulation::Event::EmulationExpired { grant_id },
        emulation::Event::EmulationRevoked { grant_id, reason: "access_lost".to_owned() },
    ] {
        let row = due([granted(1, 60), granted(2, 40), end.clone()]);
        assert_eq!(row.grant_ids, [Uuid::from_u128(1)]);
        assert_eq!(row.grant_targets, [Uuid::from_u128(101)]);
        assert_eq!((row.grant_ends, row.due_at), (vec![minutes(60)], minutes(60)));
        assert_eq!(folded::<Deadlines>([granted(2, 40), end]), None);
    }
}

#[test]
fn a_stack_left_and_entered_again_is_due_again() {
    let exited = emulation::Event::EmulationExited { grant_id: GrantId(Uuid::from_u128(1)) };
    let row = due([granted(1, 60), exited, granted(2, 70)]);
    assert_eq!((row.version, row.due_at), (3, minutes(70)));
    assert_eq!(row.grant_ids, [Uuid::from_u128(2)]);
}

#[test]
fn a_session_and_its_emulation_stack_have_deadlines_of_their_own() {
    let ended = session::Event::SessionEnded { reason: "expired".to_owned() };
    let keys = (Deadlines::key(&occurred(1, ended)), Deadlines::key(&occurred(1, granted(1, 60))));
    assert_eq!(stream_id(Area::Session), stream_id(Area::Emulation));
    assert_ne!(keys.0, keys.1);
}

fn role_defined(rank: u8) -> tenant::Event {
    tenant::Event::RoleDefined {
        id: RoleId(Uuid::from_u128(1)),
        key: "admin".to_owned(),
        rank,
        name: "Administrator".to_owned(),
        description: String::new(),
        artifacts: vec!["profile".to_owned()],
        audits: false,
    }
}

#[test]
fn a_catalogue_entry_is_shown_as_last_defined() {
    let row = folded::<Catalogue>([role_defined(3), role_defined(4)]).expect("an entry");
    assert_eq!(row.id, catalogue_id(TENANT, "role", "admin"));
    assert_eq!((row.version, row.kind.as_str(), row.key.as_str()), (2, "role", "admin"));
    let entry = json!({
        "rank": 4, "name": "Administrator", "description": "", "artifacts": ["profile"],
        "audits": false,
    });
    assert_eq!(row.entry, Json(entry));
}

#[test]
fn a_removed_catalogue_entry_is_gone() {
    let removed = tenant::Event::RoleRemoved { key: "admin".to_owned() };
    assert_eq!(folded::<Catalogue>([role_defined(4), removed]), None);
}

#[test]
fn entries_of_one_key_and_different_kinds_are_different_rows() {
    let department = tenant::Event::DepartmentDefined {
        id: DepartmentId(Uuid::from_u128(1)),
        key: "admin".to_owned(),
        name: "Administration".to_owned(),
        description: String::new(),
        settings: vec![],
    };
    let keys =
        [occurred(1, role_defined(4)), occurred(1, department)].map(|event| Catalogue::key(&event));
    assert_ne!(keys[0], keys[1]);
}

fn values_of(event: impl Into<Event>) -> Vec<(u128, String, String)> {
    let rows = SharedValues::rows(&occurred(1, event)).into_iter();
    assert!(rows.clone().all(|row| row.tenant_id == TENANT.0));
    rows.map(|row| (row.id.as_u128(), row.kind, row.value)).collect()
}

#[test]
fn names_addresses_and_limits_are_kept_with_their_ids_as_given() {
    let name = || Name { id: ValueId(Uuid::from_u128(1)), name: "Ada".to_owned().into() };
    let email = |id, address: &str| Email {
        id: ValueId(Uuid::from_u128(id)),
        address: address.to_owned().into(),
        login: false,
    };
    let limit = || RequestLimit { id: ValueId(Uuid::from_u128(4)), requests_per_day: 10 };
    let emails = || vec![email(2, "Ada@X"), email(3, "b@x")];
    let value = |id, kind: &str, value: &str| (id, kind.to_owned(), value.to_owned());
    let (ada, one) = (value(1, "name", "Ada"), value(2, "email", "Ada@X"));
    let (other, ten) = (value(3, "email", "b@x"), value(4, "request_limit", "10"));
    let all = [ada.clone(), one.clone(), other.clone(), ten.clone()];
    let registered = profile::Event::ProfileRegistered(profile::Registration {
        name: Some(name()),
        emails: emails(),
        roles: vec![],
        departments: vec![],
        request_limit: Some(limit()),
        ..profile::Registration::default()
    });
    assert_eq!(values_of(registered), all);
    let form = draft::Form {
        name: Some(name()),
        emails: emails(),
        request_limit: Some(limit()),
        ..draft::Form::default()
    };
    let saved = draft::Event::DraftSaved {
        owner: ProfileId(OWNER),
        session: SessionId(SESSION),
        group: GROUP,
        mcp: false,
        form,
    };
    assert_eq!(values_of(saved), all);
    assert_eq!(values_of(profile::Event::ProfileRenamed { name: name() }), [ada]);
    assert_eq!(values_of(profile::Event::EmailsAssigned { emails: emails() }), [one, other]);
    let assigned = profile::Event::RequestLimitAssigned { request_limit: limit() };
    assert_eq!(values_of(assigned), [ten]);
    assert_eq!(values_of(profile::Event::ProfileDeleted {}), []);
}

#[test]
fn the_audit_log_names_both_actors_and_what_was_asked_for() {
    let row = audit_log::Row {
        tenant_id: TENANT.0,
        position: 107,
        event_id: Uuid::from_u128(0xb1),
        area: "profile".to_owned(),
        stream_id: stream_id(Area::Profile),
        name: "ProfileDeleted".to_owned(),
        operation: "update".to_owned(),
        real_actor_id: REAL_ACTOR,
        effective_actor_id: EFFECTIVE_ACTOR,
        middle_actor_ids: Some(vec![Uuid::from_u128(0xb5)]),
        grant_id: Some(Uuid::from_u128(0xb6)),
        session_id: Some(Uuid::from_u128(0xb4)),
        request_id: Uuid::from_u128(0xb2),
        correlation_id: Uuid::from_u128(0xb3),
        channel: "http".to_owned(),
        face: "v5".to_owned(),
        occurred_at: minutes(7),
    };
    assert_eq!(AuditLog::rows(&occurred(7, profile::Event::ProfileDeleted {})), [row]);
}
