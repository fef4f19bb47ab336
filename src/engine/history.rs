//! Reads the log for auditors: the history of one profile, and the events of a tenant.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::domain::profile::Profile;
use crate::projections::audit_log::filter::Filter;
use crate::projections::audit_log::read as audit_log;
use crate::projections::profile_changes::{self, read::Wanted};
use crate::store::{Doing, Error, Recorded, StreamPage};

use super::past::moment::Moment;
use super::{Engine, FOLD_WAIT_MAX, stream};

/// A page of events, and whether more follow.
pub struct Page {
    pub events: Vec<Recorded>,
    pub more: bool,
}

/// In which order to read, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// A position, exclusive; None begins at the first event in this order.
    pub bound: Option<i64>,
    pub oldest_first: bool,
    pub limit: i64,
}

impl Range {
    /// The positions, exclusive, between which the page lies.
    fn between(&self) -> (i64, i64) {
        match (self.bound, self.oldest_first) {
            (None, _) => (0, i64::MAX),
            (Some(bound), true) => (bound, i64::MAX),
            (Some(bound), false) => (0, bound),
        }
    }
}

/// Which events of a profile are wanted. What is empty or None is no condition.
#[derive(Clone, Debug, Default)]
pub struct StreamFilter {
    /// They changed one of these fields; `attributes` and `attachments` stand for all of them.
    pub fields: Vec<String>,
    pub names: Vec<String>,
    /// Recorded at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time.
    pub until: Option<DateTime<Utc>>,
}

/// Which events of a tenant are wanted.
#[derive(Clone, Debug, Default)]
pub struct EventsWanted {
    pub filter: Filter,
    /// Recorded at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time.
    pub until: Option<DateTime<Utc>>,
}

impl Engine {
    /// The events of a profile.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn profile_history(
        &self,
        tenant: TenantId,
        profile: Uuid,
        filter: &StreamFilter,
        range: Range,
    ) -> Result<Page, Error> {
        let (after, before) = range.between();
        let (from, until) = self.positions_between(filter.from, filter.until).await?;
        let (ascending, limit) = (range.oldest_first, range.limit + 1);
        let (names, between) = (&filter.names, (after.max(from), before.min(until)));
        if filter.fields.is_empty() {
            let wanted = StreamPage { between, names, ascending, limit };
            let read = self.reader.stream_page(stream::<Profile>(tenant, profile), wanted);
            return Ok(page(read.await?, range.limit));
        }
        self.wait_audit().await?;
        let client = self.connection().await?;
        let wanted = Wanted { fields: &filter.fields, names, between, ascending, limit };
        let found = profile_changes::read::positions(&client, (tenant.0, profile), &wanted).await;
        drop(client);
        let events = self.events_at(&found.doing("finding changes")?, ascending).await?;
        Ok(page(events, range.limit))
    }

    /// The events of a tenant.
    ///
    /// # Errors
    /// [`Error::Unavailable`], also when the read model `audit_log` is more than two seconds
    /// behind.
    pub async fn events(
        &self,
        tenant: TenantId,
        wanted: &EventsWanted,
        range: Range,
    ) -> Result<Page, Error> {
        self.wait_audit().await?;
        let filter = self.between(wanted, range.between()).await?;
        let client = self.connection().await?;
        let wanted = audit_log::Page { ascending: range.oldest_first, limit: range.limit + 1 };
        let found = audit_log::positions(&client, tenant.0, &filter, wanted).await;
        drop(client);
        let events = self.events_at(&found.doing("finding events")?, range.oldest_first).await?;
        Ok(page(events, range.limit))
    }

    /// How many of the events up to a moment are wanted.
    ///
    /// # Errors
    /// [`Error::Unavailable`], also when the read model `audit_log` is more than two seconds
    /// behind.
    pub async fn count_events(&self, moment: Moment, wanted: &EventsWanted) -> Result<i64, Error> {
        self.wait_audit().await?;
        let filter = self.between(wanted, (0, moment.position.saturating_add(1))).await?;
        let client = self.connection().await?;
        audit_log::count(&client, moment.tenant.0, &filter).await.doing("counting events")
    }

    /// The event with this id; None if the tenant has none.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn event(&self, tenant: TenantId, id: Uuid) -> Result<Option<Recorded>, Error> {
        self.wait_audit().await?;
        let client = self.connection().await?;
        let found = audit_log::position_of(&client, tenant.0, id).await.doing("finding an event");
        drop(client);
        let positions: Vec<i64> = found?.into_iter().collect();
        Ok(self.reader.at(&positions).await?.pop())
    }

    /// The filter, narrowed to what lies between these positions and the times that it names.
    async fn between(
        &self,
        wanted: &EventsWanted,
        (after, before): (i64, i64),
    ) -> Result<Filter, Error> {
        let (from, until) = self.positions_between(wanted.from, wanted.until).await?;
        let between = (after.max(from), before.min(until));
        Ok(Filter { between, ..wanted.filter.clone() })
    }

    /// The positions, exclusive, between which all events lie that were recorded from the first
    /// time on and before the second.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn positions_between(
        &self,
        from: Option<DateTime<Utc>>,
        until: Option<DateTime<Utc>>,
    ) -> Result<(i64, i64), Error> {
        let after = match from {
            Some(from) => self.reader.first_position_since(from).await? - 1,
            None => 0,
        };
        let before = match until {
            Some(until) => self.reader.first_position_since(until).await?,
            None => i64::MAX,
        };
        Ok((after, before))
    }

    /// The events between a position and a moment that changed these fields of a profile: for each
    /// field at most `limit`, the oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`], also when the read model `profile_changes` is more than two seconds
    /// behind.
    pub async fn changed_between(
        &self,
        to: Moment,
        profile: Uuid,
        fields: &[String],
        after: i64,
        limit: usize,
    ) -> Result<Vec<(String, Recorded)>, Error> {
        if fields.is_empty() {
            return Ok(vec![]);
        }
        self.wait_audit().await?;
        let client = self.connection().await?;
        let key = (to.tenant.0, profile);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let between = (after, to.position);
        let found = profile_changes::read::between(&client, key, fields, between, limit).await;
        let found = found.doing("finding changes")?;
        drop(client);
        let positions = found.iter().map(|changed| changed.position).collect();
        let events = self.events_by_position(positions).await?;
        let event = |changed: profile_changes::read::Changed| {
            Some((changed.field, events.get(&changed.position)?.clone()))
        };
        Ok(found.into_iter().filter_map(event).collect())
    }

    /// Waits until the read models of auditors contain all that this process has followed.
    pub(super) async fn wait_audit(&self) -> Result<(), Error> {
        match self.projections.wait_audit(self.followed(), FOLD_WAIT_MAX).await {
            true => Ok(()),
            false => Err(Error::Unavailable("finding events again", None)),
        }
    }

    async fn events_at(&self, positions: &[i64], ascending: bool) -> Result<Vec<Recorded>, Error> {
        let mut events = self.reader.at(positions).await?;
        if !ascending {
            events.reverse();
        }
        Ok(events)
    }
}

fn page(mut events: Vec<Recorded>, limit: i64) -> Page {
    let limit = usize::try_from(limit).unwrap_or_default();
    let more = events.len() > limit;
    events.truncate(limit);
    Page { events, more }
}
