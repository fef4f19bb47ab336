//! Counts requests per UTC day, for real actors with a limit. Blocks of requests are leased from
//! the database, so that a request costs no write. A crash loses the unused part of a block: the
//! profile is then allowed fewer requests, never more.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};
use deadpool_postgres::Pool;
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::store::{Doing, Error};

/// Most requests leased at once.
const BLOCK_MAX: i32 = 64;
/// Most leases in memory; beyond, all are dropped and leased again.
const LEASES_MAX: usize = 100_000;

/// Counts requests. One for each process.
pub struct Quota {
    pool: Pool,
    leases: Mutex<HashMap<(Uuid, Uuid), Lease>>,
}

#[derive(Clone, Copy)]
struct Lease {
    day: NaiveDate,
    left: i32,
    /// The limit at the time of the lease: if it changes, a new lease is taken.
    limit: i32,
}

impl Quota {
    /// Leases through this pool.
    pub fn new(pool: Pool) -> Quota {
        Quota { pool, leases: Mutex::default() }
    }

    /// Counts one request of `profile`; false when it has made `limit` of them this UTC day.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn count(
        &self,
        tenant: TenantId,
        profile: Uuid,
        limit: i32,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let day = now.date_naive();
        let key = (tenant.0, profile);
        if self.count_leased(key, day, limit) {
            return Ok(true);
        }
        // Small compared with the limit, so that several processes can share it to the last
        // request.
        let block = (limit / 20).clamp(1, BLOCK_MAX);
        let granted = self.lease(key, day, block, limit).await?;
        if granted == 0 {
            return Ok(false);
        }
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        if leases.len() > LEASES_MAX {
            leases.clear();
        }
        let lease = leases.entry(key).or_insert(Lease { day, left: 0, limit });
        let kept = if lease.day == day && lease.limit == limit { lease.left } else { 0 };
        *lease = Lease { day, left: kept + granted - 1, limit };
        Ok(true)
    }

    fn count_leased(&self, key: (Uuid, Uuid), day: NaiveDate, limit: i32) -> bool {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        match leases.get_mut(&key) {
            Some(lease) if lease.day == day && lease.limit == limit && lease.left > 0 => {
                lease.left -= 1;
                true
            }
            _ => false,
        }
    }

    /// How many of `block` more requests are left today; they are taken now.
    async fn lease(
        &self,
        key: (Uuid, Uuid),
        day: NaiveDate,
        block: i32,
        limit: i32,
    ) -> Result<i32, Error> {
        let sql = "
            insert into ops.request_counters as counters
                (tenant_id, profile_id, day, leased, leased_before)
            values ($1, $2, $3, least($4::int, $5::int), 0)
            on conflict (tenant_id, profile_id, day) do update
            set leased = least(counters.leased + $4::int, greatest($5::int, counters.leased)),
                leased_before = counters.leased
            returning leased - leased_before";
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(sql).await.doing("leasing requests")?;
        let row = client
            .query_one(&statement, &[&key.0, &key.1, &day, &block, &limit])
            .await
            .doing("leasing requests")?;
        Ok(row.get::<_, i32>(0).max(0))
    }
}
