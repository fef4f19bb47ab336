//! What holds for every fold, tried with a sample of each event: which events it is fed by, as its
//! header says, and which of them make a row and remove it. What they make of it:
//! `rows_of_profiles.rs` and `rows_of_the_rest.rs`.

use std::collections::BTreeSet;
use std::marker::PhantomData;

use dossier::domain::ids::TenantId;
use dossier::domain::{Area, Event, Occurred};
use dossier::projections::audit_log::AuditLog;
use dossier::projections::catalogue::Catalogue;
use dossier::projections::deadlines::Deadlines;
use dossier::projections::profile_attachments::ProfileAttachments;
use dossier::projections::profile_documents::ProfileDocuments;
use dossier::projections::profile_drafts_view::ProfileDraftsView;
use dossier::projections::profile_search::ProfileSearch;
use dossier::projections::profiles_view::ProfilesView;
use dossier::projections::shared_values::SharedValues;
use dossier::projections::{
    CounterModel, EntryModel, InsertModel, RowModel, TransitionModel, ValueModel, Visitor, schemas,
    visit,
};
use uuid::Uuid;

use super::headers::header;
use crate::events::samples;
use crate::support::given::minutes;

pub(super) const TENANT: TenantId = TenantId(Uuid::from_u128(0x7e));
pub(super) const REAL_ACTOR: Uuid = Uuid::from_u128(0xac);
pub(super) const EFFECTIVE_ACTOR: Uuid = Uuid::from_u128(0xad);

/// The one stream of each area; a session and its emulation stack share theirs.
pub(super) fn stream_id(area: Area) -> Uuid {
    match area {
        Area::Tenant => TENANT.0,
        Area::Profile => Uuid::from_u128(0xe1),
        Area::Draft => Uuid::from_u128(0xe2),
        Area::Emulation | Area::Session => Uuid::from_u128(0xe3),
        Area::Access => Uuid::from_u128(0xe4),
        Area::Export => Uuid::from_u128(0xe5),
        Area::Operation => Uuid::from_u128(0xe6),
    }
}

/// An event as the n-th of its stream, n minutes after noon.
pub(super) fn occurred(version: i64, event: impl Into<Event>) -> Occurred {
    let event = event.into();
    let area = match &event {
        Event::Tenant(_) => Area::Tenant,
        Event::Profile(_) => Area::Profile,
        Event::Draft(_) => Area::Draft,
        Event::Emulation(_) => Area::Emulation,
        Event::Access(_) => Area::Access,
        Event::Session(_) => Area::Session,
        Event::Export(_) => Area::Export,
        Event::Operation(_) => Area::Operation,
    };
    Occurred {
        tenant_id: TENANT,
        area,
        stream_id: stream_id(area),
        version,
        position: 100 + version,
        occurred_at: minutes(version),
        recorded_at: minutes(version + 1),
        real_actor_id: REAL_ACTOR,
        effective_actor_id: EFFECTIVE_ACTOR,
        operation: "update",
        name: event.encode().expect("an event encodes").name,
        event_id: Uuid::from_u128(0xb1),
        request_id: Uuid::from_u128(0xb2),
        correlation_id: Uuid::from_u128(0xb3),
        session_id: Some(Uuid::from_u128(0xb4)),
        emulation: vec![Uuid::from_u128(0xb5), EFFECTIVE_ACTOR],
        grant_id: Some(Uuid::from_u128(0xb6)),
        channel: "http",
        face: "v5",
        event,
    }
}

/// The row after these events of its stream, folded as the engine does.
pub(super) fn folded<M: RowModel>(
    events: impl IntoIterator<Item = impl Into<Event>>,
) -> Option<M::Row> {
    let events = (1..).zip(events).map(|(version, event)| occurred(version, event));
    let fed = events.filter(|event| M::key(event).is_some());
    fed.fold(None, |row, event| M::fold(row, &event))
}

/// How the first event that has this effect on a row, or on none, is called; of all samples.
fn having<M: RowModel>(effect: impl Fn(Option<&M::Row>, Option<&M::Row>) -> bool) -> Names {
    let samples = samples();
    let rows: Vec<M::Row> = samples
        .iter()
        .filter_map(|sample| M::fold(None, &occurred(1, sample.event.clone())))
        .collect();
    let mut names = Names::new();
    for sample in &samples {
        let event = occurred(2, sample.event.clone());
        let Some(key) = M::key(&event) else { continue };
        let own = rows.iter().filter(|row| M::key_of(row) == key).map(Some);
        let befores: Vec<Option<&M::Row>> = own.chain([None]).collect();
        let has =
            |before: &Option<&M::Row>| effect(*before, M::fold(before.cloned(), &event).as_ref());
        if befores.iter().any(has) {
            names.insert(sample.name.clone());
        }
    }
    names
}

type Names = BTreeSet<String>;

fn names(text: &str) -> Names {
    text.split([',', ' ', '\n']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// A check that holds for every read model of rows.
trait Holds {
    fn of<M: RowModel>();
}

/// Makes a check of each, and counts them.
struct Each<C>(PhantomData<C>, usize);

impl<C: Holds> Visitor for Each<C> {
    fn rows<M: RowModel>(&mut self) {
        C::of::<M>();
        self.1 += 1;
    }
    fn entries<M: EntryModel>(&mut self) {}
    fn values<M: ValueModel>(&mut self) {}
    fn transitions<M: TransitionModel>(&mut self) {}
    fn counters<M: CounterModel>(&mut self) {}
}

#[track_caller]
fn holds_for_each<C: Holds>() {
    let mut each = Each::<C>(PhantomData, 0);
    visit(&mut each);
    assert!(each.1 > 1);
}

struct FedAsItsHeaderSays;

impl Holds for FedAsItsHeaderSays {
    fn of<M: RowModel>() {
        let reacts: Names = having::<M>(|before, after| before != after);
        assert_eq!(reacts, fed_by(M::NAME), "{}", M::NAME);
    }
}

/// The events that a read model's header names.
fn fed_by(model: &str) -> Names {
    names(&header(model).fed_by)
}

#[test]
fn read_models_are_fed_by_the_events_that_their_headers_name() {
    holds_for_each::<FedAsItsHeaderSays>();
}

#[test]
fn shared_values_are_fed_by_the_events_that_their_header_names() {
    let samples = samples();
    let bring = samples
        .iter()
        .filter(|sample| !SharedValues::rows(&occurred(1, sample.event.clone())).is_empty());
    let bring: Names = bring.map(|sample| sample.name.clone()).collect();
    assert_eq!(bring, fed_by("shared_values"));
}

#[test]
fn every_event_has_its_row_in_the_audit_log() {
    for sample in samples() {
        assert_eq!(AuditLog::rows(&occurred(1, sample.event)).len(), 1, "{}", sample.name);
    }
}

#[track_caller]
fn assert_makes_and_removes<M: RowModel>(makes: &str, removes: &str) {
    let made = having::<M>(|before, after| before.is_none() && after.is_some());
    assert_eq!(made, names(makes), "{}", M::NAME);
    let removed = having::<M>(|before, after| before.is_some() && after.is_none());
    assert_eq!(removed, names(removes), "{}", M::NAME);
}

#[test]
fn a_row_is_made_by_what_begins_its_subject_and_removed_by_what_ends_it() {
    assert_makes_and_removes::<ProfilesView>("ProfileRegistered", "ProfileDeleted");
    assert_makes_and_removes::<ProfileSearch>("ProfileRegistered", "ProfileDeleted");
    assert_makes_and_removes::<ProfileDocuments>("ProfileRegistered", "ProfileDeleted");
    assert_makes_and_removes::<ProfileAttachments>("AttachmentStored", "ProfileDeleted");
    assert_makes_and_removes::<ProfileDraftsView>("DraftSaved", "DraftClosed");
    assert_makes_and_removes::<Catalogue>(
        "TenantRegistered RoleDefined DepartmentDefined SettingDefined IssuerTrusted \
         VerificationRequired VerificationWaived SingleSignOnOffered SingleSignOnWithdrawn \
         CleansingEnabled CleansingDisabled ApplicationRoleOffered AttributeDefined \
         AttributeRedefined",
        "RoleRemoved DepartmentRemoved SettingRemoved IssuerDistrusted OfferedRoleRemoved \
         AttributeRemoved TenantDeleted",
    );
    assert_makes_and_removes::<Deadlines>(
        "SessionOpened LogInRemembered VerificationIssued EmulationGranted DraftSaved ExportMade",
        "SessionEnded EmulationExited EmulationExpired EmulationRevoked DraftClosed ExportPurged",
    );
}

/// Each sample on each row that any sample makes: also those of other streams and areas.
struct OldEventsChangeNothing;

impl Holds for OldEventsChangeNothing {
    fn of<M: RowModel>() {
        let samples = samples();
        for row in samples.iter().map(|sample| occurred(5, sample.event.clone())) {
            let Some(row) = M::fold(None, &row) else { continue };
            for sample in &samples {
                for version in [1, 4, 5] {
                    let old = occurred(version, sample.event.clone());
                    assert_eq!(
                        M::fold(Some(row.clone()), &old),
                        Some(row.clone()),
                        "{}",
                        sample.name
                    );
                }
            }
        }
    }
}

#[test]
fn an_event_that_a_row_has_seen_already_changes_nothing() {
    holds_for_each::<OldEventsChangeNothing>();
}

/// What the engine relies on: rows are found again by what they say of themselves.
struct RowsSayWhereTheyComeFrom;

impl Holds for RowsSayWhereTheyComeFrom {
    fn of<M: RowModel>() {
        let mut rows = 0;
        for sample in samples() {
            let event = occurred(3, sample.event);
            assert!(M::key(&event).is_none() || M::AREAS.contains(&event.area), "{}", M::NAME);
            let Some(row) = M::fold(None, &event) else { continue };
            assert_eq!(Some(M::key_of(&row)), M::key(&event));
            assert_eq!(M::version_of(&row), 3);
            assert_eq!(M::source_of(&row), (event.area, event.stream_id));
            rows += 1;
        }
        assert!(rows > 0, "no sample makes a row of {}", M::NAME);
    }
}

#[test]
fn a_row_says_its_key_its_version_and_the_stream_that_feeds_it() {
    holds_for_each::<RowsSayWhereTheyComeFrom>();
}

/// Ids that callers choose may meet another tenant's.
struct TenantsHaveRowsOfTheirOwn;

impl Holds for TenantsHaveRowsOfTheirOwn {
    fn of<M: RowModel>() {
        for sample in samples() {
            let event = occurred(1, sample.event);
            let elsewhere =
                Occurred { tenant_id: TenantId(Uuid::from_u128(0x7f)), ..event.clone() };
            let keys = (M::key(&event), M::key(&elsewhere));
            assert!(keys.0.is_none() || keys.0 != keys.1, "{}", sample.name);
        }
    }
}

#[test]
fn the_same_id_in_two_tenants_is_two_rows() {
    holds_for_each::<TenantsHaveRowsOfTheirOwn>();
}

#[test]
fn each_version_of_a_read_model_has_a_schema_of_its_own() {
    let schemas = schemas();
    let different: BTreeSet<&String> = schemas.iter().collect();
    assert_eq!((schemas.len(), different.len()), (13, 13));
    assert!(schemas.iter().all(|schema| {
        schema.rsplit_once("_v").is_some_and(|(_, version)| version.parse::<u32>().is_ok())
    }));
}
