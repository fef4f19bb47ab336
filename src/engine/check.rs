//! Compares the rows of one read model with what a replay of their streams gives, and mends those
//! that differ. Writes may go on meanwhile: what looks different is looked at once more while
//! nobody folds.

use std::collections::HashMap;
use std::marker::PhantomData;

use deadpool_postgres::ClientWrapper;
use futures_util::future::{BoxFuture, FutureExt};
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::domain::{Area, Occurred};
use crate::projections::{Key, RowModel};
use crate::store::{AreaName, Error, Reader, StreamKey};

use super::folder::{delete_rows, execute, load_rows, query, store_rows};
use super::follow::occurred;

/// Suspects looked at in one transaction.
const SUSPECTS_AT_ONCE: usize = 500;
/// Rows of a table walked at once.
const WALK_ROWS: i64 = 5_000;

/// A stream that may feed a row which differs.
pub type Source = (Area, Uuid);

/// One read model being compared. For each tenant: `take` events in stream order, `compare` now
/// and then, `walk` at the end, then `settle`.
pub trait Check: Send + Sync {
    /// Its wire name.
    fn name(&self) -> &'static str;
    /// The areas that feed it.
    fn areas(&self) -> &'static [Area];
    /// Folds one more event.
    fn take(&mut self, event: &Occurred);
    /// Compares the rows of streams that are complete: all but `unfinished`, behind which nothing
    /// was read yet.
    fn compare<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        tenant: TenantId,
        unfinished: Option<Uuid>,
    ) -> BoxFuture<'a, Result<(), Error>>;
    /// Looks for rows that no stream accounts for and that were not compared yet.
    fn walk<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        tenant: TenantId,
    ) -> BoxFuture<'a, Result<(), Error>>;
    /// Looks at the suspects once more, while nobody folds; mends them if asked. Returns how many
    /// rows differ.
    fn settle<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        reader: &'a Reader,
        tenant: TenantId,
        mend: bool,
    ) -> BoxFuture<'a, Result<i64, Error>>;
}

/// [`Check`] of a read model whose rows have ids of their own.
pub struct RowCheck<M: RowModel> {
    pending: HashMap<Key, (Source, Option<M::Row>)>,
    /// Rows that the replay gave, to find others by.
    expected: Vec<Uuid>,
    suspects: Vec<Source>,
    model: PhantomData<M>,
}

impl<M: RowModel> Default for RowCheck<M> {
    fn default() -> Self {
        RowCheck { pending: HashMap::new(), expected: vec![], suspects: vec![], model: PhantomData }
    }
}

impl<M: RowModel> Check for RowCheck<M> {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn areas(&self) -> &'static [Area] {
        M::AREAS
    }

    fn take(&mut self, event: &Occurred) {
        let Some(key) = M::key(event) else { return };
        let source = (event.area, event.stream_id);
        let (_, row) = self.pending.entry(key).or_insert((source, None));
        *row = M::fold(row.take(), event);
    }

    fn compare<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        _: TenantId,
        unfinished: Option<Uuid>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            let pending = std::mem::take(&mut self.pending);
            let (wait, done): (HashMap<_, _>, HashMap<_, _>) =
                pending.into_iter().partition(|(_, (source, _))| Some(source.1) == unfinished);
            self.pending = wait;
            let keys: Vec<Key> = done.keys().copied().collect();
            let live = load_rows::<M>(client, &keys).await;
            let live = live.map_err(|error| Error::of_statement("reading rows", error))?;
            let live: HashMap<Key, M::Row> =
                live.into_iter().map(|row| (M::key_of(&row), row)).collect();
            for (key, (source, row)) in done {
                if row.is_some() {
                    self.expected.push(key.1);
                }
                if live.get(&key) != row.as_ref() {
                    self.suspects.push(source);
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn walk<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        tenant: TenantId,
    ) -> BoxFuture<'a, Result<(), Error>> {
        async move {
            self.expected.sort_unstable();
            let sql = format!(
                "select {name} from {name} where tenant_id = $1 and id > $2
                order by id limit $3",
                name = M::NAME
            );
            let mut after = Uuid::nil();
            loop {
                let rows = query(client, &sql, &[&tenant.0, &after, &WALK_ROWS]).await;
                let rows = rows.map_err(|error| Error::of_statement("walking rows", error))?;
                for row in &rows {
                    let row: M::Row = row.get(0);
                    after = M::key_of(&row).1;
                    if self.expected.binary_search(&after).is_err() {
                        self.suspects.push(M::source_of(&row));
                    }
                }
                if rows.len() < WALK_ROWS as usize {
                    self.expected = vec![];
                    return Ok(());
                }
            }
        }
        .boxed()
    }

    fn settle<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        reader: &'a Reader,
        tenant: TenantId,
        mend: bool,
    ) -> BoxFuture<'a, Result<i64, Error>> {
        let suspects = std::mem::take(&mut self.suspects);
        settle_all::<M>(client, reader, tenant, suspects, mend).boxed()
    }
}

/// Looks at the rows of these streams once more, while nobody folds; mends them if asked.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Corrupt`].
pub async fn settle_all<M: RowModel>(
    client: &ClientWrapper,
    reader: &Reader,
    tenant: TenantId,
    mut suspects: Vec<Source>,
    mend: bool,
) -> Result<i64, Error> {
    suspects.sort_unstable();
    suspects.dedup();
    let mut differing = 0;
    for some in suspects.chunks(SUSPECTS_AT_ONCE) {
        differing += settle_some::<M>(client, reader, tenant, some, mend).await?;
    }
    Ok(differing)
}

/// Looks at some streams' rows while nobody folds, exactly at the read model's checkpoint.
async fn settle_some<M: RowModel>(
    client: &ClientWrapper,
    reader: &Reader,
    tenant: TenantId,
    sources: &[Source],
    mend: bool,
) -> Result<i64, Error> {
    let failed = |error| Error::of_statement("comparing rows", error);
    // Folding waits meanwhile, which is why only so many streams are looked at in one go.
    let begin = "begin; lock table views.folds in share row exclusive mode";
    client.batch_execute(begin).await.map_err(failed)?;
    let settled = settle_locked::<M>(client, reader, tenant, sources, mend).await;
    let end = if settled.is_ok() { "commit" } else { "rollback" };
    client.batch_execute(end).await.map_err(failed)?;
    settled
}

async fn settle_locked<M: RowModel>(
    client: &ClientWrapper,
    reader: &Reader,
    tenant: TenantId,
    sources: &[Source],
    mend: bool,
) -> Result<i64, Error> {
    let failed = |error| Error::of_statement("comparing rows", error);
    let checkpoint = "select coalesce(max(to_position), 0) from views.folds where model = $1";
    let checkpoint = query(client, checkpoint, &[&M::schema()]).await.map_err(failed)?;
    let checkpoint: i64 = checkpoint.first().map_or(0, |row| row.get(0));
    let streams = sources.iter().filter_map(|(area, id)| {
        let area = AreaName::new(area.name())?;
        Some((StreamKey { tenant_id: tenant.0, area, id: *id }, 0))
    });
    let events = reader.streams(&streams.collect::<Vec<_>>()).await?;
    let mut rows: HashMap<Key, Option<M::Row>> = HashMap::new();
    for event in events.iter().filter(|event| event.position <= checkpoint) {
        let event = occurred(event)?;
        let Some(key) = M::key(&event) else { continue };
        let row = rows.entry(key).or_default();
        *row = M::fold(row.take(), &event);
    }
    let orphans = orphans::<M>(client, tenant, sources).await.map_err(failed)?;
    for key in orphans {
        rows.entry(key).or_default();
    }
    let keys: Vec<Key> = rows.keys().copied().collect();
    let live = load_rows::<M>(client, &keys).await.map_err(failed)?;
    let live: HashMap<Key, M::Row> = live.into_iter().map(|row| (M::key_of(&row), row)).collect();
    rows.retain(|key, row| live.get(key) != row.as_ref());
    if mend {
        let right: Vec<&M::Row> = rows.values().flatten().collect();
        let wrong: Vec<Key> =
            rows.iter().filter(|(_, row)| row.is_none()).map(|(key, _)| *key).collect();
        store_rows::<M>(client, &right).await.map_err(failed)?;
        delete_rows::<M>(client, &wrong).await.map_err(failed)?;
    }
    Ok(i64::try_from(rows.len()).unwrap_or(i64::MAX))
}

/// Rows that stand under these streams, whether or not their events account for them.
async fn orphans<M: RowModel>(
    client: &ClientWrapper,
    tenant: TenantId,
    sources: &[Source],
) -> Result<Vec<Key>, tokio_postgres::Error> {
    let ids: Vec<Uuid> = sources.iter().map(|(_, id)| *id).collect();
    let sql = format!(
        "select id from {} where tenant_id = $1 and {} = any($2::uuid[])",
        M::NAME,
        M::SOURCE_COLUMN
    );
    let rows = query(client, &sql, &[&tenant.0, &ids]).await?;
    Ok(rows.iter().map(|row| (tenant.0, row.get(0))).collect())
}

/// What a recount of `profiles_view` gives for a tenant.
const RECOUNT: &str = "
    select 'profile' as dimension, 'all' as key, count(*) as profiles
    from profiles_view where tenant_id = $1 having count(*) > 0
    union all
    select 'active', active::text, count(*)
    from profiles_view where tenant_id = $1 group by active
    union all
    select 'role', role_keys[1], count(*)
    from profiles_view where tenant_id = $1 and role_keys[1] is not null group by role_keys[1]
    union all
    select 'department', department_id::text, count(*)
    from profiles_view, unnest(department_ids) as department_id
    where tenant_id = $1 group by department_id";

/// Compares the counters of a tenant with a recount of `profiles_view`, while nobody folds.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn settle_counts(
    client: &ClientWrapper,
    tenant: TenantId,
    mend: bool,
) -> Result<i64, Error> {
    let failed = |error| Error::of_statement("comparing counters", error);
    let begin = "begin; lock table views.folds in share row exclusive mode";
    client.batch_execute(begin).await.map_err(failed)?;
    let differing = format!(
        "select coalesce(recount.dimension, counted.dimension),
            coalesce(recount.key, counted.key),
            coalesce(recount.profiles, 0)
        from ({RECOUNT}) as recount
        full join (
            select dimension, key, profiles from profile_counts where tenant_id = $1
        ) as counted on counted.dimension = recount.dimension and counted.key = recount.key
        where coalesce(recount.profiles, 0) <> coalesce(counted.profiles, 0)"
    );
    let rows = query(client, &differing, &[&tenant.0]).await.map_err(failed)?;
    if mend {
        for row in &rows {
            let (dimension, key, profiles): (String, String, i64) =
                (row.get(0), row.get(1), row.get(2));
            let sql = "
                insert into profile_counts (tenant_id, dimension, key, profiles)
                values ($1, $2, $3, $4)
                on conflict (tenant_id, dimension, key) do update set profiles = excluded.profiles";
            execute(client, sql, &[&tenant.0, &dimension, &key, &profiles])
                .await
                .map_err(failed)?;
        }
    }
    client.batch_execute("commit").await.map_err(failed)?;
    Ok(i64::try_from(rows.len()).unwrap_or(i64::MAX))
}
