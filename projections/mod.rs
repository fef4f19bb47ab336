//! Read models: what can always be made again from the log. Each folder is one: its table, its
//! fold (pure) and its queries. Loading, storing and checkpoints are the engine's.

pub mod audit_log;
pub mod catalogue;
pub mod deadlines;
pub mod exports;
pub mod profile_attachments;
pub mod profile_counts;
pub mod profile_documents;
pub mod profile_drafts_view;
pub mod profile_search;
pub mod profiles_view;
pub mod shared_values;

use std::fmt::Debug;

use tokio_postgres::types::{FromSqlOwned, ToSql};
use uuid::Uuid;

use crate::domain::{Area, Occurred};

/// Which row: a tenant's, by its id. Ids alone may meet another tenant's, since callers may
/// choose them.
pub type Key = (Uuid, Uuid);

/// What every read model says of itself.
pub trait ReadModel: Send + Sync + 'static {
    /// Folder, table and wire name.
    const NAME: &'static str;
    /// Raised when table or fold change; the table is then filled anew in a schema of its own.
    const VERSION: u32;
    /// What creates the table in the schema that the search path names first.
    const TABLE: &'static str;
    /// A row, as the composite type of its table.
    type Row: ToSql + FromSqlOwned + Clone + PartialEq + Debug + Send + Sync + 'static;

    /// The schema of this version.
    fn schema() -> String {
        format!("{}_v{}", Self::NAME, Self::VERSION)
    }
}

/// A read model whose every row is fed by one stream; an event touches at most one row.
pub trait RowModel: ReadModel {
    /// The row that the event touches.
    fn key(event: &Occurred) -> Option<Key>;
    /// What the row becomes. An event that the row has seen already changes nothing.
    fn fold(row: Option<Self::Row>, event: &Occurred) -> Option<Self::Row>;
    /// The row's key.
    fn key_of(row: &Self::Row) -> Key;
    /// The version of the last event that touched the row.
    fn version_of(row: &Self::Row) -> i64;
    /// About how many bytes a row holds of what callers chose without a small bound.
    fn weight(_: &Self::Row) -> usize {
        0
    }
    /// The areas whose events feed it.
    const AREAS: &'static [Area];
    /// The stream that feeds the row.
    fn source_of(row: &Self::Row) -> (Area, Uuid);
    /// The column that holds the id of the stream that feeds a row.
    const SOURCE_COLUMN: &'static str = "id";
}

/// A read model whose rows are only ever inserted; a row that exists already stays.
pub trait InsertModel: ReadModel {
    /// The rows that the event brings.
    fn rows(event: &Occurred) -> Vec<Self::Row>;
}

/// The schema of every read model, for a search path.
pub fn schemas() -> Vec<String> {
    vec![
        audit_log::AuditLog::schema(),
        catalogue::Catalogue::schema(),
        deadlines::Deadlines::schema(),
        exports::Exports::schema(),
        profile_attachments::ProfileAttachments::schema(),
        profile_counts::ProfileCounts::schema(),
        profile_documents::ProfileDocuments::schema(),
        profile_drafts_view::ProfileDraftsView::schema(),
        profile_search::ProfileSearch::schema(),
        profiles_view::ProfilesView::schema(),
        shared_values::SharedValues::schema(),
    ]
}

/// The lines of a `table.sql` that define its columns, in order: one a line.
pub fn column_lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    let body = table.split_once('(').map_or("", |(_, body)| body);
    let lines = body.lines().map(str::trim).take_while(|line| !line.starts_with(");"));
    lines.filter(|line| !line.is_empty() && !line.starts_with("constraint"))
}
