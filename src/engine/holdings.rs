//! Who held what, and when: profiles at a moment, and periods (History contract 2).

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::domain::profile::{Past, Profile};
use crate::projections::profile_holdings::read::{
    Holder, Period, PeriodsWanted, Wanted, count_holders, holders, periods,
};
use crate::store::{Doing, Error, Recorded};

use super::past::moment::Moment;
use super::past::states;
use super::{Engine, stream};

/// A profile at a moment, and the event with which it began to hold what was asked for.
pub struct HolderThen {
    pub id: Uuid,
    pub past: Past,
    pub since: Recorded,
}

/// A period in which a profile held something, with the events that began and ended it.
pub struct PeriodOf {
    pub period: Period,
    pub began: Recorded,
    pub ended: Option<Recorded>,
}

impl Engine {
    /// The profiles that at a moment held something of each of `wanted`: at most `limit` after this
    /// id, by id, as they then were.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn holders_at(
        &self,
        moment: Moment,
        wanted: &[Wanted],
        after: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<HolderThen>, Error> {
        self.wait_audit().await?;
        let client = self.connection().await?;
        let (tenant, at) = (moment.tenant, moment.position);
        let found = holders(&client, tenant.0, wanted, at, after, limit).await;
        let found: Vec<Holder> = found.doing("finding holders")?;
        drop(client);
        let streams: Vec<_> =
            found.iter().map(|one| stream::<Profile>(tenant, one.profile_id)).collect();
        let versions = self.reader.versions_at(&streams, at).await?;
        let streams: Vec<_> = streams.into_iter().zip(versions).collect();
        let pasts = states::at_versions(&self.reader, &streams).await?;
        let since = found.iter().map(|one| one.since).collect();
        let mut since = self.events_by_position(since).await?;
        let then = found.into_iter().zip(pasts).filter_map(|(holder, past)| {
            // Each profile began by an event of its own.
            let since = since.remove(&holder.since)?;
            Some(HolderThen { id: holder.profile_id, past, since })
        });
        Ok(then.collect())
    }

    /// How many profiles held something of each of `wanted` at a moment.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn count_holders(&self, moment: Moment, wanted: &[Wanted]) -> Result<i64, Error> {
        self.wait_audit().await?;
        let client = self.connection().await?;
        let counted = count_holders(&client, moment.tenant.0, wanted, moment.position).await;
        counted.doing("counting holders")
    }

    /// Periods, those that began first before others.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn periods(
        &self,
        tenant: TenantId,
        wanted: &PeriodsWanted,
    ) -> Result<Vec<PeriodOf>, Error> {
        self.wait_audit().await?;
        let client = self.connection().await?;
        let found = periods(&client, tenant.0, wanted).await.doing("finding periods")?;
        drop(client);
        let mut ends: Vec<i64> = found.iter().map(|period| period.began).collect();
        ends.extend(found.iter().filter_map(|period| period.ended));
        let events = self.events_by_position(ends).await?;
        let period = |period: Period| {
            let began = events.get(&period.began)?.clone();
            let ended = period.ended.and_then(|ended| events.get(&ended).cloned());
            Some(PeriodOf { period, began, ended })
        };
        Ok(found.into_iter().filter_map(period).collect())
    }

    /// The events at these positions.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub(super) async fn events_by_position(
        &self,
        mut positions: Vec<i64>,
    ) -> Result<HashMap<i64, Recorded>, Error> {
        positions.sort_unstable();
        positions.dedup();
        let events = self.reader.at(&positions).await?;
        Ok(events.into_iter().map(|event| (event.position, event)).collect())
    }
}
