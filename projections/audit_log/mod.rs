//! Read model: every event, by all that its envelope says of it.
//!
//! Fed by: every event
//! Fills: audit_log
//! Read by: GET /api/v1/events, GET /api/v1/events/count, GET /api/v1/events/{event_id}

pub mod filter;
mod fold;
pub mod read;

use chrono::{DateTime, Utc};
use postgres_types::{FromSql, ToSql};
use uuid::Uuid;

use crate::domain::Occurred;
use crate::projections::{EntryModel, InsertModel, Lane, ReadModel};

/// The read model.
pub struct AuditLog;

/// A row: where to find an event. The event itself stays in the log.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "audit_log")]
pub struct Row {
    pub tenant_id: Uuid,
    pub position: i64,
    pub event_id: Uuid,
    pub area: String,
    pub stream_id: Uuid,
    pub name: String,
    pub operation: String,
    pub real_actor_id: Uuid,
    pub effective_actor_id: Uuid,
    /// The layers of a nested emulation but the innermost, which is the effective actor.
    pub middle_actor_ids: Option<Vec<Uuid>>,
    pub grant_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    pub request_id: Uuid,
    pub correlation_id: Uuid,
    pub channel: String,
    pub face: String,
    pub occurred_at: DateTime<Utc>,
}

impl ReadModel for AuditLog {
    const NAME: &'static str = "audit_log";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    const LANE: Lane = Lane::Audit;
    type Row = Row;
}

impl InsertModel for AuditLog {
    fn rows(event: &Occurred) -> Vec<Row> {
        fold::rows(event)
    }
}

impl EntryModel for AuditLog {
    fn position_of(row: &Row) -> i64 {
        row.position
    }
}
