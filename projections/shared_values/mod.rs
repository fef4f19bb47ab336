//! Read model: the values of a tenant by their ids: names, e-mail addresses, request limits.
//!
//! Fed by: ProfileRegistered, ProfileRenamed, EmailsAssigned, RequestLimitAssigned, DraftSaved
//! Fills: shared_values
//! Read by: POST /api/v5/artifacts/profiles/create, POST /api/v5/artifacts/profiles/update,
//! PATCH /api/v5/artifacts/profiles/draft (ids given instead of values)

mod fold;
pub mod read;

use postgres_types::{FromSql, ToSql};
use uuid::Uuid;

use crate::domain::Occurred;
use crate::projections::{InsertModel, ReadModel, ValueModel};

/// The read model.
pub struct SharedValues;

/// A row. The value of an id never changes, so rows are only inserted.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "shared_values")]
pub struct Row {
    pub tenant_id: Uuid,
    pub id: Uuid,
    /// `name`, `email` or `request_limit`.
    pub kind: String,
    pub value: String,
}

impl ReadModel for SharedValues {
    const NAME: &'static str = "shared_values";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    type Row = Row;
}

impl InsertModel for SharedValues {
    fn rows(event: &Occurred) -> Vec<Row> {
        fold::rows(event)
    }
}

impl ValueModel for SharedValues {
    fn id_of(row: &Row) -> Uuid {
        row.id
    }
}
