//! Queries on `profile_search`.

use tokio_postgres::{Client, Error, RowStream};
use uuid::Uuid;

use super::Row;

/// Every row of a tenant, read as a stream.
///
/// # Errors
/// The driver's.
pub async fn all(client: &Client, tenant: Uuid) -> Result<RowStream, Error> {
    let sql = "select profile_search from profile_search where tenant_id = $1";
    client.query_raw(sql, [tenant]).await
}

/// The row of one record of [`all`].
///
/// # Errors
/// The driver's.
pub fn decode(record: &tokio_postgres::Row) -> Result<Row, Error> {
    record.try_get(0)
}
