//! How events move deadlines.

use chrono::{DateTime, Duration, Utc};

use uuid::Uuid;

use crate::domain::ids::{ProfileId, derived};
use crate::domain::{Area, Event, Occurred, draft, emulation, export, session};
use crate::projections::Key;

use super::Row;

/// A draft is closed this many days after its last save (contract 4.7).
pub const DRAFT_DAYS_MAX: i64 = 30;

pub fn key(event: &Occurred) -> Option<Key> {
    match event.area {
        Area::Session | Area::Emulation | Area::Draft | Area::Export => {
            let id = derived(&[event.area.name().as_bytes(), event.stream_id.as_bytes()]);
            Some((event.tenant_id.0, id))
        }
        Area::Tenant | Area::Profile | Area::Access | Area::Operation => None,
    }
}

pub fn evolve(row: Option<Row>, occurred: &Occurred) -> Option<Row> {
    let due = |due_at, subject: ProfileId| one(occurred, due_at, subject.0);
    match &occurred.event {
        Event::Session(session::Event::SessionOpened { expires_at, real_actor }) => {
            due(*expires_at, *real_actor)
        }
        // Claims that a deleted profile keeps: nothing can be reached by them any more (Crafter
        // contract 1).
        Event::Session(
            session::Event::LogInRemembered { expires_at, .. }
            | session::Event::VerificationIssued { expires_at, .. },
        ) => due(*expires_at, ProfileId::default()),
        Event::Session(session::Event::LogInTokenRotated {}) => {
            row.map(|row| Row { version: occurred.version, ..row })
        }
        // A ticket ends when it is not used for a while. Use is no event: see
        // `engine/kept/tickets`.
        Event::Session(session::Event::TicketIssued { .. }) => row,
        Event::Draft(draft::Event::DraftSaved { owner, .. }) => {
            due(occurred.occurred_at + Duration::days(DRAFT_DAYS_MAX), *owner)
        }
        Event::Export(export::Event::ExportMade { owner, .. }) => {
            due(occurred.occurred_at + Duration::hours(export::HOURS_KEPT), *owner)
        }
        Event::Export(export::Event::ExportDownloaded {}) => {
            row.map(|row| Row { version: occurred.version, ..row })
        }
        Event::Emulation(event) => layers(row, occurred, event),
        Event::Session(session::Event::SessionEnded { .. })
        | Event::Draft(draft::Event::DraftClosed { .. })
        | Event::Export(export::Event::ExportPurged {}) => None,
        Event::Tenant(_) | Event::Profile(_) | Event::Access(_) | Event::Operation(_) => row,
    }
}

fn one(occurred: &Occurred, due_at: DateTime<Utc>, subject_id: Uuid) -> Option<Row> {
    let (tenant_id, id) = key(occurred)?;
    Some(Row {
        tenant_id,
        id,
        version: occurred.version,
        area: occurred.area.name().to_owned(),
        stream_id: occurred.stream_id,
        due_at,
        subject_id,
        grant_ids: vec![],
        grant_targets: vec![],
        grant_ends: vec![],
    })
}

fn layers(row: Option<Row>, occurred: &Occurred, event: &emulation::Event) -> Option<Row> {
    let mut row = match row {
        Some(row) => Row { version: occurred.version, ..row },
        None => one(occurred, occurred.occurred_at, Uuid::nil())?,
    };
    match event {
        emulation::Event::EmulationGranted { grant_id, real_actor, target, expires_at } => {
            row.subject_id = real_actor.0;
            row.grant_ids.push(grant_id.0);
            row.grant_targets.push(target.0);
            row.grant_ends.push(*expires_at);
        }
        emulation::Event::EmulationExited { grant_id }
        | emulation::Event::EmulationExpired { grant_id }
        | emulation::Event::EmulationRevoked { grant_id, .. } => {
            if let Some(place) = row.grant_ids.iter().position(|id| *id == grant_id.0) {
                row.grant_ids.remove(place);
                row.grant_targets.remove(place);
                row.grant_ends.remove(place);
            }
        }
    }
    row.due_at = row.grant_ends.iter().min().copied()?;
    Some(row)
}
