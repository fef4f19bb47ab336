//! Read model: the open drafts, by owner.
//!
//! Fed by: DraftSaved, DraftClosed
//! Fills: profile_drafts_view
//! Read by: POST /api/v5/artifacts/profiles/drafts

mod fold;
pub mod read;

use chrono::{DateTime, Utc};
use postgres_types::{FromSql, ToSql};
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::domain::draft::Form;
use crate::domain::{Area, Occurred};
use crate::projections::{Key, ReadModel, RowModel};

/// The read model.
pub struct ProfileDraftsView;

/// A row.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "profile_drafts_view")]
pub struct Row {
    pub tenant_id: Uuid,
    pub id: Uuid,
    /// Of the stream, and so of the draft: each save is one event.
    pub version: i64,
    pub owner_id: Uuid,
    pub session_id: Uuid,
    pub group_id: Uuid,
    pub mcp: bool,
    pub form: Json<Form>,
    pub created_at: DateTime<Utc>,
    pub saved_at: DateTime<Utc>,
}

impl ReadModel for ProfileDraftsView {
    const NAME: &'static str = "profile_drafts_view";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    const REFRESHED: bool = true;
    type Row = Row;
}

impl RowModel for ProfileDraftsView {
    const AREAS: &'static [Area] = &[Area::Draft];

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
        (Area::Draft, row.id)
    }
}
