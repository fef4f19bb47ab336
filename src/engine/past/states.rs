//! Profiles as they were: the nearest snapshot, and the events after it.

use uuid::Uuid;

use crate::domain::profile::{Event, Past, Step};
use crate::engine::states::decoded;
use crate::projections::profile_snapshots::{self, SNAPSHOT_EVENTS};
use crate::store::{Doing, Error, Reader, Recorded, StreamKey, StreamRange};

/// The profiles of these streams after that many events each, in the given order. Costs at most
/// two queries, and [`SNAPSHOT_EVENTS`] events for each profile once its snapshots are folded.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Corrupt`].
pub async fn at_versions(reader: &Reader, wanted: &[(StreamKey, i64)]) -> Result<Vec<Past>, Error> {
    let mut pasts = newest_snapshots(reader, wanted).await?;
    let range = |((stream, version), past): (&(StreamKey, i64), &Past)| StreamRange {
        stream: *stream,
        after: past.version,
        until: *version,
    };
    let ranges: Vec<StreamRange> = wanted.iter().zip(&pasts).map(range).collect();
    let open = ranges.iter().any(|range| range.after < range.until);
    let events = if open { reader.ranges(&ranges).await? } else { vec![] };
    let mut events = events.iter().peekable();
    for ((stream, _), past) in wanted.iter().zip(&mut pasts) {
        while let Some(event) = events.next_if(|event| event.stream == *stream) {
            step(past, event)?;
        }
    }
    Ok(pasts)
}

async fn newest_snapshots(
    reader: &Reader,
    wanted: &[(StreamKey, i64)],
) -> Result<Vec<Past>, Error> {
    let mut pasts = vec![Past::default(); wanted.len()];
    let places: Vec<usize> =
        (0..wanted.len()).filter(|place| wanted[*place].1 >= SNAPSHOT_EVENTS).collect();
    if places.is_empty() {
        return Ok(pasts);
    }
    let tenants: Vec<Uuid> = places.iter().map(|place| wanted[*place].0.tenant_id).collect();
    let profiles: Vec<Uuid> = places.iter().map(|place| wanted[*place].0.id).collect();
    let versions: Vec<i64> = places.iter().map(|place| wanted[*place].1).collect();
    let client = reader.connection().await?;
    let found = profile_snapshots::read::up_to(&client, &tenants, &profiles, &versions);
    for (place, past) in found.await.doing("reading snapshots of profiles")? {
        pasts[places[place]] = past;
    }
    Ok(pasts)
}

/// Adds an event of the log; returns what it changed.
///
/// # Errors
/// [`Error::Corrupt`] for an event that this program does not know.
pub fn step(past: &mut Past, recorded: &Recorded) -> Result<Option<Step>, Error> {
    let event: Event = decoded(recorded)?;
    Ok(past.step(&event, recorded.version, recorded.occurred_at))
}
