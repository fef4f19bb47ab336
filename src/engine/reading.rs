//! Reads from an engine: states, positions of states and read models, and the log's head.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::domain::{Aggregate, tenant};
use crate::projections::Lane;
use crate::store::{Error, StreamKey};

use super::fold::lane::UNKNOWN;
use super::states::{self, Cached, Versioned};
use super::{Engine, FOLD_WAIT_MAX, stream};

impl Engine {
    /// The highest position of the log; 0 for an empty one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn head(&self) -> Result<i64, Error> {
        self.reader.head().await
    }

    /// Which guarantees of the log are broken, in words; none in a sound log.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn broken_promises(&self) -> Result<Vec<String>, Error> {
        self.reader.broken_promises().await
    }

    /// The highest position that this process has read of the log.
    pub fn followed(&self) -> i64 {
        *self.followed.borrow()
    }

    /// The position up to which both the cached states and the read models, and so answers, are
    /// complete.
    pub fn readable(&self) -> i64 {
        self.folded().map_or(0, |folded| folded.min(self.followed()))
    }

    /// How far the read models of requests are folded, as far as this process knows. A process that
    /// does not fold only knows what it has followed.
    fn folded(&self) -> Option<i64> {
        let positions = self.projections.positions();
        let views = positions.into_iter().find(|(lane, _)| *lane == Lane::Views);
        let position = views.map_or_else(|| self.followed(), |(_, position)| position);
        (position != UNKNOWN).then_some(position)
    }

    /// Waits until reads in this process see everything up to `position`, in the cached states and
    /// in the read models; false when that took too long.
    pub async fn wait_readable(&self, position: i64, at_most: Duration) -> bool {
        let reached = async {
            let mut followed = self.followed.clone();
            let reached = followed.wait_for(|at| *at >= position).await.is_ok();
            reached && (!self.projecting || self.projections.wait_folded(position, at_most).await)
        };
        tokio::time::timeout(at_most, reached).await.unwrap_or(false)
    }

    /// The current state of an aggregate, as far as this process has followed the log.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn load<A: Cached>(&self, tenant: TenantId, id: Uuid) -> Result<Versioned<A>, Error> {
        let mut loaded = self.load_all::<A>(tenant, &[id]).await?;
        loaded.pop().ok_or_else(|| Error::Corrupt("a stream was not read".to_owned(), None))
    }

    /// The current states of several, in the given order: one query for those not cached.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn load_all<A: Cached>(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<Vec<Versioned<A>>, Error> {
        let streams: Vec<StreamKey> = ids.iter().map(|id| stream::<A>(tenant, *id)).collect();
        self.states.load_all(&self.reader, &streams).await
    }

    /// The state of an aggregate after its event number `version`.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn state_at<A: Aggregate>(
        &self,
        tenant: TenantId,
        id: Uuid,
        version: i64,
    ) -> Result<A::State, Error> {
        let events = self.reader.streams(&[(stream::<A>(tenant, id), 0)]).await?;
        let mut state = A::State::default();
        for event in events.iter().filter(|event| event.version <= version) {
            states::evolve::<A>(&mut state, event)?;
        }
        Ok(state)
    }

    /// The catalogue of a tenant.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn catalogue(&self, tenant: TenantId) -> Result<Arc<tenant::Catalogue>, Error> {
        Ok(self.load::<tenant::Tenant>(tenant, tenant.0).await?.state)
    }

    /// Makes the following reads see everything that was in the log when the request arrived: if
    /// other processes append too, it follows and folds up to the head.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when that takes too long: no answer is better than an outdated one.
    pub async fn catch_up(&self, folded: bool) -> Result<(), Error> {
        if self.alone {
            // A crash of the database may lose folds, which is not known at once.
            return match folded && self.folded().is_none() {
                true => self.reach(0, true).await,
                false => Ok(()),
            };
        }
        let head = self.head_reads.head().await?;
        self.reach(head, folded).await
    }

    /// Waits until this process has followed, and if asked folded, up to `position`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after two seconds.
    pub async fn reach(&self, position: i64, folded: bool) -> Result<(), Error> {
        let too_late = || Error::Unavailable("catching up with the log", None);
        let mut followed = self.followed.clone();
        let reached = followed.wait_for(|at| *at >= position);
        let reached = tokio::time::timeout(FOLD_WAIT_MAX, reached).await;
        reached.map_err(|_| too_late())?.map_err(|_| too_late())?;
        if folded && !self.projections.wait_folded(position, FOLD_WAIT_MAX).await {
            return Err(too_late());
        }
        Ok(())
    }

    /// A connection for a query of a read model.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn connection(&self) -> Result<deadpool_postgres::Client, Error> {
        Ok(self.pool.get().await?)
    }
}
