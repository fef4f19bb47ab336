//! Compares read models whose rows are only inserted with their events: rows that are missing or
//! wrong, and rows without an event. Repairs them if asked.

use std::collections::HashSet;
use std::marker::PhantomData;

use deadpool_postgres::ClientWrapper;
use futures_util::future::{BoxFuture, FutureExt};
use uuid::Uuid;

use crate::domain::Occurred;
use crate::domain::ids::TenantId;
use crate::projections::{EntryModel, ValueModel};
use crate::store::{Doing, Error, Reader};

use super::compare_rows::begin_mend;
use super::page::{Pace, Page, read_in_task};
use crate::engine::fold::flight::{Write, in_one_flight};
use crate::engine::fold::folder::{execute, insert_rows, query};

/// Rows of a table read at once.
const ROWS_AT_ONCE: i64 = 10_000;

/// The comparison of such a read model. For each tenant: `compare` each page of its events by
/// position, then `finish`.
pub trait InsertCheck: Send + Sync {
    /// Its wire name.
    fn name(&self) -> &'static str;
    /// The schema of its version.
    fn schema(&self) -> String;
    /// Compares the rows of a page of events, which holds all events of the tenant between its
    /// first position (exclusive) and its last. Repairs them if asked. Returns how many differ.
    fn compare<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        tenant: TenantId,
        range: (i64, i64),
        events: &'a [Occurred],
        mend: bool,
    ) -> BoxFuture<'a, Result<i64, Error>>;
    /// Looks for rows that come from no event up to `until`; removes them if asked. Returns their
    /// number: 0 where the ranges show them already, since those leave no gap.
    fn finish<'a>(
        &'a mut self,
        _client: &'a ClientWrapper,
        _reader: &'a Reader,
        _tenant: TenantId,
        _until: i64,
        _mend: bool,
    ) -> BoxFuture<'a, Result<i64, Error>> {
        async { Ok(0) }.boxed()
    }
}

/// A page of a tenant's events, being read.
pub(super) fn events_of(
    reader: &Reader,
    tenant: TenantId,
    after: i64,
    until: i64,
    pace: Pace,
) -> impl Future<Output = Result<Page, Error>> + use<> {
    let reader = reader.clone();
    read_in_task(async move { reader.facts_by_position(tenant.0, after, until, pace.0).await })
}

/// [`InsertCheck`] of a read model with a row for each event.
pub struct EntryCheck<M>(PhantomData<M>);

impl<M> Default for EntryCheck<M> {
    fn default() -> Self {
        EntryCheck(PhantomData)
    }
}

impl<M: EntryModel> InsertCheck for EntryCheck<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn schema(&self) -> String {
        M::schema()
    }

    fn compare<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        tenant: TenantId,
        range: (i64, i64),
        events: &'a [Occurred],
        mend: bool,
    ) -> BoxFuture<'a, Result<i64, Error>> {
        compare_entries::<M>(client, tenant, range, events, mend).boxed()
    }
}

/// Reads a tenant's rows in the range beside its events; returns how many are missing, wrong or
/// stray. Repairs them if asked.
async fn compare_entries<M: EntryModel>(
    client: &ClientWrapper,
    tenant: TenantId,
    (after, to): (i64, i64),
    events: &[Occurred],
    mend: bool,
) -> Result<i64, Error> {
    let sql = format!(
        "select {name} from {name}
        where tenant_id = $1 and position > $2 and position <= $3
        order by position limit $4",
        name = M::NAME
    );
    let mut expected = events.iter().flat_map(M::rows).peekable();
    let (mut wrong, mut stray): (Vec<M::Row>, Vec<i64>) = (vec![], vec![]);
    let mut from = after;
    loop {
        let rows = query(client, &sql, &[&tenant.0, &from, &to, &ROWS_AT_ONCE])
            .await
            .doing("comparing rows")?;
        for row in &rows {
            let found: M::Row = row.get(0);
            from = M::position_of(&found);
            while let Some(missing) = expected.next_if(|row| M::position_of(row) < from) {
                wrong.push(missing);
            }
            match expected.next_if(|row| M::position_of(row) == from) {
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
        let gone = wrong.iter().map(M::position_of).chain(stray.iter().copied());
        let gone: Vec<i64> = gone.collect();
        let delete = format!(
            "delete from {name} where tenant_id = $1 and position = any($2::bigint[])",
            name = M::NAME
        );
        let mut writes = vec![Write::new(delete, vec![Box::new(tenant.0), Box::new(gone)])];
        writes.extend(insert_rows::<M>(&wrong));
        in_one_flight(client, &writes).await.doing("comparing rows")?;
    }
    Ok(i64::try_from(wrong.len() + stray.len()).unwrap_or(i64::MAX))
}

/// [`InsertCheck`] of a read model with a row for each value.
pub struct ValueCheck<M> {
    /// The ids of the values in the events so far.
    carried: HashSet<Uuid>,
    model: PhantomData<M>,
}

impl<M> Default for ValueCheck<M> {
    fn default() -> Self {
        ValueCheck { carried: HashSet::new(), model: PhantomData }
    }
}

impl<M: ValueModel> InsertCheck for ValueCheck<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn schema(&self) -> String {
        M::schema()
    }

    fn compare<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        _: TenantId,
        _: (i64, i64),
        events: &'a [Occurred],
        mend: bool,
    ) -> BoxFuture<'a, Result<i64, Error>> {
        compare_values::<M>(client, events, &mut self.carried, mend).boxed()
    }

    fn finish<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        reader: &'a Reader,
        tenant: TenantId,
        until: i64,
        mend: bool,
    ) -> BoxFuture<'a, Result<i64, Error>> {
        stray_values::<M>(client, reader, tenant, &self.carried, until, mend).boxed()
    }
}

/// How many of the values that appear in these events for the first time are missing or wrong in
/// the table; repaired if asked.
async fn compare_values<M: ValueModel>(
    client: &ClientWrapper,
    events: &[Occurred],
    carried: &mut HashSet<Uuid>,
    mend: bool,
) -> Result<i64, Error> {
    let rows = events.iter().flat_map(M::rows);
    let rows: Vec<_> = rows.filter(|row| carried.insert(M::id_of(row))).collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let wrong = format!(
        "select wanted
        from unnest($1::{name}[]) as wanted
        where not exists (
            select 1 from {name} as found
            where found.tenant_id = (wanted).tenant_id
                and found.id = (wanted).id
                and found = wanted
        )",
        name = M::NAME
    );
    let wrong = query(client, &wrong, &[&rows]).await.doing("comparing values")?;
    let wrong: Vec<M::Row> = wrong.iter().map(|row| row.get(0)).collect();
    if mend && !wrong.is_empty() {
        let delete = format!(
            "delete from {name}
            where (tenant_id, id) in (select tenant_id, id from unnest($1::{name}[]))",
            name = M::NAME
        );
        let mut writes = vec![Write::new(delete, vec![Box::new(&wrong)])];
        writes.extend(insert_rows::<M>(&wrong));
        in_one_flight(client, &writes).await.doing("comparing values")?;
    }
    Ok(i64::try_from(wrong.len()).unwrap_or(i64::MAX))
}

/// How many values of a tenant appear in no event; removed if asked. `carried` are the ids of those
/// in events up to `until`.
async fn stray_values<M: ValueModel>(
    client: &ClientWrapper,
    reader: &Reader,
    tenant: TenantId,
    carried: &HashSet<Uuid>,
    until: i64,
    mend: bool,
) -> Result<i64, Error> {
    let mut stray = Vec::new();
    let mut from = Uuid::nil();
    let sql = format!(
        "select id from {name} where tenant_id = $1 and id >= $2 order by id limit $3",
        name = M::NAME
    );
    loop {
        let rows = query(client, &sql, &[&tenant.0, &from, &ROWS_AT_ONCE])
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
    // Folding went on in the meantime: rows of newer events are not stray.
    let mut position = until;
    while !stray.is_empty() {
        let page = events_of(reader, tenant, position, i64::MAX, Pace::default()).await?;
        let events = page.events;
        let Some(last) = events.last() else { break };
        position = last.position;
        let late: HashSet<Uuid> =
            events.iter().flat_map(M::rows).map(|row| M::id_of(&row)).collect();
        stray.retain(|id| !late.contains(id));
    }
    if mend && !stray.is_empty() {
        let sql = format!(
            "delete from {name} where tenant_id = $1 and id = any($2::uuid[])",
            name = M::NAME
        );
        execute(client, &sql, &[&tenant.0, &stray]).await.doing("looking for stray values")?;
    }
    Ok(i64::try_from(stray.len()).unwrap_or(i64::MAX))
}

/// How many rows belong to no tenant of the log; removed if asked.
pub async fn rows_without_tenant(
    client: &ClientWrapper,
    name: &str,
    tenants: &[Uuid],
    mend: bool,
) -> Result<i64, Error> {
    // A tenant may have been added since the list was made.
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
