//! The appender's connection, and each batch as one pipelined transaction on it: sent at once, no
//! step waiting for the answer to the one before.

use std::collections::HashMap;

use futures_util::future::{BoxFuture, FutureExt};
use tokio_postgres::types::{Json, ToSql};
use tokio_postgres::{Client, Statement};
use uuid::Uuid;

use super::Error;
use super::admit::Known;
use super::append::CHANNEL;
use super::batch::{self, ClaimColumns, EventColumns, GuardColumns};
use super::connect::Database;
use super::types::{Append, Appended, Guard, OperationalTable};

/// The advisory lock that orders all appends of all processes.
pub const LOCK: i64 = 0x0D05_51E4;

/// The appender's connection, with its statements prepared.
pub struct Connection {
    pub client: Client,
    lock: Statement,
    insert: Statement,
    take: Statement,
    release: Statement,
    require: Statement,
    notify: Statement,
    /// Statements that write operational rows, prepared when first needed: a statement that had to
    /// be prepared amid a batch would run after its commit.
    tables: HashMap<&'static str, Statement>,
}

impl Connection {
    /// Connects and prepares.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn open(database: &Database) -> Result<Connection, Error> {
        // No sequential scans: plans cached while the tables were empty would keep them; and no
        // planning anew for each batch, which costs as much as a small batch itself. No
        // statement timeout: a wait for the lock is bounded by the client's deadline instead.
        let database = database.with_options(
            "-c enable_seqscan=off -c jit=off -c plan_cache_mode=force_generic_plan \
             -c statement_timeout=0 \
             -c idle_in_transaction_session_timeout=1000 -c application_name=dossier-appender",
        );
        let (client, _driver) = database.connect().await?;
        let prepare = |sql: &'static str| {
            let client = &client;
            async move {
                let prepared = client.prepare(sql).await;
                prepared.map_err(|error| Error::of_statement("preparing to append", error))
            }
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
    /// The driver's.
    pub async fn prepare_tables(
        &mut self,
        appends: &[&Append],
    ) -> Result<(), tokio_postgres::Error> {
        for row in appends.iter().flat_map(|append| &append.rows) {
            if !self.tables.contains_key(row.table.write) {
                let statement = self.client.prepare(row.table.write).await?;
                self.tables.insert(row.table.write, statement);
            }
        }
        Ok(())
    }

    /// The whole transaction, sent at once: no step waits for the answer to the one before.
    pub async fn send(
        &self,
        appends: &[&Append],
        required: &[Guard],
        begin: bool,
        instance: &str,
    ) -> Result<Appended, tokio_postgres::Error> {
        let client = &self.client;
        let events = EventColumns::of(appends);
        let claims = ClaimColumns::of(appends);
        let guards = GuardColumns::of(required);
        let tables = rows_by_table(appends);
        let tables: Vec<_> =
            tables.iter().map(|(table, rows)| (self.tables.get(table.write), Json(rows))).collect();
        let (events, claim_parameters) = (events.parameters(), claims.parameters());
        let guard_parameters = guards.parameters();
        let announcement: [&(dyn ToSql + Sync); 2] = [&CHANNEL, &instance];
        let insert = client.query_one(&self.insert, &events);
        let mut before: Vec<BoxFuture<'_, Result<u64, tokio_postgres::Error>>> = Vec::new();
        if begin {
            before.push(client.batch_execute("begin").map(|done| done.map(|()| 0)).boxed());
            before.push(client.execute(&self.lock, &[&LOCK]).boxed());
        }
        if !required.is_empty() {
            before.push(client.execute(&self.require, &guard_parameters).boxed());
        }
        let mut after: Vec<BoxFuture<'_, Result<u64, tokio_postgres::Error>>> = Vec::new();
        let released = &claims.released;
        if !released.is_empty() {
            after.push(async { client.execute(&self.release, &[released]).await }.boxed());
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
        // Polled in this order, so sent in this order. An error in one makes the server skip the
        // rest and turn commit into rollback; the first error is the cause.
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
    /// The driver's.
    pub async fn read_under_lock(
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
        let held = "select claim from log.claims where claim = any($1::uuid[])";
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

    /// Where the events of each append are, if they are: asked under the lock, so that a
    /// transaction whose connection broke is over.
    ///
    /// # Errors
    /// The driver's.
    pub async fn find_own_events(
        &self,
        appends: &[&Append],
    ) -> Result<Vec<Option<Appended>>, tokio_postgres::Error> {
        self.client.batch_execute("begin").await?;
        self.client.execute(&self.lock, &[&LOCK]).await?;
        let mut found = Vec::with_capacity(appends.len());
        for append in appends {
            let first = append
                .writes
                .iter()
                .find_map(|write| write.events.first().map(|event| (write, event.id)));
            let Some((write, event_id)) = first else {
                found.push(None);
                continue;
            };
            let area = write.stream.area;
            let row = self
                .client
                .query_opt(
                    "select position, recorded_at from log.events where tenant_id = $1 \
                     and area = $2 and stream_id = $3 and version = $4 and event_id = $5",
                    &[
                        &write.stream.tenant_id,
                        &area.as_str(),
                        &write.stream.id,
                        &(write.expected_version + 1),
                        &event_id,
                    ],
                )
                .await?;
            found.push(row.map(|row| Appended {
                first_position: row.get(0),
                last_position: row.get::<_, i64>(0) + event_total(&[*append]) - 1,
                recorded_at: row.get(1),
            }));
        }
        self.client.batch_execute("rollback").await?;
        Ok(found)
    }
}

async fn all(
    steps: Vec<BoxFuture<'_, Result<u64, tokio_postgres::Error>>>,
) -> Result<(), tokio_postgres::Error> {
    // All are driven to their end, so that the connection is in step whatever failed.
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
