//! Moments of a tenant's log (History contract 0.4).

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::ids::TenantId;
use crate::domain::tenant::{Catalogue, Tenant};
use crate::engine::{Engine, stream};
use crate::store::Error;

/// A moment of a tenant's log: everything up to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub tenant: TenantId,
    /// What was recorded later is not known at this moment.
    pub position: i64,
    /// The tenant's last event up to there: its position, and when it was recorded.
    pub last: Option<(i64, DateTime<Utc>)>,
}

impl Engine {
    /// The moment at a position.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn moment(&self, tenant: TenantId, position: i64) -> Result<Moment, Error> {
        let last = self.reader.last_event_until(tenant.0, position).await?;
        Ok(Moment { tenant, position, last })
    }

    /// The moment after all that was recorded at or before `instant`; None if that time is not over
    /// yet. Later appends never belong to it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn moment_as_of(
        &self,
        tenant: TenantId,
        instant: DateTime<Utc>,
    ) -> Result<Option<Moment>, Error> {
        match self.reader.last_position_until(instant).await? {
            Some(position) => self.moment(tenant, position).await.map(Some),
            None => Ok(None),
        }
    }

    /// The catalogue of the moment's tenant as it was.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn catalogue_at(&self, moment: Moment) -> Result<Arc<Catalogue>, Error> {
        let tenant = moment.tenant;
        let stream = stream::<Tenant>(tenant, tenant.0);
        let versions = self.reader.versions_at(&[stream], moment.position).await?;
        let version = versions.first().copied().unwrap_or_default();
        let now = self.load::<Tenant>(tenant, tenant.0).await?;
        if now.version == version {
            return Ok(now.state);
        }
        if let Some(known) = self.past_catalogues.get(&(tenant, version)) {
            return Ok(known);
        }
        let was = Arc::new(self.state_at::<Tenant>(tenant, tenant.0, version).await?);
        self.past_catalogues.insert((tenant, version), was.clone());
        Ok(was)
    }
}
