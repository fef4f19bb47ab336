//! Read model: which event changed which field of a profile. It holds no values: those are in the
//! events.
//!
//! Fed by: what a profile was before each of its events and is after it
//! Fills: profile_changes
//! Read by: GET /api/v1/profiles/{id}/history, GET /api/v1/profiles/{id}/diff

mod fold;
pub mod read;

use postgres_types::{FromSql, ToSql};
use uuid::Uuid;

use crate::projections::{Lane, ReadModel, Transition, TransitionKey, TransitionModel};

/// The read model.
pub struct ProfileChanges;

/// A row: a field that an event changed.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "profile_changes")]
pub struct Row {
    pub tenant_id: Uuid,
    pub profile_id: Uuid,
    pub field: String,
    pub position: i64,
    pub version: i64,
}

impl ReadModel for ProfileChanges {
    const NAME: &'static str = "profile_changes";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    const LANE: Lane = Lane::Audit;
    type Row = Row;
}

impl TransitionModel for ProfileChanges {
    fn rows(transition: Transition<'_>) -> Vec<Row> {
        fold::rows(transition)
    }

    fn key_of(row: &Row) -> TransitionKey {
        (row.profile_id, row.position, row.field.clone())
    }
}
