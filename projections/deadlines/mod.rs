//! Read model: what ends by time alone, and when: sessions, emulation layers, drafts, exports.
//!
//! Fed by: SessionOpened, SessionEnded, LogInRemembered, LogInTokenRotated, VerificationIssued,
//! EmulationGranted, EmulationExited, EmulationExpired, EmulationRevoked,
//! DraftSaved, DraftClosed, ExportMade, ExportDownloaded, ExportPurged
//! Fills: deadlines
//! Read by: engine/react

mod fold;
pub mod read;

use chrono::{DateTime, Utc};
use postgres_types::{FromSql, ToSql};
use uuid::Uuid;

use crate::domain::{Area, Occurred};
use crate::projections::{Key, ReadModel, RowModel};

pub use fold::DRAFT_DAYS_MAX;

/// The read model.
pub struct Deadlines;

/// A row: one stream and its next deadline.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "deadlines")]
pub struct Row {
    pub tenant_id: Uuid,
    /// Derived from area and stream id, since a session and its emulation stack share theirs.
    pub id: Uuid,
    pub version: i64,
    pub area: String,
    pub stream_id: Uuid,
    pub due_at: DateTime<Utc>,
    /// The owner: the real actor of the session or the stack, the owner of the draft or the export.
    pub subject_id: Uuid,
    /// Of an emulation stack: its layers' grants, targets and ends, outermost first.
    pub grant_ids: Vec<Uuid>,
    pub grant_targets: Vec<Uuid>,
    pub grant_ends: Vec<DateTime<Utc>>,
}

impl ReadModel for Deadlines {
    const NAME: &'static str = "deadlines";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    type Row = Row;
}

impl RowModel for Deadlines {
    const AREAS: &'static [Area] = &[Area::Session, Area::Emulation, Area::Draft, Area::Export];
    const SOURCE_COLUMN: &'static str = "stream_id";

    fn key(event: &Occurred) -> Option<Key> {
        fold::key(event)
    }

    fn evolve(row: Option<Row>, event: &Occurred) -> Option<Row> {
        fold::evolve(row, event)
    }

    fn key_of(row: &Row) -> Key {
        (row.tenant_id, row.id)
    }

    fn version_of(row: &Row) -> i64 {
        row.version
    }

    fn source_of(row: &Row) -> (Area, Uuid) {
        (Area::named(&row.area).unwrap_or(Area::Operation), row.stream_id)
    }
}
