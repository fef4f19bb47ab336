//! How a draft's events change its row.

use tokio_postgres::types::Json;

use crate::domain::draft::Event;
use crate::domain::{Event as AnyEvent, Occurred};
use crate::projections::Key;

use super::Row;

pub fn key(event: &Occurred) -> Option<Key> {
    matches!(event.event, AnyEvent::Draft(_)).then_some((event.tenant_id.0, event.stream_id))
}

pub fn evolve(row: Option<Row>, occurred: &Occurred) -> Option<Row> {
    let AnyEvent::Draft(event) = &occurred.event else { return row };
    match event {
        Event::DraftSaved { owner, session, group, mcp, form } => Some(Row {
            tenant_id: occurred.tenant_id.0,
            id: occurred.stream_id,
            version: occurred.version,
            owner_id: owner.0,
            session_id: session.0,
            group_id: *group,
            mcp: *mcp,
            form: Json(form.clone()),
            created_at: row.map_or(occurred.occurred_at, |row| row.created_at),
            saved_at: occurred.occurred_at,
        }),
        Event::DraftClosed { .. } => None,
    }
}
