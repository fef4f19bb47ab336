//! How the appender's transactions end, and what callers are told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use metrics::{counter, histogram};

use super::Error;
use super::append::Job;
use super::types::{Appended, Recorded};

/// Pause after the server could not accept a batch.
const UNABLE_PAUSE: Duration = Duration::from_millis(200);

/// How a transaction ended.
pub enum Outcome {
    Committed(Appended),
    /// A key or a version check failed: nothing happened; check exactly.
    Violated,
    /// The log ends before what this process has seen of it: nothing happened.
    WentBack,
    /// The database refused some row: nothing happened.
    Refused(tokio_postgres::Error),
    /// The server could not do it, and said so: nothing happened.
    Unable(tokio_postgres::Error),
    /// The connection broke: the result is unknown.
    Unknown(Option<tokio_postgres::Error>),
}

impl Outcome {
    /// The database's message.
    pub fn cause(self) -> Option<tokio_postgres::Error> {
        match self {
            Outcome::Refused(error) | Outcome::Unable(error) => Some(error),
            Outcome::Unknown(error) => error,
            Outcome::Committed(_) | Outcome::Violated | Outcome::WentBack => None,
        }
    }
}

/// The meaning of an error of a transaction.
pub fn outcome_of(error: tokio_postgres::Error) -> Outcome {
    let Some(database_error) = error.as_db_error() else { return Outcome::Unknown(Some(error)) };
    let constraint = database_error.constraint().unwrap_or_default();
    match database_error.code().code() {
        "DOS01" => Outcome::Violated,
        "DOS04" => Outcome::WentBack,
        "23505" if matches!(constraint, "events_stream_version_key" | "claims_claim_key") => {
            Outcome::Violated
        }
        code if ["22", "23", "42"].contains(&&code[..2]) => Outcome::Refused(error),
        // The server is stopping: whether it committed before is unknown.
        code if code.starts_with("57P") || code.starts_with("08") => Outcome::Unknown(Some(error)),
        _ => Outcome::Unable(error),
    }
}

/// Answers that the server could not accept the batch (a full disk, a limit), after a pause, so
/// that a lasting shortage does not become a busy loop.
pub async fn unable(jobs: Vec<Job>, error: &tokio_postgres::Error) {
    counter!("dossier_append_failures_total").increment(1);
    let why = error.as_db_error().map_or("", |error| error.message());
    tracing::error!("the log takes nothing now: {why}");
    for job in jobs {
        let _ = job.answer.send(Err(Error::Unavailable("appending to the log", None)));
    }
    tokio::time::sleep(UNABLE_PAUSE).await;
}

/// Answers that nothing is appended any more, since decisions rest on another log.
pub fn went_back(jobs: Vec<Job>) {
    for job in jobs {
        let _ = job.answer.send(Err(Error::Unavailable("the log went back", None)));
    }
}

/// Answers that something impossible happened.
pub fn fail(jobs: Vec<Job>, why: &str) {
    tracing::error!("{why}");
    for job in jobs {
        let _ = job.answer.send(Err(Error::Corrupt(why.to_owned(), None)));
    }
}

/// Updates the metrics with a batch.
pub fn observe(events: &[Arc<Recorded>], started: Instant) {
    histogram!("dossier_append_duration_seconds").record(started.elapsed());
    histogram!("dossier_append_batch_events").record(events.len() as f64);
    let mut by_area: HashMap<&str, u64> = HashMap::new();
    for event in events {
        *by_area.entry(event.stream.area.as_str()).or_default() += 1;
    }
    for (area, count) in by_area {
        counter!("dossier_events_appended_total", "area" => area.to_owned()).increment(count);
    }
}
