//! A snapshot after every so many events.

use tokio_postgres::types::Json;

use crate::projections::Transition;

use super::{Row, SNAPSHOT_EVENTS};

pub fn rows(transition: Transition<'_>) -> Vec<Row> {
    let event = transition.event;
    if event.version % SNAPSHOT_EVENTS != 0 {
        return vec![];
    }
    vec![Row {
        tenant_id: event.tenant_id.0,
        profile_id: event.stream_id,
        version: event.version,
        position: event.position,
        past: Json(transition.past.clone()),
    }]
}
