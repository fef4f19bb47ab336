//! The columns by which each event can be found.

use uuid::Uuid;

use crate::domain::Occurred;

use super::Row;

pub fn rows(event: &Occurred) -> Vec<Row> {
    vec![Row {
        tenant_id: event.tenant_id.0,
        position: event.position,
        event_id: event.event_id,
        area: event.area.name().to_owned(),
        stream_id: event.stream_id,
        name: event.name.clone(),
        operation: event.operation.to_owned(),
        real_actor_id: event.real_actor_id,
        effective_actor_id: event.effective_actor_id,
        middle_actor_ids: middle_actors(&event.emulation),
        grant_id: event.grant_id,
        session_id: event.session_id,
        request_id: event.request_id,
        correlation_id: event.correlation_id,
        channel: event.channel.to_owned(),
        face: event.face.to_owned(),
        occurred_at: event.occurred_at,
    }]
}

/// The layers of an emulation but the innermost, which is the effective actor; None if there are
/// none.
fn middle_actors(emulation: &[Uuid]) -> Option<Vec<Uuid>> {
    let (_, outer) = emulation.split_last()?;
    (!outer.is_empty()).then(|| outer.to_vec())
}
