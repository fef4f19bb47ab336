//! When tickets were last used (Crafter contract 4.6). Use is no event and no write: this process
//! remembers it and writes it every few seconds. After a crash a ticket may end earlier by that
//! time.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::gauge;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::domain::session::{self, Session};
use crate::store::{Doing, Error, OperationalRow, OperationalTable};

use crate::engine::Engine;
use crate::engine::react::command;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::Change;
use crate::engine::write::halt::{Halt, Ordered};

/// How often uses are written.
const WRITE_EVERY: Duration = Duration::from_secs(5);
/// Longest time until a use in another process is written.
const UNWRITTEN_MAX: chrono::Duration = chrono::Duration::seconds(10);
/// How often idle tickets are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Idle tickets ended at once.
const ENDED_AT_ONCE: i64 = 1_000;
/// Most tickets whose last use is in memory; further ones are read again.
const REMEMBERED_MAX: u64 = 200_000;

static TICKET_TIMES: OperationalTable = OperationalTable {
    write: "insert into ops.ticket_times
        select * from json_populate_recordset(null::ops.ticket_times, $1)",
};

/// The ticket's row is removed in the transaction that ends the ticket.
static TICKETS_ENDED: OperationalTable = OperationalTable {
    write: "delete from ops.ticket_times
        using json_populate_recordset(null::ops.ticket_times, $1) as ended
        where ticket_times.ticket_id = ended.ticket_id",
};

/// The last uses that are known, and of these the ones not written yet.
pub struct Tickets {
    seen: moka::sync::Cache<Uuid, DateTime<Utc>>,
    unwritten: Mutex<HashMap<Uuid, DateTime<Utc>>>,
}

impl Default for Tickets {
    fn default() -> Self {
        Tickets { seen: moka::sync::Cache::new(REMEMBERED_MAX), unwritten: Mutex::default() }
    }
}

/// The row that marks a new ticket as used now.
pub fn issued(tenant: TenantId, ticket: Uuid, now: DateTime<Utc>) -> OperationalRow {
    let row = json!({ "tenant_id": tenant, "ticket_id": ticket, "last_request_at": now });
    OperationalRow { table: &TICKET_TIMES, row }
}

impl Tickets {
    /// Whether it is valid and was used at this time or later, as far as this process and the
    /// database know.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn used_since(
        &self,
        engine: &Engine,
        ticket: Uuid,
        since: DateTime<Utc>,
    ) -> Result<bool, Error> {
        // Memory may be older than what another process has written.
        if self.seen.get(&ticket).is_some_and(|at| at >= since) {
            return Ok(true);
        }
        Ok(last_used(engine, ticket).await?.is_some_and(|at| at >= since))
    }

    /// Records a use now.
    pub fn touch(&self, ticket: Uuid, now: DateTime<Utc>) {
        self.seen.insert(ticket, now);
        let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        unwritten.insert(ticket, now);
    }

    /// Writes the uses in memory; those that cannot be written are kept.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn write(&self, engine: &Engine) -> Result<(), Error> {
        let taken = {
            let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *unwritten)
        };
        if taken.is_empty() {
            return Ok(());
        }
        let written = store(engine, &taken).await;
        if written.is_err() {
            let mut unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
            for (ticket, at) in taken {
                unwritten.entry(ticket).or_insert(at);
            }
        }
        written
    }

    /// Writes, and ends tickets that were not used for longer than `idle_max`, until told to stop.
    pub async fn keep(
        self: Arc<Self>,
        engine: Arc<Engine>,
        idle_max: chrono::Duration,
        stopping: CancellationToken,
    ) {
        let mut write = tokio::time::interval(WRITE_EVERY);
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            let done = tokio::select! {
                () = stopping.cancelled() => {
                    // Uses that cannot be written now are lost, as in a crash.
                    let _ = self.write(&engine).await;
                    return;
                }
                _ = write.tick() => self.write(&engine).await,
                _ = look.tick() => {
                    self.end_idle(&engine, Utc::now() - idle_max - UNWRITTEN_MAX).await
                }
            };
            if let Err(error) = done {
                tracing::warn!(error = %error, "could not keep the times of tickets, trying again");
            }
        }
    }

    /// Ends tickets that were not used since then.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn end_idle(&self, engine: &Engine, since: DateTime<Utc>) -> Result<(), Error> {
        // Uses that only this process knows are written first.
        self.write(engine).await?;
        let client = engine.connection().await?;
        let sql = "
            select tenant_id, ticket_id from ops.ticket_times
            where last_request_at < $1
            order by last_request_at
            limit $2";
        let idle =
            client.query(sql, &[&since, &ENDED_AT_ONCE]).await.doing("looking for idle tickets")?;
        let count = client.query_one("select count(*) from ops.ticket_times", &[]).await;
        gauge!("dossier_tickets_active")
            .set(count.doing("looking for idle tickets")?.get::<_, i64>(0) as f64);
        drop(client);
        for row in idle {
            let (tenant, ticket): (Uuid, Uuid) = (row.get(0), row.get(1));
            self.seen.invalidate(&ticket);
            if !end(engine, TenantId(tenant), ticket, since).await? {
                self.forget(engine, ticket).await?;
            }
        }
        Ok(())
    }

    /// Forgets a ticket that has ended.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget(&self, engine: &Engine, ticket: Uuid) -> Result<(), Error> {
        self.seen.invalidate(&ticket);
        let client = engine.connection().await?;
        let sql = "delete from ops.ticket_times where ticket_id = $1";
        let done = client.execute(sql, &[&ticket]).await;
        done.map(|_| ()).doing("forgetting a ticket")
    }
}

/// Ends a ticket, with its row and its claim, unless another process has recorded a use since.
/// False: it had ended before and only its row was left.
async fn end(
    engine: &Engine,
    tenant: TenantId,
    ticket: Uuid,
    since: DateTime<Utc>,
) -> Result<bool, Error> {
    let ending = EndIdle { ticket, since, over: AtomicBool::new(false) };
    command(engine, tenant, "session", "end_ticket", 0, &ending).await?;
    Ok(!ending.over.into_inner())
}

/// The end of a ticket that was not used since then.
struct EndIdle {
    ticket: Uuid,
    since: DateTime<Utc>,
    /// Whether it had ended before.
    over: AtomicBool,
}

impl Change for EndIdle {
    type Done = ();
    type Refusal = Infallible;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<(), Halt<Infallible>> {
        let command = session::Command::EndSession { reason: "idle" };
        let ended = decision.order::<Session>(self.ticket, (), command).await.decided()?;
        let over = ended.is_ok_and(|events| events.is_empty());
        self.over.store(over, Ordering::Relaxed);
        if !over && last_used(decision.engine, self.ticket).await? >= Some(self.since) {
            decision.take_back();
        } else if !over {
            let row = json!({ "ticket_id": self.ticket });
            decision.row(OperationalRow { table: &TICKETS_ENDED, row });
        }
        Ok(())
    }
}

async fn last_used(engine: &Engine, ticket: Uuid) -> Result<Option<DateTime<Utc>>, Error> {
    let client = engine.connection().await?;
    let sql = "select last_request_at from ops.ticket_times where ticket_id = $1";
    let statement = client.prepare_cached(sql).await.doing("reading when a ticket was used")?;
    let row =
        client.query_opt(&statement, &[&ticket]).await.doing("reading when a ticket was used")?;
    Ok(row.map(|row| row.get(0)))
}

async fn store(engine: &Engine, times: &HashMap<Uuid, DateTime<Utc>>) -> Result<(), Error> {
    let (tickets, at): (Vec<Uuid>, Vec<DateTime<Utc>>) = times.iter().unzip();
    let client = engine.connection().await?;
    let sql = "
        update ops.ticket_times
        set last_request_at = greatest(ticket_times.last_request_at, used.at)
        from unnest($1::uuid[], $2::timestamptz[]) as used (ticket_id, at)
        where ticket_times.ticket_id = used.ticket_id";
    client.execute(sql, &[&tickets, &at]).await.doing("writing when tickets were used")?;
    Ok(())
}
