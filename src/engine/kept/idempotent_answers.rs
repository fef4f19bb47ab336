//! Stored answers for `Idempotency-Key`.

use std::collections::BTreeMap;

use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::store::{Doing, Error, OperationalTable};

use crate::engine::Engine;

/// Answers to writes with an `Idempotency-Key`. An answer that exists already has ended, as its
/// claim has: both wait for the sweep.
pub static ANSWERS: OperationalTable = OperationalTable {
    write: "insert into ops.idempotent_answers
        select * from json_populate_recordset(null::ops.idempotent_answers, $1)
        on conflict (claim) do update set
            digest = excluded.digest,
            status = excluded.status,
            headers = excluded.headers,
            body = excluded.body,
            expires_at = excluded.expires_at",
};

/// A stored answer.
pub struct Kept {
    pub digest: Uuid,
    pub status: i16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Engine {
    /// The answer stored under this claim, with its claim, until it ends.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn idempotent_answer(&self, claim: Uuid) -> Result<Option<Kept>, Error> {
        let sql = "
            select digest, status, headers, body
            from ops.idempotent_answers
            where claim = $1 and expires_at > clock_timestamp()";
        let client = self.connection().await?;
        let statement = client.prepare_cached(sql).await.doing("reading a kept answer")?;
        let row = client.query_opt(&statement, &[&claim]).await.doing("reading a kept answer")?;
        Ok(row.map(|row| Kept {
            digest: row.get(0),
            status: row.get(1),
            headers: row.get::<_, Json<BTreeMap<String, String>>>(2).0,
            body: row.get(3),
        }))
    }
}
