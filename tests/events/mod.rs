//! One sample of each event there is, as a log may hold it. Samples are never edited: what was
//! ever written must be read, and be written again as it was.

mod codec;

use std::fs;
use std::path::Path;

use dossier::domain::{
    Area, Event, access, draft, emulation, export, operation, profile, session, tenant,
};
use serde::Deserialize;
use serde_json::value::RawValue;

/// An event as stored; the payload byte by byte.
#[derive(Deserialize)]
struct Stored {
    area: String,
    name: String,
    payload: Box<RawValue>,
}

/// A stored event and what it is read as.
pub struct Sample {
    pub file: String,
    pub text: String,
    pub area: Area,
    pub name: String,
    pub payload: String,
    pub event: Event,
}

/// Every sample, by file name.
pub fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events");
    let entries = fs::read_dir(&folder).expect("the folder of the samples");
    let paths = entries.map(|entry| entry.expect("an entry of the folder").path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    paths.sort();
    paths.iter().map(|path| sample(path)).collect()
}

fn sample(path: &Path) -> Sample {
    let text = fs::read_to_string(path).expect("a readable sample");
    let stored: Stored =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let area = Area::named(&stored.area).expect("the name of an area");
    let event = Event::decode(area, &stored.name, stored.payload.get());
    let event = event.unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
    let file = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
    Sample {
        file: file.to_owned(),
        area,
        name: stored.name,
        payload: stored.payload.get().to_owned(),
        event,
        text,
    }
}

/// The sample of this kind of event. A new one does not compile until it has an arm here, and an
/// arm not until there is a sample.
fn sample_of(event: &Event) -> &'static str {
    match event {
        Event::Tenant(event) => sample_of_tenant(event),
        Event::Profile(event) => sample_of_profile(event),
        Event::Draft(event) => match event {
            draft::Event::DraftSaved { .. } => include_str!("DraftSaved.1.json"),
            draft::Event::DraftClosed { .. } => include_str!("DraftClosed.1.json"),
        },
        Event::Emulation(event) => match event {
            emulation::Event::EmulationGranted { .. } => include_str!("EmulationGranted.1.json"),
            emulation::Event::EmulationExited { .. } => include_str!("EmulationExited.1.json"),
            emulation::Event::EmulationExpired { .. } => include_str!("EmulationExpired.1.json"),
            emulation::Event::EmulationRevoked { .. } => include_str!("EmulationRevoked.1.json"),
        },
        Event::Access(event) => match event {
            access::Event::ApiKeyIssued { .. } => include_str!("ApiKeyIssued.1.json"),
            access::Event::ApiKeyRevoked {} => include_str!("ApiKeyRevoked.1.json"),
            access::Event::AccessTokenIssued(_) => include_str!("AccessTokenIssued.1.json"),
            access::Event::AccessTokenReasserted { .. } => {
                include_str!("AccessTokenReasserted.1.json")
            }
            access::Event::AccessTokenDeleted {} => include_str!("AccessTokenDeleted.1.json"),
        },
        Event::Session(event) => match event {
            session::Event::SessionOpened { .. } => include_str!("SessionOpened.1.json"),
            session::Event::SessionEnded { .. } => include_str!("SessionEnded.1.json"),
            session::Event::TicketIssued { .. } => include_str!("TicketIssued.1.json"),
            session::Event::LogInRemembered { .. } => include_str!("LogInRemembered.1.json"),
            session::Event::LogInTokenRotated {} => include_str!("LogInTokenRotated.1.json"),
            session::Event::VerificationIssued { .. } => include_str!("VerificationIssued.1.json"),
        },
        Event::Export(event) => match event {
            export::Event::ExportMade { .. } => include_str!("ExportMade.1.json"),
            export::Event::ExportDownloaded {} => include_str!("ExportDownloaded.1.json"),
            export::Event::ExportPurged {} => include_str!("ExportPurged.1.json"),
        },
        Event::Operation(event) => match event {
            operation::Event::EmulationRefused { .. } => include_str!("EmulationRefused.1.json"),
            operation::Event::ReadModelsRefreshed { .. } => {
                include_str!("ReadModelsRefreshed.1.json")
            }
        },
    }
}

fn sample_of_tenant(event: &tenant::Event) -> &'static str {
    match event {
        tenant::Event::TenantRegistered { .. } => include_str!("TenantRegistered.1.json"),
        tenant::Event::RoleDefined { .. } => include_str!("RoleDefined.1.json"),
        tenant::Event::RoleRemoved { .. } => include_str!("RoleRemoved.1.json"),
        tenant::Event::DepartmentDefined { .. } => include_str!("DepartmentDefined.1.json"),
        tenant::Event::DepartmentRemoved { .. } => include_str!("DepartmentRemoved.1.json"),
        tenant::Event::SettingDefined { .. } => include_str!("SettingDefined.1.json"),
        tenant::Event::SettingRemoved { .. } => include_str!("SettingRemoved.1.json"),
        tenant::Event::IssuerTrusted { .. } => include_str!("IssuerTrusted.1.json"),
        tenant::Event::IssuerDistrusted { .. } => include_str!("IssuerDistrusted.1.json"),
        tenant::Event::VerificationRequired {} => include_str!("VerificationRequired.1.json"),
        tenant::Event::VerificationWaived {} => include_str!("VerificationWaived.1.json"),
        tenant::Event::SingleSignOnOffered {} => include_str!("SingleSignOnOffered.1.json"),
        tenant::Event::SingleSignOnWithdrawn {} => include_str!("SingleSignOnWithdrawn.1.json"),
        tenant::Event::CleansingEnabled {} => include_str!("CleansingEnabled.1.json"),
        tenant::Event::CleansingDisabled {} => include_str!("CleansingDisabled.1.json"),
        tenant::Event::ApplicationRoleOffered { .. } => {
            include_str!("ApplicationRoleOffered.1.json")
        }
        tenant::Event::OfferedRoleRemoved { .. } => include_str!("OfferedRoleRemoved.1.json"),
        tenant::Event::AttributeDefined(_) => include_str!("AttributeDefined.1.json"),
        tenant::Event::AttributeRedefined(_) => include_str!("AttributeRedefined.1.json"),
        tenant::Event::AttributeRemoved { .. } => include_str!("AttributeRemoved.1.json"),
        tenant::Event::TenantDeleted { .. } => include_str!("TenantDeleted.1.json"),
    }
}

fn sample_of_profile(event: &profile::Event) -> &'static str {
    match event {
        profile::Event::ProfileRegistered(_) => include_str!("ProfileRegistered.1.json"),
        profile::Event::ProfileRenamed { .. } => include_str!("ProfileRenamed.1.json"),
        profile::Event::EmailsAssigned { .. } => include_str!("EmailsAssigned.1.json"),
        profile::Event::RolesAssigned { .. } => include_str!("RolesAssigned.1.json"),
        profile::Event::DepartmentsAssigned { .. } => include_str!("DepartmentsAssigned.1.json"),
        profile::Event::RequestLimitAssigned { .. } => include_str!("RequestLimitAssigned.1.json"),
        profile::Event::ProfileActivated {} => include_str!("ProfileActivated.1.json"),
        profile::Event::ProfileDeactivated {} => include_str!("ProfileDeactivated.1.json"),
        profile::Event::AttributesAssigned { .. } => include_str!("AttributesAssigned.1.json"),
        profile::Event::LogInEmailTaken { .. } => include_str!("LogInEmailTaken.1.json"),
        profile::Event::AttributeDefaulted { .. } => include_str!("AttributeDefaulted.1.json"),
        profile::Event::AttributeWithdrawn { .. } => include_str!("AttributeWithdrawn.1.json"),
        profile::Event::UsernameAssigned { .. } => include_str!("UsernameAssigned.1.json"),
        profile::Event::ApplicationRolesAssigned { .. } => {
            include_str!("ApplicationRolesAssigned.1.json")
        }
        profile::Event::ApplicationRoleWithdrawn { .. } => {
            include_str!("ApplicationRoleWithdrawn.1.json")
        }
        profile::Event::ProfileVerified {} => include_str!("ProfileVerified.1.json"),
        profile::Event::PasswordChanged {} => include_str!("PasswordChanged.1.json"),
        profile::Event::LogInSucceeded {} => include_str!("LogInSucceeded.1.json"),
        profile::Event::LogInFailed {} => include_str!("LogInFailed.1.json"),
        profile::Event::LogInLocked { .. } => include_str!("LogInLocked.1.json"),
        profile::Event::AttachmentStored(_) => include_str!("AttachmentStored.1.json"),
        profile::Event::ProfileDeleted {} => include_str!("ProfileDeleted.1.json"),
    }
}

#[test]
fn every_sample_is_read_and_written_again_byte_by_byte() {
    for sample in samples() {
        let encoded = sample.event.encode().expect("an event encodes");
        assert_eq!((encoded.name, encoded.payload), (sample.name, sample.payload));
    }
}

#[test]
fn a_sample_is_named_after_its_event_and_the_version_of_its_shape() {
    for sample in samples() {
        assert_eq!(sample.file, format!("{}.1.json", sample.name));
    }
}

#[test]
fn every_event_has_the_sample_of_its_name() {
    for sample in samples() {
        assert_eq!(sample_of(&sample.event), sample.text, "{}", sample.file);
    }
}

#[test]
fn no_two_areas_share_the_name_of_an_event() {
    for sample in samples() {
        let readers = Area::ALL
            .into_iter()
            .filter(|area| Event::decode(*area, &sample.name, &sample.payload).is_ok());
        assert_eq!(readers.collect::<Vec<_>>(), [sample.area], "{}", sample.name);
    }
}

#[test]
fn samples_show_every_area_and_every_area_is_found_by_its_name() {
    let samples = samples();
    for area in Area::ALL {
        assert_eq!(Area::named(area.name()), Some(area));
        assert!(area.name().len() <= 12, "{} is stored in twelve bytes", area.name());
        assert!(samples.iter().any(|sample| sample.area == area), "{}", area.name());
    }
    assert_eq!(Area::named("Profile"), None);
}
