//! Folds events into the rows of one read model, in bulk: rows come from memory or from one query,
//! and one statement stores them. The pure part is the read model's own `fold`.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use deadpool_postgres::ClientWrapper;
use futures_util::future::{BoxFuture, FutureExt};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::domain::Occurred;
use crate::projections::{self, InsertModel, Key, ReadModel, RowModel};
use crate::store::{Doing, Error};

use super::flight::Write;
use crate::engine::generations::{Bounds, Generations};

/// Bounds of the rows that a read model keeps in memory, and of their bytes.
const ROWS_CACHED: Bounds = Bounds { entries_max: 50_000, weight_max: 64 << 20 };

/// The result of a step that waits for the database.
pub type Done<'a, T> = BoxFuture<'a, Result<T, Error>>;

/// Runs a statement, which the connection prepares once.
pub async fn execute(
    client: &ClientWrapper,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<u64, tokio_postgres::Error> {
    let statement = client.prepare_cached(sql).await?;
    client.execute(&statement, parameters).await
}

/// Runs a query, which the connection prepares once.
pub async fn query(
    client: &ClientWrapper,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let statement = client.prepare_cached(sql).await?;
    client.query(&statement, parameters).await
}

/// One read model, as its lane sees it. For each stretch of the log: `load`, `fold`, `writes` for
/// the transaction, then `keep` or `discard`.
pub trait Folder: Any + Send + Sync {
    /// Wire name and schema of the read model.
    fn names(&self) -> (&'static str, String);
    /// Gets the rows that these events touch.
    fn load<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        events: &'a [Arc<Occurred>],
    ) -> Done<'a, ()>;
    /// Folds the events into them.
    fn fold(&mut self, events: &[Arc<Occurred>]);
    /// The changes, to be written.
    fn writes(&self) -> Vec<Write<'_>>;
    /// The transaction was committed.
    fn keep(&mut self);
    /// The transaction was not committed, or another process has folded these events.
    fn discard(&mut self);
    /// Forgets every row in memory, since the table may hold others.
    fn forget(&mut self);
}

/// Is told of rows as they change.
pub trait Observer<M: RowModel>: Send + Sync + 'static {
    /// The rows before and after a stretch. Called once the stretch is durable, or was folded by
    /// another process; in that case `before` may be the new row already.
    fn changed(&mut self, changes: &[Change<M::Row>]) {
        let _ = changes;
    }
    /// Further writes that follow from the changes, in the same transaction.
    fn writes<'a>(&self, changes: &'a [Change<M::Row>]) -> Vec<Write<'a>> {
        let _ = changes;
        vec![]
    }
}

/// A row before and after a stretch of the log.
pub struct Change<R> {
    pub key: Key,
    pub before: Option<R>,
    pub after: Option<R>,
}

/// Folds a read model of rows.
pub struct RowFolder<M: RowModel> {
    cached: Generations<Key, M::Row>,
    loaded: HashMap<Key, Option<M::Row>>,
    changes: Vec<Change<M::Row>>,
    observers: Vec<Box<dyn Observer<M>>>,
}

impl<M: RowModel> Default for RowFolder<M> {
    fn default() -> Self {
        RowFolder {
            cached: Generations::new(ROWS_CACHED, M::weight),
            loaded: HashMap::new(),
            changes: Vec::new(),
            observers: Vec::new(),
        }
    }
}

impl<M: RowModel> RowFolder<M> {
    /// Tells `observer` of all changes from now on.
    pub fn tell(&mut self, observer: impl Observer<M>) {
        self.observers.push(Box::new(observer));
    }
}

/// Loads the rows with these keys.
pub async fn load_rows<M: RowModel>(
    client: &ClientWrapper,
    keys: &[Key],
) -> Result<Vec<M::Row>, tokio_postgres::Error> {
    let (tenants, ids): (Vec<Uuid>, Vec<Uuid>) = keys.iter().copied().unzip();
    let sql = format!(
        "select {name} from unnest($1::uuid[], $2::uuid[]) as wanted (tenant_id, id)
        join {name} on {name}.tenant_id = wanted.tenant_id and {name}.id = wanted.id",
        name = M::NAME
    );
    let rows = query(client, &sql, &[&tenants, &ids]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Stores rows in place of those with the same key.
pub fn store_rows<'a, M: RowModel>(rows: Vec<&'a M::Row>) -> Option<Write<'a>> {
    if rows.is_empty() {
        return None;
    }
    Some(Write::new(upsert_sql::<M>(), vec![Box::new(rows)]))
}

fn upsert_sql<M: RowModel>() -> String {
    let name = M::NAME;
    let columns: Vec<String> = projections::column_lines(M::TABLE)
        .filter_map(|line| line.split_whitespace().next())
        .filter(|column| *column != "tenant_id" && *column != "id")
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    format!(
        "insert into {name} select * from unnest($1::{name}[])
        on conflict (tenant_id, id) do update set {}",
        columns.join(", ")
    )
}

/// Removes the rows of these keys.
pub fn delete_rows<M: RowModel>(keys: &[Key]) -> Option<Write<'static>> {
    if keys.is_empty() {
        return None;
    }
    let (tenants, ids): (Vec<Uuid>, Vec<Uuid>) = keys.iter().copied().unzip();
    let sql = format!(
        "delete from {name} using unnest($1::uuid[], $2::uuid[]) as gone (tenant_id, id)
        where {name}.tenant_id = gone.tenant_id and {name}.id = gone.id",
        name = M::NAME
    );
    Some(Write::new(sql, vec![Box::new(tenants), Box::new(ids)]))
}

impl<M: RowModel> Folder for RowFolder<M> {
    fn names(&self) -> (&'static str, String) {
        (M::NAME, M::schema())
    }

    fn load<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        events: &'a [Arc<Occurred>],
    ) -> Done<'a, ()> {
        async move {
            self.loaded.clear();
            let mut missing = Vec::new();
            for event in events {
                let Some(key) = M::key(event) else { continue };
                if self.loaded.contains_key(&key) {
                    continue;
                }
                let cached = self.cached.get(&key).cloned();
                // The first event of the stream that feeds a row: the row cannot exist yet.
                let new = event.version == 1 && event.stream_id == key.1;
                if cached.is_none() && !new {
                    missing.push(key);
                }
                self.loaded.insert(key, cached);
            }
            if !missing.is_empty() {
                let rows = load_rows::<M>(client, &missing).await.doing("loading rows")?;
                for row in rows {
                    self.loaded.insert(M::key_of(&row), Some(row));
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn fold(&mut self, events: &[Arc<Occurred>]) {
        let mut places: HashMap<Key, usize> = HashMap::new();
        self.changes.clear();
        for event in events {
            let Some(key) = M::key(event) else { continue };
            let place = *places.entry(key).or_insert_with(|| {
                let before = self.loaded.remove(&key).flatten();
                self.changes.push(Change { key, after: before.clone(), before });
                self.changes.len() - 1
            });
            let change = &mut self.changes[place];
            change.after = M::fold(change.after.take(), event);
        }
    }

    fn writes(&self) -> Vec<Write<'_>> {
        let changed = || self.changes.iter().filter(|change| change.before != change.after);
        let rows: Vec<&M::Row> = changed().filter_map(|one| one.after.as_ref()).collect();
        let gone: Vec<Key> = changed()
            .filter(|one| one.after.is_none() && one.before.is_some())
            .map(|one| one.key)
            .collect();
        let rows = store_rows::<M>(rows).into_iter().chain(delete_rows::<M>(&gone));
        let more = self.observers.iter().flat_map(|observer| observer.writes(&self.changes));
        rows.chain(more).collect()
    }

    fn keep(&mut self) {
        for change in &self.changes {
            match &change.after {
                Some(row) => self.cached.insert(change.key, row.clone()),
                None => drop(self.cached.remove(&change.key)),
            }
        }
        for observer in &mut self.observers {
            observer.changed(&self.changes);
        }
        self.changes.clear();
    }

    fn discard(&mut self) {
        // Another process may have folded more of these rows: they are read again when needed.
        for change in &self.changes {
            self.cached.remove(&change.key);
        }
        self.changes.clear();
    }

    fn forget(&mut self) {
        self.cached.clear();
        self.changes.clear();
    }
}

/// Folds a read model whose rows are only inserted.
pub struct InsertFolder<M: InsertModel> {
    rows: Vec<M::Row>,
}

impl<M: InsertModel> Default for InsertFolder<M> {
    fn default() -> Self {
        InsertFolder { rows: Vec::new() }
    }
}

/// Inserts the rows that do not exist yet.
pub fn insert_rows<M: ReadModel>(rows: &[M::Row]) -> Option<Write<'_>> {
    if rows.is_empty() {
        return None;
    }
    let sql = format!(
        "insert into {name} select * from unnest($1::{name}[]) on conflict do nothing",
        name = M::NAME
    );
    Some(Write::new(sql, vec![Box::new(rows)]))
}

impl<M: InsertModel> Folder for InsertFolder<M> {
    fn names(&self) -> (&'static str, String) {
        (M::NAME, M::schema())
    }

    fn load<'a>(&'a mut self, _: &'a ClientWrapper, _: &'a [Arc<Occurred>]) -> Done<'a, ()> {
        async { Ok(()) }.boxed()
    }

    fn fold(&mut self, events: &[Arc<Occurred>]) {
        self.rows = events.iter().flat_map(|event| M::rows(event)).collect();
    }

    fn writes(&self) -> Vec<Write<'_>> {
        insert_rows::<M>(&self.rows).into_iter().collect()
    }

    fn keep(&mut self) {
        self.rows.clear();
    }

    fn discard(&mut self) {
        self.rows.clear();
    }

    fn forget(&mut self) {
        self.rows.clear();
    }
}
