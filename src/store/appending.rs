//! The appender's task: judges appends in memory, sends each batch as one pipelined transaction,
//! and finds out the result if a connection was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use metrics::counter;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Error;
use super::admit::{Admission, Known, Verdict, admit};
use super::append::{AppenderSettings, Job, stopped};
use super::batch;
use super::outcome::{Outcome, fail, observe, unable, went_back};
use super::transaction::{Connection, Sent, event_count};
use super::types::{Append, Appended, Guard, StreamKey};

/// Most appends in one transaction.
pub const BATCH_APPENDS_MAX: usize = 1_024;
/// Most events in one transaction, unless one append alone has more.
const BATCH_EVENTS_MAX: usize = 8_192;
/// Most versions in memory; beyond, all are forgotten and read again.
const VERSIONS_KNOWN_MAX: usize = 200_000;
/// How long to ask for the result of a batch whose connection was lost.
const SETTLE_TIME_MAX: Duration = Duration::from_secs(15);
/// Longest wait between attempts to reach the database.
const RECONNECT_WAIT_MAX: Duration = Duration::from_secs(2);
/// The task of an appender.
pub struct Task {
    settings: AppenderSettings,
    /// The id in its announcements, by which this process recognises them.
    instance: String,
    connection: Option<Connection>,
    known: Known,
    head: Arc<AtomicI64>,
    went_back: CancellationToken,
    deferred: Vec<Job>,
}

impl Task {
    /// For the process with this `instance` id, which has seen the log up to `head`.
    pub fn new(
        settings: AppenderSettings,
        instance: Uuid,
        head: Arc<AtomicI64>,
        went_back: CancellationToken,
    ) -> Task {
        Task {
            settings,
            instance: instance.to_string(),
            connection: None,
            known: Known::default(),
            head,
            went_back,
            deferred: Vec::new(),
        }
    }

    /// Appends until no handle is left.
    pub async fn run(
        mut self,
        mut calls: mpsc::Receiver<Job>,
        mut follow_ups: mpsc::Receiver<Job>,
    ) {
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
        if self.went_back.is_cancelled() {
            return went_back(jobs);
        }
        let admission = admit(&appends(&jobs), &self.known);
        let (jobs, required) = self.settle_verdicts(jobs, admission, false);
        if jobs.is_empty() {
            return;
        }
        match self.transact(&jobs, &required).await {
            Outcome::Committed(appended) => self.committed(jobs, &appended, started),
            Outcome::Violated => self.process_under_lock(jobs, started).await,
            other => self.not_committed(jobs, other, started).await,
        }
    }

    /// Answers what can be answered, or finds out more.
    async fn not_committed(&mut self, jobs: Vec<Job>, outcome: Outcome, started: Instant) {
        match outcome {
            Outcome::Refused(error) => self.process_one_by_one(jobs, error).await,
            Outcome::Unable(error) => unable(jobs, &error).await,
            Outcome::Unknown(error) => self.settle_unknown(jobs, error, started).await,
            Outcome::WentBack => {
                self.went_back.cancel();
                went_back(jobs);
            }
            Outcome::Violated | Outcome::Committed(_) => {
                fail(jobs, "a key was violated under the lock");
            }
        }
    }

    /// Answers refused appends, keeps deferred ones, returns admitted ones.
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
                // What holds the claim may itself still fail, unless everything was read under the
                // lock.
                Verdict::ClaimTaken(claim) if exact => {
                    let _ = job.answer.send(Err(Error::ClaimTaken(claim)));
                }
                Verdict::ClaimTaken(_) | Verdict::Deferred => self.deferred.push(job),
            }
        }
        (admitted, admission.required)
    }

    async fn transact(&mut self, jobs: &[Job], required: &[Guard]) -> Outcome {
        let (instance, head) = (self.instance.clone(), self.seen());
        let connection = match self.connection().await {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(error = %error, "the log cannot be reached");
                return Outcome::Unknown(None);
            }
        };
        let appends = appends(jobs);
        if let Err(outcome) = connection.prepare_tables(&appends).await {
            return outcome;
        }
        let sent = Sent { required, begin: true, head, instance: &instance };
        match connection.send(&appends, sent).await {
            Ok(appended) => Outcome::Committed(appended),
            Err(outcome) => outcome,
        }
    }

    fn seen(&self) -> i64 {
        self.head.load(Ordering::Acquire)
    }

    /// Reads, under the lock, every version and claim of the batch, and judges it again with exact
    /// knowledge. The lock is held for one round trip; if this process is paused in it, the
    /// server's `idle_in_transaction_session_timeout` bounds that.
    async fn process_under_lock(&mut self, jobs: Vec<Job>, started: Instant) {
        let (instance, head) = (self.instance.clone(), self.seen());
        let Ok(connection) = self.connection().await else {
            return self.settle_unknown(jobs, None, started).await;
        };
        let known = match connection.prepare_tables(&appends(&jobs)).await {
            Ok(()) => connection.read_under_lock(&appends(&jobs)).await,
            Err(outcome) => Err(outcome),
        };
        let known = match known {
            Ok(known) => known,
            Err(outcome) => return self.settle_unknown(jobs, outcome.cause(), started).await,
        };
        self.remember(known.versions.iter().map(|(stream, version)| (*stream, *version)));
        let admission = admit(&appends(&jobs), &known);
        let (jobs, _) = self.settle_verdicts(jobs, admission, true);
        let Some(connection) = &self.connection else { return };
        if jobs.is_empty() {
            if connection.rollback().await.is_err() {
                self.connection = None;
            }
            return;
        }
        let sent = Sent { required: &[], begin: false, head, instance: &instance };
        match connection.send(&appends(&jobs), sent).await {
            Ok(appended) => self.committed(jobs, &appended, started),
            Err(outcome) => self.not_committed(jobs, outcome, started).await,
        }
    }

    /// Some append of the batch contains what the database refuses: each is sent by itself, so that
    /// the others succeed.
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

    /// The connection was lost between begin and the answer to commit. Under the lock (so that the
    /// lost transaction has ended) each append looks for its own first event.
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
                Err(_) if started.elapsed() < SETTLE_TIME_MAX => {
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
        found
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
        // If that queue is full or closed, the events are read from the database.
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
