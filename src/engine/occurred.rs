//! Turns records of the log into the domain's events.

use crate::domain::ids::TenantId;
use crate::domain::{Area, Event, Occurred};
use crate::store::{Error, Recorded};

/// The event in a record of the log.
///
/// # Errors
/// [`Error::Corrupt`] for a name or payload that this program does not know: it is not skipped.
pub fn occurred(recorded: &Recorded) -> Result<Occurred, Error> {
    let corrupt = |why: String| {
        let (name, position, stream) = (&recorded.name, recorded.position, recorded.stream);
        Error::Corrupt(format!("reading {name} at position {position} of {stream:?}: {why}"), None)
    };
    let area = Area::named(recorded.stream.area.as_str())
        .ok_or_else(|| corrupt(format!("no area {:?}", recorded.stream.area)))?;
    let event = Event::decode(area, &recorded.name, &recorded.payload)
        .map_err(|error| corrupt(error.to_string()))?;
    let envelope = &*recorded.envelope;
    Ok(Occurred {
        tenant_id: TenantId(recorded.stream.tenant_id),
        area,
        stream_id: recorded.stream.id,
        version: recorded.version,
        position: recorded.position,
        occurred_at: recorded.occurred_at,
        recorded_at: recorded.recorded_at,
        real_actor_id: envelope.real_actor_id,
        effective_actor_id: envelope.effective_actor_id,
        operation: envelope.operation,
        name: recorded.name.clone(),
        event_id: recorded.event_id,
        request_id: envelope.request_id,
        correlation_id: envelope.correlation_id,
        session_id: envelope.session_id,
        emulation: envelope.emulation.clone(),
        grant_id: envelope.grant_id,
        channel: envelope.channel,
        face: envelope.face,
        event,
    })
}
