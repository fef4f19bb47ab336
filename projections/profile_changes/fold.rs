//! The fields that an event changed.

use crate::projections::Transition;

use super::Row;

pub fn rows(transition: Transition<'_>) -> Vec<Row> {
    let event = transition.event;
    let changes = transition.step.map_or(&[][..], |step| &step.changes);
    let row = |field: &str| Row {
        tenant_id: event.tenant_id.0,
        profile_id: event.stream_id,
        field: field.to_owned(),
        position: event.position,
        version: event.version,
    };
    changes.iter().map(|change| row(&change.field)).collect()
}
