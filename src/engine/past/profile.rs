//! One profile as it was.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::moment::Moment;
use super::states;
use crate::domain::profile::{Change, Past, Profile};
use crate::engine::{Engine, stream};
use crate::store::{Error, Recorded, StreamKey, StreamRange};

/// Events of one stream that lie nearer to each other than this are read in one go, with those in
/// between.
const GAP_EVENTS_MAX: i64 = 64;

impl Engine {
    /// A profile as it was known at a moment.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn profile_at(&self, moment: Moment, id: Uuid) -> Result<Past, Error> {
        let stream = stream::<Profile>(moment.tenant, id);
        let versions = self.reader.versions_at(&[stream], moment.position).await?;
        self.profile_after(stream, versions.first().copied().unwrap_or_default()).await
    }

    /// The position of a profile's event of this version; None if there is none up to the moment.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn position_of_version(
        &self,
        moment: Moment,
        id: Uuid,
        version: i64,
    ) -> Result<Option<i64>, Error> {
        let event = self.profile_event(moment, id, version).await?;
        Ok(event.map(|event| event.position).filter(|position| *position <= moment.position))
    }

    /// A profile's event of this version.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn profile_event(
        &self,
        moment: Moment,
        id: Uuid,
        version: i64,
    ) -> Result<Option<Recorded>, Error> {
        let stream = stream::<Profile>(moment.tenant, id);
        let range = StreamRange { stream, after: version - 1, until: version };
        Ok(self.reader.ranges(&[range]).await?.pop())
    }

    /// A profile on the day `valid_at`, as it was known at a moment: from the events that had
    /// become true by then, in the order in which they did. Its version is their number.
    ///
    /// Reads the whole stream only if some of it was dated back.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn profile_valid_at(
        &self,
        moment: Moment,
        id: Uuid,
        valid_at: DateTime<Utc>,
    ) -> Result<Past, Error> {
        let stream = stream::<Profile>(moment.tenant, id);
        let versions = self.reader.versions_at(&[stream], moment.position).await?;
        let version = versions.first().copied().unwrap_or_default();
        if !self.reader.is_dated_back(stream, version).await? {
            let then = self.reader.last_position_until(valid_at).await?;
            let position = then.map_or(moment.position, |then| then.min(moment.position));
            let versions = self.reader.versions_at(&[stream], position).await?;
            return self.profile_after(stream, versions.first().copied().unwrap_or_default()).await;
        }
        let range = StreamRange { stream, after: 0, until: version };
        let mut events = self.reader.ranges(&[range]).await?;
        events.retain(|event| event.occurred_at <= valid_at);
        events.sort_by_key(|event| (event.occurred_at, event.version));
        let mut past = Past::default();
        for event in &events {
            states::step(&mut past, event)?;
        }
        Ok(Past { version: events.len() as i64, ..past })
    }

    async fn profile_after(&self, stream: StreamKey, version: i64) -> Result<Past, Error> {
        let found = states::at_versions(&self.reader, &[(stream, version)]).await?;
        Ok(found.into_iter().next().unwrap_or_default())
    }

    /// What each of these events changed of the profile that it belongs to; nothing for events of
    /// other areas. Costs the events themselves, and those since the snapshots before them.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn changes_of(&self, events: &[Recorded]) -> Result<Vec<Vec<Change>>, Error> {
        let mut changes: Vec<Vec<Change>> = events.iter().map(|_| vec![]).collect();
        let is_profile = |place: &usize| events[*place].stream.area.as_str() == "profile";
        let mut places: Vec<usize> = (0..events.len()).filter(is_profile).collect();
        places.sort_unstable_by_key(|place| (events[*place].stream, events[*place].version));
        let near = |one: &usize, next: &usize| {
            let (one, next) = (&events[*one], &events[*next]);
            one.stream == next.stream && next.version - one.version <= GAP_EVENTS_MAX
        };
        let groups: Vec<&[usize]> = places.chunk_by(near).collect();
        let first = |group: &&[usize]| {
            let first = &events[group[0]];
            (first.stream, first.version - 1)
        };
        let befores: Vec<(StreamKey, i64)> = groups.iter().map(first).collect();
        let mut pasts = states::at_versions(&self.reader, &befores).await?;
        let between = self.events_between(events, &groups).await?;
        let mut between = between.iter().peekable();
        for (group, past) in groups.iter().zip(&mut pasts) {
            for place in *group {
                let event = &events[*place];
                let before_it =
                    |one: &&Recorded| one.stream == event.stream && one.version < event.version;
                while let Some(one) = between.next_if(before_it) {
                    states::step(past, one)?;
                }
                let step = states::step(past, event)?;
                changes[*place] = step.map(|step| step.changes).unwrap_or_default();
            }
        }
        Ok(changes)
    }

    /// The events that lie between those of each group.
    async fn events_between(
        &self,
        events: &[Recorded],
        groups: &[&[usize]],
    ) -> Result<Vec<Recorded>, Error> {
        let pairs = groups.iter().flat_map(|group| group.windows(2));
        let ranges = pairs.map(|pair| {
            let (one, next) = (&events[pair[0]], &events[pair[1]]);
            StreamRange { stream: one.stream, after: one.version, until: next.version - 1 }
        });
        let ranges: Vec<StreamRange> = ranges.filter(|range| range.after < range.until).collect();
        if ranges.is_empty() { Ok(vec![]) } else { self.reader.ranges(&ranges).await }
    }
}
