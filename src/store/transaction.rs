//! The appender's connection. Each batch is one pipelined transaction on it: sent at once, without
//! waiting for an answer between its steps.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt};
use tokio_postgres::types::{Json, ToSql};
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

use super::admit::Known;
use super::append::CHANNEL;
use super::batch::{self, ClaimColumns, EventColumns, GuardColumns};
use super::connect::{Database, within};
use super::outcome::{Outcome, outcome_of};
use super::types::{Append, Appended, Guard, OperationalTable};
use super::{Doing, Error};

/// The advisory lock that orders the appends of all processes.
pub const LOCK: i64 = 0x0D05_51E4;

/// Time limit for statements that wait for no lock.
const STEP_TIME_MAX: Duration = Duration::from_secs(5);
/// Time limit for the wait for the lock and the statements under it.
pub const LOCKED_TIME_MAX: Duration = Duration::from_secs(15);

/// The position of each event of `$1` that exists; each is looked up in its stream.
const OWN_EVENTS: &str = "
    select own.event_id, events.position, events.recorded_at
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[])
        as own (event_id, tenant_id, area, stream_id, version)
    join log.events
        on events.tenant_id = own.tenant_id
        and events.area = own.area
        and events.stream_id = own.stream_id
        and events.version = own.version
        and events.event_id = own.event_id";

/// The appender's connection, with its statements prepared.
pub struct Connection {
    pub client: Client,
    lock: Statement,
    insert: Statement,
    take: Statement,
    release: Statement,
    require: Statement,
    notify: Statement,
    /// Statements that write operational rows, prepared at first use and before a batch: one
    /// prepared in the middle of a batch would run after its commit.
    tables: HashMap<&'static str, Statement>,
}

/// What a transaction needs besides its appends.
pub struct Sent<'a> {
    /// What the database must confirm first.
    pub required: &'a [Guard],
    /// Whether the transaction begins here, or has begun and holds the lock.
    pub begin: bool,
    /// The last known head of the log.
    pub head: i64,
    /// The id of the announcing process.
    pub instance: &'a str,
}

impl Connection {
    /// Connects and prepares.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn open(database: &Database) -> Result<Connection, Error> {
        let opening =
            tokio::time::timeout(STEP_TIME_MAX, Connection::open_without_deadline(database));
        opening.await.unwrap_or(Err(Error::Unavailable("connecting to append", None)))
    }

    async fn open_without_deadline(database: &Database) -> Result<Connection, Error> {
        // No sequential scans: plans that were cached while the tables were empty would keep them.
        // No new plan for each batch: that costs as much as a small batch. No statement timeout:
        // the wait for the lock is bounded by the client's deadline instead.
        let database = database.with_options(
            "-c enable_seqscan=off -c jit=off -c plan_cache_mode=force_generic_plan \
             -c statement_timeout=0 \
             -c idle_in_transaction_session_timeout=1000 -c application_name=dossier-appender",
        );
        let (client, _driver) = database.connect().await?;
        let prepare = |sql: &'static str| {
            let client = &client;
            async move { client.prepare(sql).await.doing("preparing to append") }
        };
        let lock = prepare("select pg_advisory_xact_lock($1)").await?;
        let insert = prepare(batch::INSERT_EVENTS).await?;
        let take = prepare(batch::TAKE_CLAIMS).await?;
        let release = prepare(batch::RELEASE_CLAIMS).await?;
        let require = prepare(batch::REQUIRE_VERSIONS).await?;
        let notify = prepare("select pg_notify($1, $2)").await?;
        Ok(Connection {
            client,
            lock,
            insert,
            take,
            release,
            require,
            notify,
            tables: HashMap::new(),
        })
    }

    /// Prepares what these appends write besides events.
    ///
    /// # Errors
    /// How it ended: in any case nothing was written.
    pub async fn prepare_tables(&mut self, appends: &[&Append]) -> Result<(), Outcome> {
        for row in appends.iter().flat_map(|append| &append.rows) {
            if !self.tables.contains_key(row.table.write) {
                let statement = self.client.prepare(row.table.write);
                let statement = ended(STEP_TIME_MAX, statement).await?;
                self.tables.insert(row.table.write, statement);
            }
        }
        Ok(())
    }

    /// Sends the whole transaction at once. The log must reach at least to `sent.head`.
    ///
    /// # Errors
    /// How else it ended.
    pub async fn send(&self, appends: &[&Append], sent: Sent<'_>) -> Result<Appended, Outcome> {
        ended(LOCKED_TIME_MAX, self.send_without_deadline(appends, sent)).await
    }

    async fn send_without_deadline(
        &self,
        appends: &[&Append],
        sent: Sent<'_>,
    ) -> Result<Appended, tokio_postgres::Error> {
        let client = &self.client;
        let events = EventColumns::of(appends);
        let claims = ClaimColumns::of(appends);
        let guards = GuardColumns::of(sent.required);
        let tables = rows_by_table(appends);
        let tables: Vec<_> =
            tables.iter().map(|(table, rows)| (self.tables.get(table.write), Json(rows))).collect();
        let (events, claim_parameters) = (events.parameters(&sent.head), claims.parameters());
        let guard_parameters = guards.parameters();
        let released = claims.released();
        let announcement: [&(dyn ToSql + Sync); 2] = [&CHANNEL, &sent.instance];
        let insert = client.query_one(&self.insert, &events);
        let mut before: Vec<BoxFuture<'_, Result<u64, tokio_postgres::Error>>> = Vec::new();
        if sent.begin {
            before.push(client.batch_execute("begin").map(|done| done.map(|()| 0)).boxed());
            before.push(client.execute(&self.lock, &[&LOCK]).boxed());
        }
        if !sent.required.is_empty() {
            before.push(client.execute(&self.require, &guard_parameters).boxed());
        }
        let mut after: Vec<BoxFuture<'_, Result<u64, tokio_postgres::Error>>> = Vec::new();
        if claims.releases_any() {
            after.push(client.execute(&self.release, &released).boxed());
        }
        if claims.takes_any() {
            after.push(client.execute(&self.take, &claim_parameters).boxed());
        }
        for (write, rows) in &tables {
            let write = write.expect("the tables of a batch are prepared before it is sent");
            after.push(async move { client.execute(write, &[rows]).await }.boxed());
        }
        after.push(client.execute(&self.notify, &announcement).boxed());
        after.push(client.batch_execute("commit").map(|done| done.map(|()| 0)).boxed());
        // Polled in this order, so sent in this order. After an error the server skips the rest and
        // turns the commit into a rollback; the first error is the cause.
        let (before, row, after) = tokio::join!(all(before), insert, all(after));
        before?;
        let row = row?;
        after?;
        Ok(Appended {
            first_position: row.get(0),
            last_position: row.get::<_, i64>(0) + event_total(appends) - 1,
            recorded_at: row.get(1),
        })
    }

    /// Begins, takes the lock, and reads every version and claim of these appends.
    ///
    /// # Errors
    /// How else it ended.
    pub async fn read_under_lock(&self, appends: &[&Append]) -> Result<Known, Outcome> {
        ended(LOCKED_TIME_MAX, self.read_without_deadline(appends)).await
    }

    async fn read_without_deadline(
        &self,
        appends: &[&Append],
    ) -> Result<Known, tokio_postgres::Error> {
        let mut streams: Vec<Guard> = Vec::new();
        let mut claims: Vec<Uuid> = Vec::new();
        for append in appends {
            streams.extend(append.guards.iter());
            streams.extend(
                append
                    .writes
                    .iter()
                    .map(|write| Guard { stream: write.stream, version: write.expected_version }),
            );
            claims.extend(append.takes.iter().map(|take| take.claim));
        }
        streams.sort_unstable_by_key(|guard| guard.stream);
        streams.dedup_by_key(|guard| guard.stream);
        let columns = GuardColumns::of(&streams);
        self.client.batch_execute("begin").await?;
        self.client.execute(&self.lock, &[&LOCK]).await?;
        let wanted: [&(dyn ToSql + Sync); 3] =
            [&columns.tenant_ids, &columns.areas, &columns.stream_ids];
        let heads = self.client.query(super::read::HEADS, &wanted);
        let claims: [&(dyn ToSql + Sync); 1] = [&claims];
        let held = "
            select claim from log.claims
            where claim = any($1::uuid[])
                and (expires_at is null or expires_at > clock_timestamp())";
        let held = self.client.query(held, &claims);
        let (heads, held) = tokio::try_join!(heads, held)?;
        let mut known = Known { exact: true, ..Known::default() };
        known.versions = streams
            .iter()
            .map(|guard| guard.stream)
            .zip(heads.iter().map(|row| row.get(0)))
            .collect();
        known.held = held.iter().map(|row| (row.get(0), true)).collect();
        Ok(known)
    }

    /// Releases the lock.
    ///
    /// # Errors
    /// How else it ended.
    pub async fn rollback(&self) -> Result<(), Outcome> {
        ended(STEP_TIME_MAX, self.client.batch_execute("rollback")).await
    }

    /// The positions of the events of each append, if they exist: asked under the lock, so that a
    /// transaction whose connection broke has ended.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn find_own_events(
        &self,
        appends: &[&Append],
    ) -> Result<Vec<Option<Appended>>, Error> {
        let found = self.find_without_deadline(appends);
        within(LOCKED_TIME_MAX, "looking for own events", found).await
    }

    async fn find_without_deadline(
        &self,
        appends: &[&Append],
    ) -> Result<Vec<Option<Appended>>, tokio_postgres::Error> {
        let firsts: Vec<Option<(Uuid, Guard)>> =
            appends.iter().map(|append| first_event(append)).collect();
        let (ids, places): (Vec<Uuid>, Vec<Guard>) = firsts.iter().flatten().copied().unzip();
        let columns = GuardColumns::of(&places);
        let [tenants, areas, streams, versions] = columns.parameters();
        self.client.batch_execute("begin").await?;
        self.client.execute(&self.lock, &[&LOCK]).await?;
        let own = [&ids as &(dyn ToSql + Sync), tenants, areas, streams, versions];
        let rows = self.client.query(OWN_EVENTS, &own).await?;
        self.client.batch_execute("rollback").await?;
        let found: HashMap<Uuid, (i64, DateTime<Utc>)> =
            rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
        let place = |(append, first): (&&Append, Option<(Uuid, Guard)>)| {
            let (first_position, recorded_at) = *found.get(&first?.0)?;
            let last_position = first_position + event_total(&[*append]) - 1;
            Some(Appended { first_position, last_position, recorded_at })
        };
        Ok(appends.iter().zip(firsts).map(place).collect())
    }
}

/// Its first event, and the event's position if it was appended.
fn first_event(append: &Append) -> Option<(Uuid, Guard)> {
    append.writes.iter().find_map(|write| {
        let event = write.events.first()?;
        Some((event.id, Guard { stream: write.stream, version: write.expected_version + 1 }))
    })
}

/// A step of a transaction within a time limit.
async fn ended<T>(
    time_max: Duration,
    step: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Outcome> {
    match tokio::time::timeout(time_max, step).await {
        Ok(done) => done.map_err(outcome_of),
        Err(_) => Err(Outcome::Unknown(None)),
    }
}

async fn all(
    steps: Vec<BoxFuture<'_, Result<u64, tokio_postgres::Error>>>,
) -> Result<(), tokio_postgres::Error> {
    // All are completed, so that the connection is in step even after a failure.
    let mut first_error = None;
    for done in futures_util::future::join_all(steps).await {
        if let Err(error) = done {
            first_error.get_or_insert(error);
        }
    }
    first_error.map_or(Ok(()), Err)
}

/// How many events an append has.
pub fn event_count(append: &Append) -> usize {
    append.writes.iter().map(|write| write.events.len()).sum()
}

fn event_total(appends: &[&Append]) -> i64 {
    let total: usize = appends.iter().map(|append| event_count(append)).sum();
    i64::try_from(total).unwrap_or(i64::MAX)
}

type RowsByTable<'a> = Vec<(&'static OperationalTable, Vec<&'a serde_json::Value>)>;

fn rows_by_table<'a>(appends: &[&'a Append]) -> RowsByTable<'a> {
    let mut tables: HashMap<&'static str, (&'static OperationalTable, Vec<_>)> = HashMap::new();
    for row in appends.iter().flat_map(|append| &append.rows) {
        let entry = tables.entry(row.table.write).or_insert_with(|| (row.table, Vec::new()));
        entry.1.push(&row.row);
    }
    tables.into_values().collect()
}
