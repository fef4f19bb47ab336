//! The columns by which each event can be found.

use crate::domain::Occurred;

use super::Row;

pub fn rows(event: &Occurred) -> Vec<Row> {
    vec![Row {
        tenant_id: event.tenant_id.0,
        position: event.position,
        stream_id: event.stream_id,
        name: event.name.clone(),
        operation: event.operation.to_owned(),
        real_actor_id: event.real_actor_id,
        effective_actor_id: event.effective_actor_id,
        recorded_at: event.recorded_at,
    }]
}
