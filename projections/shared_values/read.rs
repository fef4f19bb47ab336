//! Queries on `shared_values`.

use std::collections::HashMap;

use deadpool_postgres::Client;
use tokio_postgres::Error;
use uuid::Uuid;

use super::Row;

/// The values of these ids of a tenant; unknown ids are left out.
///
/// # Errors
/// The driver's.
pub async fn by_ids(
    client: &Client,
    tenant: Uuid,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, Row>, Error> {
    let sql = "
        select shared_values
        from shared_values
        where tenant_id = $1 and id = any($2::uuid[])";
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&tenant, &ids]).await?;
    let rows = rows.iter().map(|row| row.try_get::<_, Row>(0));
    rows.map(|row| row.map(|row| (row.id, row))).collect()
}

/// At most `limit` request limits of a tenant. Other kinds of values are never suggested.
///
/// # Errors
/// The driver's.
pub async fn request_limits(client: &Client, tenant: Uuid, limit: i64) -> Result<Vec<Row>, Error> {
    let sql = "
        select shared_values
        from shared_values
        where tenant_id = $1 and kind = 'request_limit'
        order by id
        limit $2";
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&tenant, &limit]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
