//! Queries on `profile_snapshots`.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::Error;
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::domain::profile::Past;

/// The newest snapshot of each of these profiles up to the version in the same place of
/// `versions`, with that place; none for profiles that have none.
///
/// # Errors
/// The driver's.
pub async fn up_to(
    client: &ClientWrapper,
    tenants: &[Uuid],
    profiles: &[Uuid],
    versions: &[i64],
) -> Result<Vec<(usize, Past)>, Error> {
    let sql = "
        select wanted.ordinal, newest.past
        from unnest($1::uuid[], $2::uuid[], $3::bigint[])
            with ordinality as wanted (tenant_id, profile_id, version, ordinal)
        cross join lateral (
            select past
            from profile_snapshots as one
            where one.tenant_id = wanted.tenant_id
                and one.profile_id = wanted.profile_id
                and one.version <= wanted.version
            order by one.version desc
            limit 1
        ) as newest";
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&tenants, &profiles, &versions]).await?;
    rows.iter()
        .map(|row| {
            let place = usize::try_from(row.get::<_, i64>(0) - 1).unwrap_or_default();
            Ok((place, row.try_get::<_, Json<Past>>(1)?.0))
        })
        .collect()
}
