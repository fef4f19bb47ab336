//! Mails to be sent. The append's own transaction writes them, and they are sent from here, by this
//! process or another, until a mail server accepts them. Each is sent at least once; twice only if
//! a process or its database dies between the server's answer and the removal of the row. No
//! transaction or lock is held while a mail server is spoken to, and no address or link is logged.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use deadpool_postgres::Pool;
use metrics::{counter, gauge};
use serde_json::json;
use tokio::sync::Notify;
use tokio_postgres::types::ToSql;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::mail::{Failure, Kind, Mail, Mailer};
use crate::sealing::{SealingKeys, context};
use crate::store::{Doing, Error, OperationalRow, OperationalTable};

use super::credentials::hexadecimal;
use crate::engine::Engine;

/// Mails to be sent.
pub static MAILS: OperationalTable = OperationalTable {
    write: "insert into ops.mail_outbox
        select * from json_populate_recordset(null::ops.mail_outbox, $1)
        on conflict (mail_id) do nothing",
};

/// Mails sent at once, and so the most connections to the mail server.
pub const AT_ONCE: i64 = 8;
/// How long the lease of a mail lasts: longer than any attempt, so that when it ends its holder has
/// stopped.
pub const LEASE: TimeDelta = TimeDelta::minutes(10);
/// How often to look for mails that are due again, or that another process wrote.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Longest wait for mails being sent when told to stop.
const STOP_TIME_MAX: Duration = Duration::from_secs(8);
/// Bounds of the wait after a failed attempt, before it is randomised.
const WAIT_SECONDS_MIN: i64 = 30;
const WAIT_SECONDS_MAX: i64 = 30 * 60;
/// Longest reason stored with a mail, in characters.
const REASON_CHARACTERS_MAX: usize = 200;
/// Most mails that the metric counts.
const LENGTH_MAX: i64 = 100_000;

/// The results for the mails that were due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Accepted by the server or the folder.
    pub delivered: usize,
    /// Refused permanently.
    pub refused: usize,
    /// To be tried again.
    pub deferred: usize,
    /// Too old to be tried again.
    pub given_up: usize,
}

/// The mails of this directory. One for each process.
pub struct Outbox {
    pool: Pool,
    mailer: Mailer,
    sealing: Arc<SealingKeys>,
    added: Notify,
    /// Sent by this process; the removal of their rows is not confirmed yet.
    delivered: Mutex<HashSet<Uuid>>,
}

/// A mail that this process holds the lease of.
struct Leased {
    mail: Mail,
    /// The number of the attempt, from 1; it also distinguishes this lease from later ones.
    attempt: i32,
}

/// The result of an attempt, and its reason.
enum Outcome {
    Delivered,
    Refused(String),
    Deferred(String),
    GivenUp(String),
}

/// How long to wait after the failed attempt number `attempt`, from 1: twice as long each time,
/// within bounds, and spread over the upper half by `roll` (0 to 1), so that a server that is back
/// does not get all mails at once.
pub fn wait_after(attempt: i32, roll: f64) -> TimeDelta {
    let doublings = attempt.saturating_sub(1).clamp(0, 16);
    let seconds = (WAIT_SECONDS_MIN << doublings).min(WAIT_SECONDS_MAX);
    let half = seconds * 1_000 / 2;
    TimeDelta::milliseconds(half + (half as f64 * roll.clamp(0.0, 1.0)) as i64)
}

impl Engine {
    /// The outbox of this directory. `sealing` seals its links, `mailer` sends.
    pub fn outbox(&self, mailer: Mailer, sealing: Arc<SealingKeys>) -> Arc<Outbox> {
        Outbox::new(self.pool.clone(), mailer, sealing)
    }
}

impl Outbox {
    /// An outbox whose rows are reached through `pool`. `sealing` seals its links, `mailer` sends.
    pub fn new(pool: Pool, mailer: Mailer, sealing: Arc<SealingKeys>) -> Arc<Outbox> {
        let (added, delivered) = (Notify::new(), Mutex::default());
        Arc::new(Outbox { pool, mailer, sealing, added, delivered })
    }

    /// The row that sends a mail once its append is committed. Call [`Outbox::look`] afterwards.
    pub fn row(&self, tenant: TenantId, mail: &Mail) -> OperationalRow {
        // PostgreSQL stores no NUL, and no control character belongs in a mail address.
        let recipient = mail.recipient.replace('\0', "\u{1}");
        let sealed = self.sealing.seal(&sealed_for(tenant.0, mail.id), mail.link.as_bytes());
        let row = json!({
            "mail_id": mail.id,
            "tenant_id": tenant.0,
            "kind": mail.kind.name(),
            "recipient": recipient,
            "sealed_link": hexadecimal(&sealed),
            "created_at": mail.created_at,
            "expires_at": mail.expires_at,
            "attempts": 0,
            "next_attempt_at": mail.created_at,
            "last_error": null,
        });
        OperationalRow { table: &MAILS, row }
    }

    /// Tells that a mail was added, so that it is sent at once.
    pub fn look(&self) {
        self.added.notify_one();
    }

    /// Sends what is due until told to stop; mails being sent then have a few seconds. It must end
    /// before the pool is closed, otherwise mails that were just sent are sent again.
    pub async fn run(&self, stopping: CancellationToken) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let too_late = async {
            stopping.cancelled().await;
            tokio::time::sleep(STOP_TIME_MAX).await;
        };
        tokio::pin!(too_late);
        while !stopping.is_cancelled() {
            tokio::select! {
                () = stopping.cancelled() => break,
                () = self.added.notified() => {}
                _ = look.tick() => {}
            }
            tokio::select! {
                () = &mut too_late => return,
                done = self.drain(&stopping) => if let Err(error) = done {
                    tracing::warn!(error = %error, "could not look after the outbox, trying again");
                }
            }
        }
        tokio::select! {
            () = too_late => {}
            () = self.mailer.rest() => {}
        }
    }

    /// Takes some of the mails that are due at `now`, and tries each once.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; mails that were taken are due again when their lease ends.
    pub async fn round(&self, now: DateTime<Utc>) -> Result<Round, Error> {
        let leased = self.take(now).await?;
        let tried = leased.into_iter().map(|leased| self.send_one(leased, now));
        let tried = futures_util::future::join_all(tried).await;
        let mut round = Round::default();
        let mut first_reason = None;
        for outcome in tried {
            match outcome? {
                Outcome::Delivered => round.delivered += 1,
                Outcome::Refused(_) => round.refused += 1,
                Outcome::GivenUp(_) => round.given_up += 1,
                Outcome::Deferred(reason) => {
                    round.deferred += 1;
                    first_reason.get_or_insert(reason);
                }
            }
        }
        // One log line for all: an outage of the mail server must not fill the log.
        if let Some(reason) = first_reason {
            let mails = round.deferred;
            tracing::warn!(mails, reason, "{mails} mails have to be sent again later: {reason}");
        }
        Ok(round)
    }

    /// How many mails are waiting, counted up to a bound.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn length(&self) -> Result<i64, Error> {
        let sql = "select count(*) from (select from ops.mail_outbox limit $1) as mails";
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(sql).await.doing("counting mails")?;
        let row = client.query_one(&statement, &[&LENGTH_MAX]).await.doing("counting mails")?;
        Ok(row.get(0))
    }

    async fn drain(&self, stopping: &CancellationToken) -> Result<(), Error> {
        loop {
            let round = self.round(Utc::now()).await?;
            gauge!("dossier_mail_outbox_length").set(self.length().await? as f64);
            let settled = round.delivered + round.refused + round.given_up;
            let more = i64::try_from(settled + round.deferred).is_ok_and(|tried| tried == AT_ONCE);
            // If all attempts were put off, the mail server is down: the other mails wait too.
            if !more || settled == 0 || stopping.is_cancelled() {
                break;
            }
        }
        self.mailer.rest().await;
        Ok(())
    }

    /// Takes the lease of some mails that are due. Kinds from a newer version of the program are
    /// left to it.
    async fn take(&self, now: DateTime<Utc>) -> Result<Vec<Leased>, Error> {
        let sql = "
            with due as (
                select mail_id
                from ops.mail_outbox
                where next_attempt_at <= $1 and kind = any($2)
                order by next_attempt_at
                limit $3
                for update skip locked
            )
            update ops.mail_outbox as mails
            set attempts = mails.attempts + 1, next_attempt_at = $4
            from due
            where mails.mail_id = due.mail_id
            returning
                mails.mail_id, kind, recipient, created_at, expires_at, attempts, tenant_id,
                sealed_link";
        let kinds = Kind::ALL.map(Kind::name);
        let client = self.pool.get().await?;
        let statement = client.prepare_cached(sql).await.doing("taking mails")?;
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&now, &kinds.as_slice(), &AT_ONCE, &(now + LEASE)];
        let rows = client.query(&statement, &parameters).await.doing("taking mails")?;
        Ok(rows.iter().filter_map(|row| self.leased(row)).collect())
    }

    /// A mail from its row; without a link if the link cannot be opened.
    fn leased(&self, row: &tokio_postgres::Row) -> Option<Leased> {
        let (id, tenant): (Uuid, Uuid) = (row.get(0), row.get(6));
        let link = self.sealing.unseal(&sealed_for(tenant, id), row.get(7));
        let link = link.ok().and_then(|link| String::from_utf8(link.to_vec()).ok());
        let mail = Mail {
            id,
            kind: Kind::named(row.get(1))?,
            recipient: row.get(2),
            link: link.unwrap_or_default(),
            created_at: row.get(3),
            expires_at: row.get(4),
        };
        Some(Leased { mail, attempt: row.get(5) })
    }

    async fn send_one(&self, leased: Leased, now: DateTime<Utc>) -> Result<Outcome, Error> {
        let (id, kind, attempts) = (leased.mail.id, leased.mail.kind.name(), leased.attempt);
        let wait = wait_after(attempts, rand::random());
        let outcome = if self.delivered().contains(&id) {
            Outcome::Delivered
        } else {
            let outcome = self.attempt(&leased.mail, now, wait).await;
            let name = outcome.name(&self.mailer);
            counter!("dossier_mails_total", "kind" => kind, "outcome" => name).increment(1);
            outcome
        };
        match &outcome {
            Outcome::Deferred(reason) => {
                self.postpone(&leased, now + wait, reason).await?;
                return Ok(outcome);
            }
            Outcome::Delivered => {}
            Outcome::Refused(reason) => {
                tracing::warn!(mail.id = %id, mail.kind = kind, attempts, reason,
                    "mail {id} will not be sent: {reason}");
            }
            Outcome::GivenUp(reason) => {
                tracing::error!(mail.id = %id, mail.kind = kind, attempts, reason,
                    "gave up sending mail {id}: {reason}");
            }
        }
        self.remove(id).await?;
        Ok(outcome)
    }

    async fn attempt(&self, mail: &Mail, now: DateTime<Utc>, wait: TimeDelta) -> Outcome {
        let last = mail.expires_at;
        if now >= last {
            return Outcome::GivenUp("its link has ended".to_owned());
        }
        if mail.link.is_empty() {
            // Another process may have the key that sealed it.
            return Outcome::Deferred("its link stays sealed: the key is missing here".to_owned());
        }
        match self.mailer.deliver(mail).await {
            Ok(()) => {
                self.delivered().insert(mail.id);
                Outcome::Delivered
            }
            Err(Failure::Final(reason)) => Outcome::Refused(reason),
            Err(Failure::Passing(reason)) if now + wait >= last => Outcome::GivenUp(reason),
            Err(Failure::Passing(reason)) => Outcome::Deferred(reason),
        }
    }

    /// Returns a mail, to be tried again at `at`, unless somebody else has the lease by now.
    async fn postpone(
        &self,
        leased: &Leased,
        at: DateTime<Utc>,
        reason: &str,
    ) -> Result<(), Error> {
        let sql = "
            update ops.mail_outbox
            set next_attempt_at = $3, last_error = $4
            where mail_id = $1 and attempts = $2";
        let reason: String = reason.chars().take(REASON_CHARACTERS_MAX).collect();
        let client = self.pool.get().await?;
        let done = client.execute(sql, &[&leased.mail.id, &leased.attempt, &at, &reason]).await;
        done.map(|_| ()).doing("putting off a mail")
    }

    async fn remove(&self, id: Uuid) -> Result<(), Error> {
        let client = self.pool.get().await?;
        let removed =
            client.execute("delete from ops.mail_outbox where mail_id = $1", &[&id]).await;
        removed.doing("removing a mail")?;
        self.delivered().remove(&id);
        Ok(())
    }

    fn delivered(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outcome {
    fn name(&self, mailer: &Mailer) -> &'static str {
        match self {
            Outcome::Delivered => mailer.outcome(),
            Outcome::Refused(_) => "refused",
            Outcome::Deferred(_) => "deferred",
            Outcome::GivenUp(_) => "given_up",
        }
    }
}

fn sealed_for(tenant: Uuid, mail: Uuid) -> Vec<u8> {
    context(tenant, mail, "mail_link")
}
