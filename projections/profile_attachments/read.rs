//! Queries on `profile_attachments`.

use std::collections::HashSet;

use deadpool_postgres::Client;
use tokio_postgres::Error;
use uuid::Uuid;

use crate::domain::attachment::Digest;

/// Those of these digests that an attachment of the tenant has.
///
/// # Errors
/// The driver's.
pub async fn referred(
    client: &Client,
    tenant: Uuid,
    digests: &[Digest],
) -> Result<HashSet<Digest>, Error> {
    let sql = "
        select distinct digest
        from profile_attachments
            cross join unnest(digests) as held (digest)
        where tenant_id = $1
            and digests && $2::bytea[]
            and digest = any ($2::bytea[])";
    let wanted: Vec<&[u8]> = digests.iter().map(|digest| &digest.0[..]).collect();
    let statement = client.prepare_cached(sql).await?;
    let rows = client.query(&statement, &[&tenant, &wanted]).await?;
    let held: HashSet<&[u8]> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    Ok(digests.iter().copied().filter(|digest| held.contains(&digest.0[..])).collect())
}
