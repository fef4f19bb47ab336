//! Queries on `profile_holdings`.

use deadpool_postgres::Client;
use tokio_postgres::Error;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Something to hold, of one kind: any of these keys.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub kind: &'static str,
    pub keys: Vec<String>,
}

/// A profile that holds what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    pub profile_id: Uuid,
    /// The position of the event with which it began; the latest one, if several were wanted.
    pub since: i64,
}

/// A period in which a profile held something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    pub profile_id: Uuid,
    pub kind: String,
    pub key: String,
    /// The positions of the events with which it began and ended.
    pub began: i64,
    pub ended: Option<i64>,
}

/// The profiles of a tenant that at position `at` hold something of each of `wanted`, which is not
/// empty: at most `limit` after the id `after`, by id.
///
/// # Errors
/// The driver's.
pub async fn holders(
    client: &Client,
    tenant: Uuid,
    wanted: &[Wanted],
    at: i64,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Holder>, Error> {
    let sql = format!(
        "select found.profile_id, max(found.since)
        from unnest($3::text[]) as wanted (key)
        cross join lateral ({} and ($4::uuid is null or one.profile_id > $4) {} limit $5) as found
        group by found.profile_id
        order by found.profile_id
        limit $5",
        matching(wanted, 6).0,
        matching(wanted, 6).1,
    );
    let Some((first, others)) = wanted.split_first() else { return Ok(vec![]) };
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&tenant, &at, &first.keys, &after, &limit];
    parameters.extend(others.iter().map(|other| &other.keys as &(dyn ToSql + Sync)));
    let statement = client.prepare_cached(&sql).await?;
    let rows = client.query(&statement, &parameters).await?;
    Ok(rows.iter().map(|row| Holder { profile_id: row.get(0), since: row.get(1) }).collect())
}

/// How many profiles of a tenant hold something of each of `wanted` at position `at`.
///
/// # Errors
/// The driver's.
pub async fn count_holders(
    client: &Client,
    tenant: Uuid,
    wanted: &[Wanted],
    at: i64,
) -> Result<i64, Error> {
    let Some((first, others)) = wanted.split_first() else { return Ok(0) };
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&tenant, &at, &first.keys];
    // Of a single key each holder began once more than it ended.
    let sql = if others.is_empty() && first.keys.len() == 1 {
        format!(
            "select count(*) filter (where holds) - count(*) filter (where not holds)
            from profile_holdings
            where tenant_id = $1 and kind = '{}' and key = any($3::text[]) and position <= $2",
            first.kind
        )
    } else {
        parameters.extend(others.iter().map(|other| &other.keys as &(dyn ToSql + Sync)));
        let (from, order) = matching(wanted, 4);
        format!(
            "select count(distinct found.profile_id)
            from unnest($3::text[]) as wanted (key)
            cross join lateral ({from} {order}) as found"
        )
    };
    let statement = client.prepare_cached(&sql).await?;
    Ok(client.query_one(&statement, &parameters).await?.get(0))
}

/// A query for the profiles that hold `wanted.key` of the first kind and something of each other
/// one, in two parts between which a condition on `one` fits. `$1` is the tenant and `$2` the
/// position; the keys of the others begin at the parameter `others_at`.
fn matching(wanted: &[Wanted], others_at: usize) -> (String, String) {
    let Some((first, others)) = wanted.split_first() else { return (String::new(), String::new()) };
    let (mut joins, mut met, mut since) = (String::new(), String::new(), String::new());
    for (number, other) in others.iter().enumerate() {
        let parameter = others_at + number;
        joins.push_str(&format!(
            "
            cross join lateral (
                select max(newest.position) as since
                from unnest(${parameter}::text[]) as other (key)
                cross join lateral (
                    select position, holds
                    from profile_holdings
                    where tenant_id = $1 and kind = '{}' and profile_holdings.key = other.key
                        and profile_id = latest.profile_id and position <= $2
                    order by position desc
                    limit 1
                ) as newest
                where newest.holds
            ) as other_{number}",
            other.kind
        ));
        met.push_str(&format!(" and other_{number}.since is not null"));
        since.push_str(&format!(", other_{number}.since"));
    }
    let from = format!(
        "
        select latest.profile_id, greatest(latest.position{since}) as since
        from (
            select distinct on (one.profile_id) one.profile_id, one.position, one.holds
            from profile_holdings as one
            where one.tenant_id = $1 and one.kind = '{}' and one.key = wanted.key
                and one.position <= $2",
        first.kind
    );
    let order = format!(
        "
            order by one.profile_id, one.position desc
        ) as latest{joins}
        where latest.holds{met}
        order by latest.profile_id"
    );
    (from, order)
}

/// Which periods are wanted.
#[derive(Clone, Debug, Default)]
pub struct PeriodsWanted {
    /// Of these profiles; empty for all.
    pub profiles: Vec<Uuid>,
    /// Of each of these kinds those keys; empty for all.
    pub held: Vec<Wanted>,
    /// Positions: they ended after the first, and began before the second.
    pub between: (i64, i64),
    /// The position, kind and key of the period after which the page begins: one event begins at
    /// most one period of a kind and key.
    pub after: Option<(i64, String, String)>,
    pub limit: i64,
}

/// Periods of a tenant, those that began first before others.
///
/// # Errors
/// The driver's.
pub async fn periods(
    client: &Client,
    tenant: Uuid,
    wanted: &PeriodsWanted,
) -> Result<Vec<Period>, Error> {
    let pairs = || wanted.held.iter().flat_map(|one| one.keys.iter().map(|key| (one.kind, key)));
    let (kinds, keys): (Vec<&str>, Vec<&str>) = pairs().map(|(kind, key)| (kind, &**key)).unzip();
    let sql = periods_sql(kinds.is_empty());
    let after = wanted.after.as_ref();
    let position = after.map(|(position, _, _)| *position);
    let (kind, key) = after.map(|(_, kind, key)| (kind, key)).unzip();
    let parameters: [&(dyn ToSql + Sync); 10] = [
        &tenant,
        &kinds,
        &keys,
        &wanted.profiles,
        &wanted.between.0,
        &wanted.between.1,
        &position,
        &kind,
        &key,
        &wanted.limit,
    ];
    let statement = client.prepare_cached(&sql).await?;
    let rows = client.query(&statement, &parameters).await?;
    let period = |row: &tokio_postgres::Row| Period {
        profile_id: row.get(0),
        kind: row.get(1),
        key: row.get(2),
        began: row.get(3),
        ended: row.get(4),
    };
    Ok(rows.iter().map(period).collect())
}

/// The query for periods: of profiles, or of things to hold.
fn periods_sql(by_profile: bool) -> String {
    // Each thing, or each profile, is looked up by itself: so each is read in order, and only as
    // far as the page goes.
    let (each, matches) = match by_profile {
        true => (
            "unnest($4::uuid[]) as wanted (profile_id)",
            "begun.profile_id = wanted.profile_id
                and cardinality($2::text[]) + cardinality($3::text[]) = 0",
        ),
        false => (
            "unnest($2::text[], $3::text[]) as wanted (kind, key)",
            "begun.kind = wanted.kind and begun.key = wanted.key
                and (cardinality($4::uuid[]) = 0 or begun.profile_id = any($4))",
        ),
    };
    format!(
        "select found.profile_id, found.kind, found.key, found.position, found.ended
        from {each}
        cross join lateral (
            select begun.profile_id, begun.kind, begun.key, begun.position, ending.ended
            from profile_holdings as begun
            cross join lateral (
                select min(later.position) as ended
                from profile_holdings as later
                where later.tenant_id = $1 and later.profile_id = begun.profile_id
                    and later.kind = begun.kind and later.key = begun.key
                    and later.position > begun.position
            ) as ending
            where begun.tenant_id = $1 and {matches} and begun.holds and begun.position < $6
                and (ending.ended is null or ending.ended > $5)
                and ($7::bigint is null or begun.position >= $7)
                and (
                    $7::bigint is null
                    or (begun.position, begun.kind, begun.key) > ($7, $8::text, $9::text)
                )
            order by begun.position, begun.kind, begun.key
            limit $10
        ) as found
        order by found.position, found.kind, found.key
        limit $10"
    )
}
