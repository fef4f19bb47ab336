//! Queries on `profile_counts`.

use deadpool_postgres::Client;
use tokio_postgres::Error;
use uuid::Uuid;

use super::Row;

/// The counters of a tenant that are not zero, by dimension and key. Their number is that of the
/// roles and departments, and a few more.
///
/// # Errors
/// The driver's.
pub async fn of_tenant(client: &Client, tenant: Uuid) -> Result<Vec<Row>, Error> {
    let sql = "
        select profile_counts
        from profile_counts
        where tenant_id = $1 and profiles <> 0
        order by dimension, key
        limit 10000";
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&tenant]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// How many profiles a tenant has.
///
/// # Errors
/// The driver's.
pub async fn all(client: &Client, tenant: Uuid) -> Result<i64, Error> {
    let sql = "
        select profiles
        from profile_counts
        where tenant_id = $1 and dimension = 'profile' and key = 'all'";
    let statement = client.prepare_cached(sql).await?;
    let row = client.query_opt(&statement, &[&tenant]).await?;
    Ok(row.map_or(0, |row| row.get(0)))
}
