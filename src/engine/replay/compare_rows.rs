//! Compares the rows of one read model with a replay of their streams, and repairs those that
//! differ. Writes may go on: a row that seems to differ is read again, with everything that
//! concerns it, at one moment. Lanes are delayed only for the time in which the database stores
//! rows.

use std::collections::{HashMap, HashSet};
use std::marker::PhantomData;

use deadpool_postgres::ClientWrapper;
use futures_util::future::{BoxFuture, FutureExt};
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::domain::{Area, Occurred};
use crate::projections::{Key, RowModel};
use crate::store::{AreaName, Doing, Error, Reader, StreamKey};

use crate::engine::fold::flight::{Write, in_one_flight};
use crate::engine::fold::folder::{delete_rows, load_rows, query, store_rows};
use crate::engine::occurred::occurred;

/// Suspects that are checked again and repaired together.
const SUSPECTS_AT_ONCE: usize = 500;
/// How often a stream that is being written may delay its own repair.
const MENDS_LOST_MAX: usize = 50;
/// Rows of a table read at once.
const WALK_ROWS: i64 = 5_000;

/// A stream that may feed a row which differs.
pub type Source = (Area, Uuid);

/// The comparison of one read model. For each tenant: `take` events in stream order, `compare` now
/// and then, `walk` at the end, then `settle`.
pub trait Check: Send + Sync {
    /// Its wire name.
    fn name(&self) -> &'static str;
    /// The areas whose events feed it.
    fn areas(&self) -> &'static [Area];
    /// Folds one more event.
    fn take(&mut self, event: &Occurred);
    /// Compares the rows of complete streams: all but `unfinished`, of which more may follow.
    fn compare<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        tenant: TenantId,
        unfinished: Option<Uuid>,
    ) -> BoxFuture<'a, Result<(), Error>>;
    /// Looks for rows that come from no stream and were not compared yet.
    fn walk<'a>(
        &'a mut self,
        client: &'a ClientWrapper,
        tenant: TenantId,
    ) -> BoxFuture<'a, Result<(), Error>>;
    /// Checks the suspects again, at one moment; repairs them if asked. Returns how many rows
    /// differ.
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
    /// Rows of the replay, by which other rows are found.
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
            let live = load_rows::<M>(client, &keys).await.doing("reading rows")?;
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
                let rows = query(client, &sql, &[&tenant.0, &after, &WALK_ROWS])
                    .await
                    .doing("walking rows")?;
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

/// Checks the rows of these streams again; repairs them if asked.
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
    let mut lost = 0;
    let mut open: Vec<&[Source]> = suspects.chunks(SUSPECTS_AT_ONCE).collect();
    while let Some(some) = open.pop() {
        let judged = judge::<M>(client, reader, tenant, some).await?;
        if !mend || judged.wrong.is_empty() || repair::<M>(client, tenant, some, &judged).await? {
            differing += i64::try_from(judged.wrong.len()).unwrap_or(i64::MAX);
            continue;
        }
        // One of them was folded in the meantime: with fewer at once that is less likely.
        lost += usize::from(some.len() == 1);
        if lost > MENDS_LOST_MAX {
            return Err(Error::Unavailable("mending rows that keep changing", None));
        }
        let (some, others) = some.split_at(some.len() / 2);
        open.extend([some, others].into_iter().filter(|half| !half.is_empty()));
    }
    Ok(differing)
}

/// What differs in the rows of some streams.
struct Judged<M: RowModel> {
    /// The position at which the rows were judged.
    position: i64,
    /// The rows as they must be.
    wrong: HashMap<Key, Option<M::Row>>,
}

/// Judges the rows of some streams at one moment, by the checkpoint of that moment.
async fn judge<M: RowModel>(
    client: &ClientWrapper,
    reader: &Reader,
    tenant: TenantId,
    sources: &[Source],
) -> Result<Judged<M>, Error> {
    let streams: Vec<StreamKey> = sources
        .iter()
        .filter_map(|(area, id)| {
            let area = AreaName::new(area.name())?;
            Some(StreamKey { tenant_id: tenant.0, area, id: *id })
        })
        .collect();
    let wanted: Vec<_> = streams.iter().map(|stream| (*stream, 0)).collect();
    let mut events = reader.streams(&wanted).await?;
    let decoded = events.iter().map(occurred).collect::<Result<Vec<_>, _>>()?;
    let keys: HashSet<Key> = decoded.iter().filter_map(M::key).collect();
    let (position, found) = rows_at_once::<M>(client, tenant, &keys, sources).await?;
    // Rows may contain events that came after the streams were read.
    let read = events.iter().map(|event| event.position).max().unwrap_or_default();
    events = reader.since(&streams, read).await?;
    let late = events.iter().map(occurred).collect::<Result<Vec<_>, _>>()?;
    let mut rows: HashMap<Key, Option<M::Row>> = found.keys().map(|key| (*key, None)).collect();
    for event in decoded.iter().chain(&late).filter(|event| event.position <= position) {
        let Some(key) = M::key(event) else { continue };
        // A row that did not exist when rows were read is too new to be a suspect.
        if keys.contains(&key) || found.contains_key(&key) {
            let row = rows.entry(key).or_default();
            *row = M::fold(row.take(), event);
        }
    }
    rows.retain(|key, row| found.get(key) != row.as_ref());
    Ok(Judged { position, wrong: rows })
}

/// The checkpoint of a read model, and its rows with these keys or of these streams, whether or not
/// they come from those streams.
async fn rows_at_once<M: RowModel>(
    client: &ClientWrapper,
    tenant: TenantId,
    keys: &HashSet<Key>,
    sources: &[Source],
) -> Result<(i64, HashMap<Key, M::Row>), Error> {
    // One statement sees one moment.
    let sql = format!(
        "select folded.position, rows.found
        from (
            select coalesce(max(to_position), 0) as position from views.folds where model = $1
        ) as folded
        left join (
            select {name} as found from {name} where tenant_id = $2 and id = any($3::uuid[])
            union all
            select {name} from {name} where tenant_id = $2 and {source} = any($4::uuid[])
        ) as rows on true",
        name = M::NAME,
        source = M::SOURCE_COLUMN
    );
    let ids: Vec<Uuid> = keys.iter().map(|(_, id)| *id).collect();
    let streams: Vec<Uuid> = sources.iter().map(|(_, id)| *id).collect();
    let rows = query(client, &sql, &[&M::schema(), &tenant.0, &ids, &streams])
        .await
        .doing("comparing rows")?;
    let position = rows.first().map_or(0, |row| row.get(0));
    let found = rows.iter().filter_map(|row| row.get::<_, Option<M::Row>>(1));
    Ok((position, found.map(|row| (M::key_of(&row), row)).collect()))
}

/// Stores the right rows; false when one of their streams was folded since they were judged.
async fn repair<M: RowModel>(
    client: &ClientWrapper,
    tenant: TenantId,
    sources: &[Source],
    judged: &Judged<M>,
) -> Result<bool, Error> {
    let right: Vec<&M::Row> = judged.wrong.values().flatten().collect();
    let gone = judged.wrong.iter().filter(|(_, row)| row.is_none()).map(|(key, _)| *key);
    let gone: Vec<Key> = gone.collect();
    let mut writes = vec![begin_mend(tenant, M::schema(), judged.position, sources)];
    writes.extend(store_rows::<M>(right).into_iter().chain(delete_rows::<M>(&gone)));
    match in_one_flight(client, &writes).await {
        Ok(()) => Ok(true),
        Err(error) if error.code().is_some_and(|code| code.code() == "DOS03") => Ok(false),
        Err(error) => Err(Error::of_statement("mending rows", error)),
    }
}

/// What precedes the repair of a tenant's rows, in the same transaction: it keeps others from
/// folding meanwhile, and from storing rows that they loaded before.
pub fn begin_mend(
    tenant: TenantId,
    model: String,
    judged_at: i64,
    sources: &[Source],
) -> Write<'static> {
    let (areas, ids): (Vec<&'static str>, Vec<Uuid>) =
        sources.iter().map(|(area, id)| (area.name(), *id)).unzip();
    Write::new(
        "select views.begin_mend($1, $2, $3, $4, $5)",
        vec![
            Box::new(tenant.0),
            Box::new(model),
            Box::new(judged_at),
            Box::new(areas),
            Box::new(ids),
        ],
    )
}
