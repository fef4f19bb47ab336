//! Queries on `deadlines`.

use chrono::{DateTime, Utc};
use deadpool_postgres::Client;
use tokio_postgres::Error;
use uuid::Uuid;

use super::Row;

/// At most `limit` streams whose deadline has passed, the earliest deadline first.
///
/// # Errors
/// The driver's.
pub async fn due(client: &Client, now: DateTime<Utc>, limit: i64) -> Result<Vec<Row>, Error> {
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

/// The live emulation stacks of a tenant, or only those by or of one profile. There are few.
///
/// # Errors
/// The driver's.
pub async fn emulations(
    client: &Client,
    tenant: Uuid,
    profile: Option<Uuid>,
) -> Result<Vec<Row>, Error> {
    let sql = "
        select deadlines
        from deadlines
        where tenant_id = $1
            and area = 'emulation'
            and ($2::uuid is null or subject_id = $2 or grant_targets @> array[$2::uuid])
        limit 10000";
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&tenant, &profile]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// How many emulation stacks are live, in all tenants.
///
/// # Errors
/// The driver's.
pub async fn emulation_count(client: &Client) -> Result<i64, Error> {
    let sql = "select count(*) from deadlines where area = 'emulation'";
    let statement = client.prepare_cached(sql).await?;
    Ok(client.query_one(&statement, &[]).await?.get(0))
}

/// At most `limit` sessions, drafts and emulation stacks of a profile.
///
/// # Errors
/// The driver's.
pub async fn of_subject(
    client: &Client,
    tenant: Uuid,
    subject: Uuid,
    limit: i64,
) -> Result<Vec<Row>, Error> {
    let sql = "
        select deadlines
        from deadlines
        where tenant_id = $1
            and subject_id = $2
            and area in ('session', 'draft', 'emulation')
        limit $3";
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&tenant, &subject, &limit]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
