//! Read model: the contents of the attachments of each live profile. A profile has one row, since
//! deleting it removes all of them by one event.
//!
//! Fed by: AttachmentStored, ProfileDeleted
//! Fills: profile_attachments
//! Read by: engine/kept/attachments (what may be collected)

mod fold;
pub mod read;

use postgres_types::{FromSql, ToSql};
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::domain::profile::Attachment;
use crate::domain::{Area, Occurred};
use crate::projections::{Key, ReadModel, RowModel};

/// The read model.
pub struct ProfileAttachments;

/// A row.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "profile_attachments")]
pub struct Row {
    pub tenant_id: Uuid,
    /// The profile's id.
    pub id: Uuid,
    pub version: i64,
    /// In the order in which their names were first used.
    pub attachments: Json<Vec<Attachment>>,
    /// The digests in `attachments`, each once, sorted: the column that is indexed.
    pub digests: Vec<Vec<u8>>,
}

impl ReadModel for ProfileAttachments {
    const NAME: &'static str = "profile_attachments";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    type Row = Row;
}

impl RowModel for ProfileAttachments {
    const AREAS: &'static [Area] = &[Area::Profile];

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
        (Area::Profile, row.id)
    }
}
