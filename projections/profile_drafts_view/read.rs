//! Queries on `profile_drafts_view`.

use deadpool_postgres::Client;
use tokio_postgres::Error;
use uuid::Uuid;

use super::Row;

/// At most `limit` open drafts of an owner, the last saved first.
///
/// # Errors
/// The driver's.
pub async fn of_owner(
    client: &Client,
    tenant: Uuid,
    owner: Uuid,
    limit: i64,
) -> Result<Vec<Row>, Error> {
    let sql = "
        select profile_drafts_view
        from profile_drafts_view
        where tenant_id = $1 and owner_id = $2
        order by saved_at desc, id
        limit $3";
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&tenant, &owner, &limit]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
