//! Reads the log: streams, tenants, all of it, heads and claims.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::Error;
use super::connect::within;
use super::types::{AreaName, Envelope, Recorded, StreamKey, StreamPage, StreamRange};

/// How long a query may take: longer than the statement timeout, so that a server that answers
/// reports the timeout itself.
const QUERY_TIME_MAX: Duration = Duration::from_secs(12);

/// The version of each stream of `$1, $2, $3`, in their order; 0 if it does not exist.
pub const HEADS: &str = "
    select coalesce(
        (
            select events.version
            from log.events
            where events.tenant_id = wanted.tenant_id
                and events.area = wanted.area
                and events.stream_id = wanted.stream_id
            order by events.version desc
            limit 1
        ),
        0
    )
    from unnest($1::uuid[], $2::text[], $3::uuid[])
        with ordinality as wanted (tenant_id, area, stream_id, ordinal)
    order by wanted.ordinal";

const COLUMNS: &str = "
    events.position, events.event_id, events.tenant_id, events.area, events.stream_id,
    events.version, events.name, events.schema_version, events.recorded_at, events.occurred_at,
    events.request_id, events.correlation_id, events.session_id, events.real_actor_kind,
    events.real_actor_id, events.real_actor_name, events.effective_actor_id, events.emulation,
    events.grant_id, events.operation, events.channel, events.face, events.client_address,
    events.user_agent, events.reason, events.payload::text";

/// Reads from the log, on connections from a pool. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    pool: Pool,
}

impl Reader {
    /// Reads through this pool, whose connections have a statement timeout.
    pub fn new(pool: Pool) -> Reader {
        Reader { pool }
    }

    /// The highest position; 0 for an empty log.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn head(&self) -> Result<i64, Error> {
        let sql = "select coalesce((select max(position) from log.events), 0)";
        let rows = self.query(sql, &[], "reading the head").await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// The epoch that positions belong to.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn epoch(&self) -> Result<i32, Error> {
        let rows = self.query("select max(epoch) from log.epoch", &[], "reading the epoch").await?;
        Ok(rows.first().and_then(|row| row.get(0)).unwrap_or_default())
    }

    /// The ids of the events at these positions; positions without an event are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn ids_at(&self, positions: &[i64]) -> Result<HashMap<i64, Uuid>, Error> {
        let sql = "select position, event_id from log.events where position = any($1::bigint[])";
        let rows = self.query(sql, &[&positions], "reading ids of events").await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// The events of each stream after the version beside it, in (stream, version) order.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn streams(&self, wanted: &[(StreamKey, i64)]) -> Result<Vec<Recorded>, Error> {
        let open = |(stream, after): &(StreamKey, i64)| StreamRange {
            stream: *stream,
            after: *after,
            until: i64::MAX,
        };
        let ranges: Vec<StreamRange> = wanted.iter().map(open).collect();
        self.ranges(&ranges).await
    }

    /// The events of these ranges, in (range, version) order.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn ranges(&self, wanted: &[StreamRange]) -> Result<Vec<Recorded>, Error> {
        let sql = format!(
            "select {COLUMNS}
            from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[])
                with ordinality as wanted (tenant_id, area, stream_id, after, until, ordinal)
            cross join lateral (
                select * from log.events
                where events.tenant_id = wanted.tenant_id
                    and events.area = wanted.area
                    and events.stream_id = wanted.stream_id
                    and events.version > wanted.after
                    and events.version <= wanted.until
                order by events.version
            ) as events
            order by wanted.ordinal, events.version"
        );
        let (tenants, areas, ids) = key_columns(wanted.iter().map(|one| &one.stream));
        let after: Vec<i64> = wanted.iter().map(|one| one.after).collect();
        let until: Vec<i64> = wanted.iter().map(|one| one.until).collect();
        let parameters: [&(dyn ToSql + Sync); 5] = [&tenants, &areas, &ids, &after, &until];
        decode(&self.query(&sql, &parameters, "reading streams").await?)
    }

    /// The events of each stream after `position`, in (stream, version) order. The cost grows with
    /// their number, not with the length of the streams.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn since(
        &self,
        streams: &[StreamKey],
        position: i64,
    ) -> Result<Vec<Recorded>, Error> {
        let sql = format!(
            "select {COLUMNS} from unnest($1::uuid[], $2::text[], $3::uuid[])
                with ordinality as wanted (tenant_id, area, stream_id, ordinal)
            cross join lateral (
                select * from log.events
                where events.tenant_id = wanted.tenant_id
                    and events.area = wanted.area
                    and events.stream_id = wanted.stream_id
                    and events.version > coalesce(
                        (
                            select before.version
                            from log.events as before
                            where before.tenant_id = wanted.tenant_id
                                and before.area = wanted.area
                                and before.stream_id = wanted.stream_id
                                and before.position <= $4
                            order by before.version desc
                            limit 1
                        ),
                        0
                    )
            ) as events
            order by wanted.ordinal, events.version"
        );
        let (tenants, areas, ids) = key_columns(streams.iter());
        let parameters: [&(dyn ToSql + Sync); 4] = [&tenants, &areas, &ids, &position];
        decode(&self.query(&sql, &parameters, "reading what is new of streams").await?)
    }

    /// A page of one stream.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn stream_page(
        &self,
        stream: StreamKey,
        page: StreamPage<'_>,
    ) -> Result<Vec<Recorded>, Error> {
        let order = if page.ascending { "asc" } else { "desc" };
        let sql = format!(
            "select {COLUMNS} from log.events
            where tenant_id = $1 and area = $2 and stream_id = $3
                and version > log.version_at($1, $2, $3, $4)
                and version <= log.version_at($1, $2, $3, $5::bigint - 1)
                and (cardinality($6::text[]) = 0 or name = any($6))
            order by version {order} limit $7"
        );
        let (area, (after, before)) = (stream.area, page.between);
        let parameters: [&(dyn ToSql + Sync); 7] = [
            &stream.tenant_id,
            &area.as_str(),
            &stream.id,
            &after,
            &before,
            &page.names,
            &page.limit,
        ];
        decode(&self.query(&sql, &parameters, "reading a stream").await?)
    }

    /// At most `limit` events after `position`, of all tenants, in position order.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn all(&self, position: i64, limit: i64) -> Result<Vec<Recorded>, Error> {
        let sql = format!(
            "select {COLUMNS} from log.events where position > $1 order by position limit $2"
        );
        decode(&self.query(&sql, &[&position, &limit], "reading the log").await?)
    }

    /// The events at these positions, in position order.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn at(&self, positions: &[i64]) -> Result<Vec<Recorded>, Error> {
        let sql = format!(
            "select {COLUMNS} from log.events where position = any($1::bigint[]) order by position"
        );
        decode(&self.query(&sql, &[&positions], "reading events").await?)
    }

    /// The version of each stream, in the given order; 0 if it does not exist.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn heads(&self, streams: &[StreamKey]) -> Result<Vec<i64>, Error> {
        let (tenants, areas, ids) = key_columns(streams.iter());
        let rows = self.query(HEADS, &[&tenants, &areas, &ids], "reading versions").await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Every tenant that has an event.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn tenants(&self) -> Result<Vec<Uuid>, Error> {
        // One lookup in the index for each tenant, however long their histories are.
        let sql = "
            with recursive found as (
                (select tenant_id from log.events order by tenant_id limit 1)
                union all
                select (
                    select events.tenant_id from log.events
                    where events.tenant_id > found.tenant_id
                    order by events.tenant_id limit 1
                )
                from found
                where found.tenant_id is not null
            )
            select tenant_id from found where tenant_id is not null";
        let rows = self.query(sql, &[], "reading tenants").await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// A connection of the same pool, for a query of a read model.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn connection(&self) -> Result<deadpool_postgres::Object, Error> {
        Ok(self.pool.get().await?)
    }

    pub(super) async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
        doing: &'static str,
    ) -> Result<Vec<Row>, Error> {
        let client = self.pool.get().await?;
        let read = async {
            let statement = client.prepare_cached(sql).await?;
            client.query(&statement, parameters).await
        };
        let read = within(QUERY_TIME_MAX, doing, read).await;
        if matches!(read, Err(Error::Unavailable(_, None))) {
            // The next user of this connection would have to wait as long.
            drop(deadpool_postgres::Object::take(client));
        }
        read
    }
}

pub(super) fn key_columns<'a>(
    streams: impl Iterator<Item = &'a StreamKey>,
) -> (Vec<Uuid>, Vec<&'a str>, Vec<Uuid>) {
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for stream in streams {
        columns.0.push(stream.tenant_id);
        columns.1.push(stream.area.as_str());
        columns.2.push(stream.id);
    }
    columns
}

fn decode(rows: &[Row]) -> Result<Vec<Recorded>, Error> {
    rows.iter().map(recorded).collect()
}

pub(super) fn area(name: &str) -> Result<AreaName, Error> {
    AreaName::new(name).ok_or_else(|| Error::Corrupt(format!("no area is called {name}"), None))
}

fn recorded(row: &Row) -> Result<Recorded, Error> {
    Ok(Recorded {
        position: row.get(0),
        event_id: row.get(1),
        stream: StreamKey { tenant_id: row.get(2), area: area(row.get(3))?, id: row.get(4) },
        version: row.get(5),
        name: row.get(6),
        schema_version: row.get(7),
        recorded_at: row.get(8),
        occurred_at: row.get(9),
        envelope: Arc::new(Envelope {
            request_id: row.get(10),
            correlation_id: row.get(11),
            session_id: row.get(12),
            real_actor_kind: interned(row.get(13)),
            real_actor_id: row.get(14),
            real_actor_name: row.get(15),
            effective_actor_id: row.get(16),
            emulation: row.get::<_, Option<Vec<Uuid>>>(17).unwrap_or_default(),
            grant_id: row.get(18),
            operation: interned(row.get(19)),
            channel: interned(row.get(20)),
            face: interned(row.get(21)),
            client_address: row.get(22),
            user_agent: row.get(23),
            reason: row.get(24),
        }),
        payload: row.get(25),
    })
}

/// The shared copy of a word that recurs in envelopes. There are a few dozen such words, all
/// written by this program.
pub(super) fn interned(word: &str) -> &'static str {
    use std::collections::HashSet;
    use std::sync::RwLock;
    static WORDS: RwLock<Option<HashSet<&'static str>>> = RwLock::new(None);
    let known = |words: &Option<HashSet<&'static str>>| {
        words.as_ref().and_then(|words| words.get(word).copied())
    };
    let read = WORDS.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(word) = known(&read) {
        return word;
    }
    drop(read);
    let mut words = WORDS.write().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(word) = known(&words) {
        return word;
    }
    let word: &'static str = Box::leak(word.to_owned().into_boxed_str());
    words.get_or_insert_default().insert(word);
    word
}
