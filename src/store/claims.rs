//! Claims: what only one may hold at a time. Appends take and release them; here they are read.

use std::collections::HashMap;

use tokio_postgres::Client;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::error::{Doing, Error};
use super::read::Reader;
use super::types::Claim;

/// The table of claims, and the condition of rows that may be removed: those that ended some time
/// ago, so that a late caller is still told that the claim has ended. An index finds them.
pub const ENDED_CLAIMS: (&str, &str) =
    ("log.claims", "expires_at < clock_timestamp() - interval '1 hour'");

/// The holder of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claimed {
    pub tenant_id: Uuid,
    pub holder: Uuid,
}

impl Reader {
    /// The holders of these claims; claims without a holder are not in the answer.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn claims(&self, claims: &[Uuid]) -> Result<HashMap<Uuid, Claimed>, Error> {
        let sql = "select claim, tenant_id, holder from log.claims where claim = any($1::uuid[])";
        let rows = self.query(sql, &[&claims], "reading claims").await?;
        let held = rows
            .iter()
            .map(|row| (row.get(0), Claimed { tenant_id: row.get(1), holder: row.get(2) }));
        Ok(held.collect())
    }

    /// The claims of a kind in a tenant, with their holders, the first 10,000 by holder; for kinds
    /// that are listed (names of tenants and API keys, access tokens).
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn claimed(&self, tenant_id: Uuid, kind: &str) -> Result<Vec<(Uuid, Uuid)>, Error> {
        let sql = "
            select claim, holder from log.claims
            where kind = $1
                and kind in ('tenant_name', 'api_key_name', 'access_token')
                and tenant_id = $2
            order by holder limit 10000";
        let rows = self.query(sql, &[&kind, &tenant_id], "listing claims").await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// How many claims [`Reader::claimed`] would list without a bound.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn count_claimed(&self, tenant_id: Uuid, kind: &str) -> Result<i64, Error> {
        let sql = "
            select count(*) from log.claims
            where kind = $1
                and kind in ('tenant_name', 'api_key_name', 'access_token')
                and tenant_id = $2";
        let rows = self.query(sql, &[&kind, &tenant_id], "counting claims").await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }
}

/// Stores a claim without an event, for a record that changes nothing. An existing claim stays as
/// it is.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn keep_claim(client: &Client, claim: &Claim) -> Result<(), Error> {
    let sql = "
        insert into log.claims (claim, kind, tenant_id, holder, expires_at)
        values ($1, $2, $3, $4, $5)
        on conflict do nothing";
    let parameters: [&(dyn ToSql + Sync); 5] =
        [&claim.claim, &claim.kind, &claim.tenant_id, &claim.holder, &claim.expires_at];
    client.execute(sql, &parameters).await.doing("keeping a claim").map(|_| ())
}
