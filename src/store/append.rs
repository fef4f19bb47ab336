//! The one appender of the process: takes what callers handed in, judges it in memory, and sends
//! each batch as one pipelined transaction. Callers never write to the log themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use metrics::counter;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::Error;
use super::admit::{Admission, Known, Verdict, admit};
use super::batch;
use super::connect::Database;
use super::outcome::{Outcome, fail, observe, outcome_of, unable};
use super::transaction::{Connection, event_count};
use super::types::{Append, Appended, Guard, Priority, Recorded, StreamKey};

/// Appends that may wait; one more is refused.
const QUEUE_APPENDS_MAX: usize = 8_192;
/// Most appends in one transaction.
const BATCH_APPENDS_MAX: usize = 1_024;
/// Most events in one transaction, unless one append alone has more.
const BATCH_EVENTS_MAX: usize = 8_192;
/// Versions remembered before all are forgotten and learnt again.
const VERSIONS_KNOWN_MAX: usize = 200_000;
/// How long a batch may take before its connection counts as lost.
const BATCH_TIME_MAX: Duration = Duration::from_secs(15);
/// How long to wait between attempts to reach the database again, at most.
const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(2);
/// The channel on which each batch is announced.
pub const CHANNEL: &str = "dossier_log";

/// Events as they are committed, for whoever follows the log. Full: they are dropped, and the
/// follower reads them from the database.
pub type Feed = mpsc::Sender<Vec<Arc<Recorded>>>;

/// What the appender runs with.
pub struct AppenderSettings {
    pub database: Database,
    pub feed: Feed,
}

/// Hands appends to the appender task. Cheap to clone.
#[derive(Clone)]
pub struct Appender {
    callers: mpsc::Sender<Job>,
    reactions: mpsc::Sender<Job>,
    head: Arc<AtomicI64>,
    instance: Uuid,
}

/// An append and who waits for it.
pub struct Job {
    pub append: Append,
    pub answer: oneshot::Sender<Result<Appended, Error>>,
}

impl Appender {
    /// Starts the appender task. It ends, with what was accepted done, when all handles are
    /// dropped.
    pub fn start(settings: AppenderSettings) -> (Appender, JoinHandle<()>) {
        let (callers, calls) = mpsc::channel(QUEUE_APPENDS_MAX);
        let (reactions, follow_ups) = mpsc::channel(BATCH_APPENDS_MAX);
        let head = Arc::new(AtomicI64::new(0));
        let instance = Uuid::new_v4();
        let task = Task {
            settings,
            instance: instance.to_string(),
            connection: None,
            known: Known::default(),
            head: head.clone(),
            deferred: Vec::new(),
        };
        let task = tokio::spawn(task.run(calls, follow_ups));
        (Appender { callers, reactions, head, instance }, task)
    }

    /// Appends all of it, or nothing.
    ///
    /// # Errors
    /// See [`Error`]. [`Error::Unavailable`] leaves open whether it happened only when the
    /// database could not be asked any more.
    pub async fn append(&self, append: Append, priority: Priority) -> Result<Appended, Error> {
        append.check_bounds()?;
        let (answer, answered) = oneshot::channel();
        let job = Job { append, answer };
        let sent = match priority {
            Priority::Caller => self.callers.try_send(job).map_err(|_| Error::Overloaded),
            Priority::Reaction => self.reactions.send(job).await.map_err(|_| stopped()),
        };
        sent?;
        answered.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// The highest position that this process has seen committed; 0 at first.
    pub fn head(&self) -> i64 {
        self.head.load(Ordering::Acquire)
    }

    /// How many appends of callers wait.
    pub fn queue_length(&self) -> usize {
        QUEUE_APPENDS_MAX - self.callers.capacity()
    }

    /// What announcements of this appender's batches carry.
    pub fn instance(&self) -> String {
        self.instance.to_string()
    }

    /// Whether so much waits that new work had better be refused.
    pub fn is_full(&self) -> bool {
        self.callers.capacity() == 0
    }
}

fn stopped() -> Error {
    Error::Unavailable("the appender has stopped", None)
}

struct Task {
    settings: AppenderSettings,
    /// What its announcements carry, so that this process knows its own.
    instance: String,
    connection: Option<Connection>,
    known: Known,
    head: Arc<AtomicI64>,
    deferred: Vec<Job>,
}

impl Task {
    async fn run(mut self, mut calls: mpsc::Receiver<Job>, mut follow_ups: mpsc::Receiver<Job>) {
        loop {
            let jobs = match self.next_batch(&mut calls, &mut follow_ups).await {
                Some(jobs) => jobs,
                None => return,
            };
            self.process(jobs).await;
        }
    }

    async fn next_batch(
        &mut self,
        calls: &mut mpsc::Receiver<Job>,
        follow_ups: &mut mpsc::Receiver<Job>,
    ) -> Option<Vec<Job>> {
        let mut jobs = std::mem::take(&mut self.deferred);
        if jobs.is_empty() {
            let first = tokio::select! {
                biased;
                job = calls.recv() => job,
                Some(job) = follow_ups.recv() => Some(job),
            };
            jobs.push(first?);
        }
        let mut events: usize = jobs.iter().map(|job| event_count(&job.append)).sum();
        while jobs.len() < BATCH_APPENDS_MAX && events < BATCH_EVENTS_MAX {
            let Ok(job) = calls.try_recv().or_else(|_| follow_ups.try_recv()) else { break };
            events += event_count(&job.append);
            jobs.push(job);
        }
        Some(jobs)
    }

    async fn process(&mut self, jobs: Vec<Job>) {
        let started = Instant::now();
        let admission = admit(&appends(&jobs), &self.known);
        let (jobs, required) = self.settle_verdicts(jobs, admission, false);
        if jobs.is_empty() {
            return;
        }
        match self.transact(&jobs, &required).await {
            Outcome::Committed(appended) => self.committed(jobs, &appended, started),
            Outcome::Violated => self.process_under_lock(jobs, started).await,
            Outcome::Refused(error) => self.process_one_by_one(jobs, error).await,
            Outcome::Unable(error) => unable(jobs, &error).await,
            Outcome::Unknown(error) => self.settle_unknown(jobs, error, started).await,
        }
    }

    /// Answers what was refused, keeps what was deferred, returns what was admitted.
    fn settle_verdicts(
        &mut self,
        jobs: Vec<Job>,
        admission: Admission,
        exact: bool,
    ) -> (Vec<Job>, Vec<Guard>) {
        let mut admitted = Vec::with_capacity(jobs.len());
        for (job, verdict) in jobs.into_iter().zip(admission.verdicts) {
            match verdict {
                Verdict::Admitted => admitted.push(job),
                Verdict::Conflict(stream) => {
                    counter!("dossier_append_conflicts_total").increment(1);
                    let _ = job.answer.send(Err(Error::Conflict(stream)));
                }
                // What makes it taken may itself fail yet, unless all was read under the lock.
                Verdict::ClaimTaken(claim) if exact => {
                    let _ = job.answer.send(Err(Error::ClaimTaken(claim)));
                }
                Verdict::ClaimTaken(_) | Verdict::Deferred => self.deferred.push(job),
            }
        }
        (admitted, admission.required)
    }

    async fn transact(&mut self, jobs: &[Job], required: &[Guard]) -> Outcome {
        let instance = self.instance.clone();
        let connection = match self.connection().await {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(error = %error, "the log cannot be reached");
                return Outcome::Unknown(None);
            }
        };
        let appends = appends(jobs);
        if let Err(error) = connection.prepare_tables(&appends).await {
            return outcome_of(error);
        }
        let sent = connection.send(&appends, required, true, &instance);
        match tokio::time::timeout(BATCH_TIME_MAX, sent).await {
            Ok(Ok(appended)) => Outcome::Committed(appended),
            Ok(Err(error)) => outcome_of(error),
            Err(_) => Outcome::Unknown(None),
        }
    }

    /// Reads, under the lock, every version and claim of the batch, and judges it again: exactly
    /// this time. The lock is held over one round trip here, which the server's
    /// `idle_in_transaction_session_timeout` bounds should this process be paused in it.
    async fn process_under_lock(&mut self, jobs: Vec<Job>, started: Instant) {
        let instance = self.instance.clone();
        let Ok(connection) = self.connection().await else {
            return self.settle_unknown(jobs, None, started).await;
        };
        let prepared = connection.prepare_tables(&appends(&jobs)).await;
        let known = match prepared {
            Ok(()) => connection.read_under_lock(&appends(&jobs)).await,
            Err(error) => Err(error),
        };
        let known = match known {
            Ok(known) => known,
            Err(error) => {
                self.connection = None;
                return self.settle_unknown(jobs, Some(error), started).await;
            }
        };
        self.remember(known.versions.iter().map(|(stream, version)| (*stream, *version)));
        let admission = admit(&appends(&jobs), &known);
        let (jobs, _) = self.settle_verdicts(jobs, admission, true);
        let Some(connection) = &self.connection else { return };
        if jobs.is_empty() {
            if connection.client.batch_execute("rollback").await.is_err() {
                self.connection = None;
            }
            return;
        }
        let appends = appends(&jobs);
        let sent = connection.send(&appends, &[], false, &instance);
        match tokio::time::timeout(BATCH_TIME_MAX, sent).await {
            Ok(Ok(appended)) => self.committed(jobs, &appended, started),
            Ok(Err(error)) => match outcome_of(error) {
                Outcome::Refused(error) => self.process_one_by_one(jobs, error).await,
                Outcome::Unable(error) => unable(jobs, &error).await,
                Outcome::Unknown(error) => self.settle_unknown(jobs, error, started).await,
                Outcome::Violated | Outcome::Committed(_) => {
                    fail(jobs, "a key was violated under the lock");
                }
            },
            Err(_) => self.settle_unknown(jobs, None, started).await,
        }
    }

    /// Some append of the batch holds what the database will not take: each for itself, so that
    /// the others stand.
    async fn process_one_by_one(&mut self, jobs: Vec<Job>, error: tokio_postgres::Error) {
        if let [job] = jobs.as_slice() {
            tracing::error!(error = %error, events = event_count(&job.append), "append refused");
            for job in jobs {
                let refused = Error::Corrupt("the database refuses an event".to_owned(), None);
                let _ = job.answer.send(Err(refused));
            }
            return;
        }
        for job in jobs {
            Box::pin(self.process(vec![job])).await;
        }
    }

    /// The connection was lost somewhere between begin and the answer to commit. Under the lock
    /// (so that the lost transaction is over) each append looks for its own first event.
    async fn settle_unknown(
        &mut self,
        jobs: Vec<Job>,
        error: Option<tokio_postgres::Error>,
        started: Instant,
    ) {
        self.connection = None;
        if let Some(error) = error {
            tracing::warn!(error = %error, "lost the log's connection, settling its last batch");
        }
        let mut jobs = jobs;
        let mut wait = Duration::from_millis(20);
        let found = loop {
            jobs.retain(|job| !job.answer.is_closed());
            if jobs.is_empty() {
                return;
            }
            match self.find_own_events(&jobs).await {
                Ok(found) => break found,
                Err(_) if started.elapsed() < BATCH_TIME_MAX => {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(RECONNECT_WAIT_MAX);
                }
                Err(error) => {
                    tracing::error!(error = %error, "could not settle a batch in time");
                    for job in jobs {
                        let unknown = Error::Unavailable("the outcome could not be learnt", None);
                        let _ = job.answer.send(Err(unknown));
                    }
                    return;
                }
            }
        };
        for (job, appended) in jobs.into_iter().zip(found) {
            match appended {
                Some(appended) => {
                    self.head.fetch_max(appended.last_position, Ordering::AcqRel);
                    let _ = job.answer.send(Ok(appended));
                }
                None => self.deferred.push(job),
            }
        }
    }

    async fn find_own_events(&mut self, jobs: &[Job]) -> Result<Vec<Option<Appended>>, Error> {
        let connection = self.connection().await?;
        let found = connection.find_own_events(&appends(jobs)).await;
        if found.is_err() {
            self.connection = None;
        }
        found.map_err(|error| Error::of_statement("looking for own events", error))
    }

    fn committed(&mut self, jobs: Vec<Job>, batch: &Appended, started: Instant) {
        let mut position = batch.first_position;
        let mut appends = Vec::with_capacity(jobs.len());
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            let count = i64::try_from(event_count(&job.append)).unwrap_or_default();
            let appended = Appended {
                first_position: position,
                last_position: position + count - 1,
                recorded_at: batch.recorded_at,
            };
            position += count;
            answers.push((job.answer, appended));
            appends.push(job.append);
        }
        self.remember(appends.iter().flat_map(|append| &append.writes).map(|write| {
            let count = i64::try_from(write.events.len()).unwrap_or_default();
            (write.stream, write.expected_version + count)
        }));
        let events = batch::recorded(appends, batch.first_position, batch.recorded_at);
        observe(&events, started);
        self.head.fetch_max(position - 1, Ordering::AcqRel);
        // Full or gone: the follower reads from the database what it did not get here.
        let _ = self.settings.feed.try_send(events);
        for (answer, appended) in answers {
            let _ = answer.send(Ok(appended));
        }
    }

    fn remember(&mut self, versions: impl IntoIterator<Item = (StreamKey, i64)>) {
        if self.known.versions.len() > VERSIONS_KNOWN_MAX {
            self.known.versions.clear();
        }
        for (stream, version) in versions {
            let known = self.known.versions.entry(stream).or_default();
            *known = version.max(*known);
        }
    }

    async fn connection(&mut self) -> Result<&mut Connection, Error> {
        let lost = self.connection.as_ref().is_none_or(|one| one.client.is_closed());
        if lost {
            self.connection = Some(Connection::open(&self.settings.database).await?);
        }
        self.connection.as_mut().ok_or_else(stopped)
    }
}

fn appends(jobs: &[Job]) -> Vec<&Append> {
    jobs.iter().map(|job| &job.append).collect()
}
