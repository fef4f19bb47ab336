//! Reads the log for auditors: the history of one profile, and the events of a tenant.

use crate::domain::ids::TenantId;
use crate::domain::profile;
use crate::projections::audit_log::read::{Filter, positions};
use crate::store::{Doing, Error, Recorded};

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

impl Engine {
    /// The events of a profile.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn profile_history(
        &self,
        tenant: TenantId,
        profile: uuid::Uuid,
        range: Range,
    ) -> Result<Page, Error> {
        let stream = stream::<profile::Profile>(tenant, profile);
        let read =
            self.reader.stream_page(stream, range.bound, range.oldest_first, range.limit + 1);
        Ok(page(read.await?, range.limit))
    }

    /// The events of a tenant.
    ///
    /// # Errors
    /// [`Error::Unavailable`], also when the read model `audit_log` is more than two seconds
    /// behind.
    pub async fn events(
        &self,
        tenant: TenantId,
        filter: &Filter,
        range: Range,
    ) -> Result<Page, Error> {
        if !self.projections.wait_audit_log(self.followed(), FOLD_WAIT_MAX).await {
            return Err(Error::Unavailable("finding events again", None));
        }
        let client = self.connection().await?;
        let (ascending, limit) = (range.oldest_first, range.limit + 1);
        let bound = range.bound.unwrap_or(if ascending { 0 } else { i64::MAX });
        let found = positions(&client, tenant.0, filter, bound, ascending, limit)
            .await
            .doing("finding events")?;
        drop(client);
        let mut events = self.reader.at(&found).await?;
        if !ascending {
            events.reverse();
        }
        Ok(page(events, range.limit))
    }
}

fn page(mut events: Vec<Recorded>, limit: i64) -> Page {
    let limit = usize::try_from(limit).unwrap_or_default();
    let more = events.len() > limit;
    events.truncate(limit);
    Page { events, more }
}
