//! Queries on `deadlines`.

use chrono::{DateTime, Utc};
use deadpool_postgres::Client;
use tokio_postgres::Error;

use super::Row;

/// At most `limit` streams whose deadline has passed, the longest past first.
///
/// # Errors
/// The driver's.
pub async fn passed(client: &Client, now: DateTime<Utc>, limit: i64) -> Result<Vec<Row>, Error> {
    let sql = "
        select deadlines
        from deadlines
        where due_at <= $1
        order by due_at
        limit $2";
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&now, &limit]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
