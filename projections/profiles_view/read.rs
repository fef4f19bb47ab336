//! Queries on `profiles_view`.

use deadpool_postgres::Client;
use tokio_postgres::Error;
use uuid::Uuid;

use super::Row;

/// The rows of these profiles, in the order of the ids; unknown ids are left out.
///
/// # Errors
/// The driver's.
pub async fn by_ids(client: &Client, tenant: Uuid, ids: &[Uuid]) -> Result<Vec<Row>, Error> {
    let sql = "
        select profiles_view
        from unnest($2::uuid[]) with ordinality as wanted (id, ordinal)
        join profiles_view on profiles_view.tenant_id = $1 and profiles_view.id = wanted.id
        order by wanted.ordinal";
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&tenant, &ids]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// At most `limit` rows of a tenant after the profile `after`, by id.
///
/// # Errors
/// The driver's.
pub async fn page(
    client: &Client,
    tenant: Uuid,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Row>, Error> {
    let sql = "
        select profiles_view
        from profiles_view
        where tenant_id = $1 and id > $2
        order by id
        limit $3";
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&tenant, &after, &limit]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
