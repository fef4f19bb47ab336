//! Compares read models whose rows are only inserted with the events that brought them: rows that
//! are missing or not as they must be, and rows that no event accounts for. Mends them if asked.

use std::collections::HashSet;

use deadpool_postgres::ClientWrapper;
use uuid::Uuid;

use crate::domain::Occurred;
use crate::domain::ids::TenantId;
use crate::projections::audit_log::{self, AuditLog};
use crate::projections::shared_values::SharedValues;
use crate::projections::{InsertModel, ReadModel};
use crate::store::{Doing, Error};

use super::check::begin_mend;
use super::rebuild::{Pace, Page, Report, ahead};
use crate::engine::Engine;
use crate::engine::fold::flight::{Write, in_one_flight};
use crate::engine::fold::folder::{execute, insert_rows, query};

/// Rows of a table read at once.
const ROWS_AT_ONCE: i64 = 10_000;

impl Engine {
    /// A tenant's rows of the read models that are only inserted, beside its events in the order
    /// of their positions.
    pub(super) async fn replay_inserts(
        &self,
        client: &ClientWrapper,
        tenant: TenantId,
        names: &[&str],
        mend: bool,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Report, Error> {
        let mut report = Report::default();
        let wanted = |name: &str| names.contains(&name);
        let (audited, valued) = (wanted(AuditLog::NAME), wanted(SharedValues::NAME));
        if !audited && !valued {
            return Ok(report);
        }
        let until = checkpoint(client, &[AuditLog::schema(), SharedValues::schema()]).await?;
        let mut carried = HashSet::new();
        let mut after = 0;
        let mut pace = Pace::default();
        let mut reading = Some(self.events_of(tenant, after, until, pace));
        while let Some(page) = reading {
            let page = page.await?;
            report.events += page.events.len() as u64;
            progress(page.events.len() as u64);
            let more = pace.leaves_more(&page);
            let to = page.events.last().filter(|_| more).map_or(until, |last| last.position);
            pace = pace.after(&page);
            reading = more.then(|| self.events_of(tenant, to, until, pace));
            let events = page.events;
            if audited {
                let range = (after, to);
                let rows = compare_audit(client, tenant, range, &events, mend).await?;
                report.add(AuditLog::NAME, rows);
            }
            if valued {
                let rows = compare_values(client, &events, &mut carried, mend).await?;
                report.add(SharedValues::NAME, rows);
            }
            after = to;
        }
        if valued {
            let rows = self.stray_values(client, tenant, &carried, until, mend).await?;
            report.add(SharedValues::NAME, rows);
        }
        Ok(report)
    }

    /// A page of a tenant's events, being read.
    fn events_of(
        &self,
        tenant: TenantId,
        after: i64,
        until: i64,
        pace: Pace,
    ) -> impl Future<Output = Result<Page, Error>> + use<> {
        let reader = self.reader.clone();
        ahead(async move { reader.facts_by_position(tenant.0, after, until, pace.0).await })
    }

    /// How many values of a tenant no event carries; removed, if asked. `carried` are the ids of
    /// those that events up to `until` do.
    async fn stray_values(
        &self,
        client: &ClientWrapper,
        tenant: TenantId,
        carried: &HashSet<Uuid>,
        until: i64,
        mend: bool,
    ) -> Result<i64, Error> {
        let mut stray = Vec::new();
        let mut from = Uuid::nil();
        let sql = "
            select id from shared_values
            where tenant_id = $1 and id >= $2
            order by id
            limit $3";
        loop {
            let rows = query(client, sql, &[&tenant.0, &from, &ROWS_AT_ONCE])
                .await
                .doing("looking for stray values")?;
            let ids = rows.iter().map(|row| row.get(0));
            stray.extend(ids.filter(|id: &Uuid| !carried.contains(id)));
            let last: Option<Uuid> = rows.last().map(|row| row.get(0));
            match last.and_then(|last| last.as_u128().checked_add(1)) {
                Some(next) => from = Uuid::from_u128(next),
                None => break,
            }
        }
        // Folding went on meanwhile: what it brought is no stray.
        let mut position = until;
        while !stray.is_empty() {
            let page = self.events_of(tenant, position, i64::MAX, Pace::default()).await?;
            let events = page.events;
            let Some(last) = events.last() else { break };
            position = last.position;
            let late: HashSet<Uuid> =
                events.iter().flat_map(SharedValues::rows).map(|row| row.id).collect();
            stray.retain(|id| !late.contains(id));
        }
        if mend && !stray.is_empty() {
            let sql = "delete from shared_values where tenant_id = $1 and id = any($2::uuid[])";
            execute(client, sql, &[&tenant.0, &stray]).await.doing("looking for stray values")?;
        }
        Ok(i64::try_from(stray.len()).unwrap_or(i64::MAX))
    }
}

/// The position up to which all of these are folded.
async fn checkpoint(client: &ClientWrapper, schemas: &[String]) -> Result<i64, Error> {
    let sql = "
        select min(coalesce((select max(to_position) from views.folds where model = name), 0))
        from unnest($1::text[]) as name";
    let rows = query(client, sql, &[&schemas]).await.doing("reading checkpoints")?;
    Ok(rows.first().and_then(|row| row.get::<_, Option<i64>>(0)).unwrap_or_default())
}

/// Reads a tenant's rows behind the first position of the range up to its last, beside the events
/// there; returns how many are missing, wrong or stray. Puts them right, if asked.
async fn compare_audit(
    client: &ClientWrapper,
    tenant: TenantId,
    (after, to): (i64, i64),
    events: &[Occurred],
    mend: bool,
) -> Result<i64, Error> {
    let sql = "
        select audit_log from audit_log
        where tenant_id = $1 and position > $2 and position <= $3
        order by position limit $4";
    let mut expected = events.iter().flat_map(AuditLog::rows).peekable();
    let (mut wrong, mut stray): (Vec<audit_log::Row>, Vec<i64>) = (vec![], vec![]);
    let mut from = after;
    loop {
        let rows = query(client, sql, &[&tenant.0, &from, &to, &ROWS_AT_ONCE])
            .await
            .doing("comparing rows")?;
        for row in &rows {
            let found: audit_log::Row = row.get(0);
            from = found.position;
            while let Some(missing) = expected.next_if(|row| row.position < from) {
                wrong.push(missing);
            }
            match expected.next_if(|row| row.position == from) {
                Some(row) if row == found => {}
                Some(row) => wrong.push(row),
                None => stray.push(from),
            }
        }
        if (rows.len() as i64) < ROWS_AT_ONCE {
            break;
        }
    }
    wrong.extend(expected);
    if mend && !(wrong.is_empty() && stray.is_empty()) {
        let gone = wrong.iter().map(|row| row.position).chain(stray.iter().copied());
        let gone: Vec<i64> = gone.collect();
        let delete = "
            delete from audit_log where tenant_id = $1 and position = any($2::bigint[])";
        let mut writes = vec![Write::new(delete, vec![Box::new(tenant.0), Box::new(gone)])];
        writes.extend(insert_rows::<AuditLog>(&wrong));
        in_one_flight(client, &writes).await.doing("comparing rows")?;
    }
    Ok(i64::try_from(wrong.len() + stray.len()).unwrap_or(i64::MAX))
}

/// How many of the values that these events carry, and none before them did, are not in the table
/// as they must be; put right, if asked.
async fn compare_values(
    client: &ClientWrapper,
    events: &[Occurred],
    carried: &mut HashSet<Uuid>,
    mend: bool,
) -> Result<i64, Error> {
    let rows = events.iter().flat_map(SharedValues::rows);
    let rows: Vec<_> = rows.filter(|row| carried.insert(row.id)).collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let wrong = "
        select wanted
        from unnest($1::shared_values[]) as wanted
        where not exists (
            select 1 from shared_values as found
            where found.tenant_id = (wanted).tenant_id
                and found.id = (wanted).id
                and found = wanted
        )";
    let wrong = query(client, wrong, &[&rows]).await.doing("comparing values")?;
    let wrong: Vec<<SharedValues as ReadModel>::Row> = wrong.iter().map(|row| row.get(0)).collect();
    if mend && !wrong.is_empty() {
        let delete = "
            delete from shared_values
            where (tenant_id, id) in (select tenant_id, id from unnest($1::shared_values[]))";
        let mut writes = vec![Write::new(delete, vec![Box::new(&wrong)])];
        writes.extend(insert_rows::<SharedValues>(&wrong));
        in_one_flight(client, &writes).await.doing("comparing values")?;
    }
    Ok(i64::try_from(wrong.len()).unwrap_or(i64::MAX))
}

/// How many rows belong to no tenant of the log; removed, if asked.
pub async fn strangers(
    client: &ClientWrapper,
    name: &str,
    tenants: &[Uuid],
    mend: bool,
) -> Result<i64, Error> {
    // A tenant may have come since the list was made.
    let stray = format!(
        "tenant_id <> all($1::uuid[])
            and not exists (select 1 from log.events where events.tenant_id = {name}.tenant_id)"
    );
    let sql = format!("select tenant_id, count(*) from {name} where {stray} group by tenant_id");
    let rows = query(client, &sql, &[&tenants]).await.doing("looking for stray rows")?;
    let count = rows.iter().map(|row| row.get::<_, i64>(1)).sum();
    if mend && count > 0 {
        let whose = rows.iter().map(|row| TenantId(row.get(0)));
        let mut writes: Vec<Write<'_>> =
            whose.map(|tenant| begin_mend(tenant, name.to_owned(), 0, &[])).collect();
        let sql = format!("delete from {name} where {stray}");
        writes.push(Write::new(sql, vec![Box::new(tenants)]));
        in_one_flight(client, &writes).await.doing("looking for stray rows")?;
    }
    Ok(count)
}
