//! Read model: the exports whose files are still there.
//!
//! Fed by: ExportMade, ExportDownloaded, ExportPurged
//! Fills: exports
//! Read by: dossier verify; the deadline of each is in `deadlines`

mod fold;

use chrono::{DateTime, Utc};
use postgres_types::{FromSql, ToSql};
use uuid::Uuid;

use crate::domain::{Area, Occurred};
use crate::projections::{Key, ReadModel, RowModel};

/// The read model.
pub struct Exports;

/// A row.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "exports")]
pub struct Row {
    pub tenant_id: Uuid,
    pub id: Uuid,
    pub version: i64,
    pub owner_id: Uuid,
    pub file_name: String,
    pub row_count: i64,
    pub made_at: DateTime<Utc>,
    pub downloads: i64,
}

impl ReadModel for Exports {
    const NAME: &'static str = "exports";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    type Row = Row;
}

impl RowModel for Exports {
    const AREAS: &'static [Area] = &[Area::Export];

    fn key(event: &Occurred) -> Option<Key> {
        fold::key(event)
    }

    fn fold(row: Option<Row>, event: &Occurred) -> Option<Row> {
        fold::fold(row, event)
    }

    fn key_of(row: &Row) -> Key {
        (row.tenant_id, row.id)
    }

    fn version_of(row: &Row) -> i64 {
        row.version
    }

    fn source_of(row: &Row) -> (Area, Uuid) {
        (Area::Export, row.id)
    }
}
