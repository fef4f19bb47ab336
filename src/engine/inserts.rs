//! Compares read models whose rows are only inserted with the events that brought them: rows that
//! are missing or not as they must be, and rows that no event accounts for. Mends them if asked.

use deadpool_postgres::ClientWrapper;
use uuid::Uuid;

use crate::projections::audit_log::AuditLog;
use crate::projections::shared_values::SharedValues;
use crate::projections::{InsertModel, Key, ReadModel};
use crate::store::{Error, Recorded};

use super::Engine;
use super::folder::{execute, insert_rows, query};
use super::follow::occurred;
use super::rebuild::{PAGE_EVENTS, Report};

impl Engine {
    /// Read models whose rows are only inserted: those that are missing are inserted.
    pub(super) async fn replay_inserts(
        &self,
        client: &ClientWrapper,
        names: &[&str],
        mend: bool,
        progress: &(dyn Fn(u64) + Send + Sync),
        report: &mut Report,
    ) -> Result<(), Error> {
        let wanted = |name: &str| names.contains(&name);
        if !wanted(AuditLog::NAME) && !wanted(SharedValues::NAME) {
            return Ok(());
        }
        let until = checkpoint(client, &[AuditLog::schema(), SharedValues::schema()]).await?;
        let mut position = 0;
        let mut values = Vec::new();
        while position < until {
            let events = self.reader.all(position, PAGE_EVENTS).await?;
            let Some(last) = events.last() else { break };
            position = last.position;
            report.events += events.len() as u64;
            progress(events.len() as u64);
            let events: Vec<_> = events.into_iter().filter(|one| one.position <= until).collect();
            if wanted(AuditLog::NAME) {
                report.add(AuditLog::NAME, missing::<AuditLog>(client, &events, mend).await?);
            }
            if wanted(SharedValues::NAME) {
                let rows = missing::<SharedValues>(client, &events, mend).await?;
                report.add(SharedValues::NAME, rows);
                values.extend(keys_of_values(&events)?);
            }
        }
        if wanted(SharedValues::NAME) {
            let rows = self.stray_values(client, values, until, mend).await?;
            report.add(SharedValues::NAME, rows);
        }
        Ok(())
    }

    /// How many values no event carries; removed, if asked. `carried` are the keys of those that
    /// events up to `until` do.
    async fn stray_values(
        &self,
        client: &ClientWrapper,
        mut carried: Vec<Key>,
        until: i64,
        mend: bool,
    ) -> Result<i64, Error> {
        let failed = |error| Error::of_statement("looking for stray values", error);
        carried.sort_unstable();
        carried.dedup();
        let mut stray = Vec::new();
        let mut after = (Uuid::nil(), Uuid::nil());
        let sql = "
            select tenant_id, id from shared_values
            where (tenant_id, id) > ($1, $2)
            order by tenant_id, id
            limit $3";
        loop {
            let rows = query(client, sql, &[&after.0, &after.1, &PAGE_EVENTS]).await;
            let rows = rows.map_err(failed)?;
            let Some(last) = rows.last() else { break };
            after = (last.get(0), last.get(1));
            let keys = rows.iter().map(|row| (row.get(0), row.get(1)));
            stray.extend(keys.filter(|key: &Key| carried.binary_search(key).is_err()));
        }
        // Folding went on meanwhile: what it brought is no stray.
        let mut position = until;
        loop {
            let events = self.reader.all(position, PAGE_EVENTS).await?;
            let Some(last) = events.last() else { break };
            position = last.position;
            let late = keys_of_values(&events)?;
            stray.retain(|key| !late.contains(key));
        }
        if mend {
            let (tenants, ids): (Vec<Uuid>, Vec<Uuid>) = stray.iter().copied().unzip();
            let sql = "
                delete from shared_values
                using unnest($1::uuid[], $2::uuid[]) as stray (tenant_id, id)
                where shared_values.tenant_id = stray.tenant_id and shared_values.id = stray.id";
            execute(client, sql, &[&tenants, &ids]).await.map_err(failed)?;
        }
        Ok(i64::try_from(stray.len()).unwrap_or(i64::MAX))
    }
}

/// The position up to which all of these are folded.
async fn checkpoint(client: &ClientWrapper, schemas: &[String]) -> Result<i64, Error> {
    let sql = "
        select min(coalesce((select max(to_position) from views.folds where model = name), 0))
        from unnest($1::text[]) as name";
    let rows = query(client, sql, &[&schemas]).await;
    let rows = rows.map_err(|error| Error::of_statement("reading checkpoints", error))?;
    Ok(rows.first().and_then(|row| row.get::<_, Option<i64>>(0)).unwrap_or_default())
}

/// The keys of the values that these events carry.
fn keys_of_values(events: &[Recorded]) -> Result<Vec<Key>, Error> {
    let mut keys = Vec::new();
    for event in events {
        let rows = SharedValues::rows(&occurred(event)?);
        keys.extend(rows.into_iter().map(|row| (row.tenant_id, row.id)));
    }
    Ok(keys)
}

/// How many rows of these events are not in the table as they must be; put right, if asked.
async fn missing<M: InsertModel>(
    client: &ClientWrapper,
    events: &[Recorded],
    mend: bool,
) -> Result<i64, Error> {
    let failed = |error| Error::of_statement("comparing rows", error);
    let mut rows = Vec::new();
    for event in events {
        rows.extend(M::rows(&occurred(event)?));
    }
    let (name, key) = (M::NAME, M::KEY);
    let same_key = key.split(", ").map(|column| format!("found.{column} = (wanted).{column}"));
    let same_key = same_key.collect::<Vec<_>>().join(" and ");
    let wrong = format!(
        "select wanted
        from unnest($1::{name}[]) as wanted
        where not exists (select 1 from {name} as found where {same_key} and found = wanted)"
    );
    let wrong = query(client, &wrong, &[&rows]).await.map_err(failed)?;
    let wrong: Vec<M::Row> = wrong.iter().map(|row| row.get(0)).collect();
    if mend && !wrong.is_empty() {
        let delete =
            format!("delete from {name} where ({key}) in (select {key} from unnest($1::{name}[]))");
        client.batch_execute("begin").await.map_err(failed)?;
        execute(client, &delete, &[&wrong]).await.map_err(failed)?;
        insert_rows::<M>(client, &wrong).await.map_err(failed)?;
        client.batch_execute("commit").await.map_err(failed)?;
    }
    Ok(i64::try_from(wrong.len()).unwrap_or(i64::MAX))
}

/// How many rows belong to no tenant of the log, or to no event; removed, if asked.
pub async fn strangers(
    client: &ClientWrapper,
    name: &str,
    tenants: &[Uuid],
    mend: bool,
) -> Result<i64, Error> {
    let failed = |error| Error::of_statement("looking for stray rows", error);
    let mut stray = "tenant_id <> all($1::uuid[])".to_owned();
    if name == AuditLog::NAME {
        stray.push_str(
            " or not exists (
                select 1 from log.events
                where events.position = audit_log.position
                    and events.tenant_id = audit_log.tenant_id
            )",
        );
    }
    let sql = format!("select count(*) from {name} where {stray}");
    let rows = query(client, &sql, &[&tenants]).await.map_err(failed)?;
    let count = rows.first().map_or(0, |row| row.get(0));
    if mend && count > 0 {
        let sql = format!("delete from {name} where {stray}");
        execute(client, &sql, &[&tenants]).await.map_err(failed)?;
    }
    Ok(count)
}
