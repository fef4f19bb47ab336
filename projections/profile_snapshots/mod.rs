//! Read model: profiles after every [`SNAPSHOT_EVENTS`]th of their events, so that a long history
//! need not be read from its beginning. Only reading of the past uses it: what a write relies on is
//! always folded from the log.
//!
//! Fed by: what a profile was before each of its events and is after it
//! Fills: profile_snapshots
//! Read by: engine/past

mod fold;
pub mod read;

use postgres_types::{FromSql, ToSql};
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::domain::profile::Past;
use crate::projections::{Lane, ReadModel, Transition, TransitionKey, TransitionModel};

/// Events between two snapshots of a profile. Fewer cost more space, more cost longer reading.
pub const SNAPSHOT_EVENTS: i64 = 64;

/// The read model.
pub struct ProfileSnapshots;

/// A row.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "profile_snapshots")]
pub struct Row {
    pub tenant_id: Uuid,
    pub profile_id: Uuid,
    pub version: i64,
    pub position: i64,
    pub past: Json<Past>,
}

impl ReadModel for ProfileSnapshots {
    const NAME: &'static str = "profile_snapshots";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    const LANE: Lane = Lane::Audit;
    type Row = Row;
}

impl TransitionModel for ProfileSnapshots {
    fn rows(transition: Transition<'_>) -> Vec<Row> {
        fold::rows(transition)
    }

    fn key_of(row: &Row) -> TransitionKey {
        (row.profile_id, row.position, String::new())
    }
}
