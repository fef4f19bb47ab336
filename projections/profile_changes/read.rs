//! Queries on `profile_changes`.

use deadpool_postgres::Client;
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Fields that stand for all that begin with them and a dot.
const GROUPS: [&str; 2] = ["attributes", "attachments"];

/// An event that changed a field.
pub struct Changed {
    pub field: String,
    pub position: i64,
}

/// For each of these fields the events of a profile that changed it at positions after `after` up
/// to `until`: at most `limit` of each field, the oldest first.
///
/// # Errors
/// The driver's.
pub async fn between(
    client: &Client,
    (tenant, profile): (Uuid, Uuid),
    fields: &[String],
    (after, until): (i64, i64),
    limit: i64,
) -> Result<Vec<Changed>, Error> {
    let sql = "
        select wanted.field, found.position
        from unnest($3::text[]) as wanted (field)
        cross join lateral (
            select position
            from profile_changes
            where tenant_id = $1 and profile_id = $2 and profile_changes.field = wanted.field
                and position > $4 and position <= $5
            order by position
            limit $6
        ) as found
        order by wanted.field, found.position";
    let statement = client.prepare_cached(sql).await?;
    let rows =
        client.query(&statement, &[&tenant, &profile, &fields, &after, &until, &limit]).await?;
    Ok(rows.iter().map(|row| Changed { field: row.get(0), position: row.get(1) }).collect())
}

/// Which page of the events of a profile.
pub struct Wanted<'a> {
    /// They changed one of these fields.
    pub fields: &'a [String],
    /// Names of events; empty for all.
    pub names: &'a [String],
    /// The positions, exclusive, between which they lie.
    pub between: (i64, i64),
    pub ascending: bool,
    /// Most events.
    pub limit: i64,
}

/// The positions of a page of a profile's events.
///
/// # Errors
/// The driver's.
pub async fn positions(
    client: &Client,
    (tenant, profile): (Uuid, Uuid),
    page: &Wanted<'_>,
) -> Result<Vec<i64>, Error> {
    let order = if page.ascending { "asc" } else { "desc" };
    let sql = format!(
        "select distinct found.position
        from unnest($3::text[], $4::text[]) as wanted (first, last)
        cross join lateral (
            select position
            from profile_changes
            where tenant_id = $1 and profile_id = $2 and field >= wanted.first
                and field <= wanted.last and position > $5 and position < $6
                and (
                    cardinality($7::text[]) = 0
                    or exists (
                        select 1
                        from log.events
                        where events.position = profile_changes.position
                            and events.name = any($7)
                    )
                )
            order by position {order}
            limit $8
        ) as found
        order by found.position {order}
        limit $8"
    );
    let (first, last): (Vec<String>, Vec<String>) =
        page.fields.iter().map(|one| bounds(one)).unzip();
    let (after, before) = page.between;
    let parameters: [&(dyn ToSql + Sync); 8] =
        [&tenant, &profile, &first, &last, &after, &before, &page.names, &page.limit];
    let statement = client.prepare_cached(&sql).await?;
    let rows = client.query(&statement, &parameters).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The first and the last field that a wanted field stands for.
fn bounds(field: &str) -> (String, String) {
    match GROUPS.contains(&field) {
        true => (format!("{field}."), format!("{field}.\u{10ffff}")),
        false => (field.to_owned(), field.to_owned()),
    }
}
