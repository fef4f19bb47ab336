//! The single appender of a process, as callers see it: they hand in what is to be appended and are
//! told the result. Callers never write to the log themselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Error;
use super::appending::{BATCH_APPENDS_MAX, Task};
use super::connect::Database;
use super::types::{Append, Appended, Priority, Recorded};

/// Most appends that wait; one more is answered 503.
const QUEUE_APPENDS_MAX: usize = 8_192;
/// The channel on which each batch is announced.
pub const CHANNEL: &str = "dossier_log";

/// Committed events, for the task that follows the log. If the queue is full they are dropped, and
/// that task reads them from the database.
pub type Feed = mpsc::Sender<Vec<Arc<Recorded>>>;

/// The parts of the appender.
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
    went_back: CancellationToken,
    instance: Uuid,
}

/// An append and its waiting caller.
pub struct Job {
    pub append: Append,
    pub answer: oneshot::Sender<Result<Appended, Error>>,
}

impl Appender {
    /// Starts the appender task. It ends when all handles are dropped, after finishing what was
    /// accepted.
    pub fn start(settings: AppenderSettings) -> (Appender, JoinHandle<()>) {
        let (callers, calls) = mpsc::channel(QUEUE_APPENDS_MAX);
        let (reactions, follow_ups) = mpsc::channel(BATCH_APPENDS_MAX);
        let head = Arc::new(AtomicI64::new(0));
        let instance = Uuid::new_v4();
        let went_back = CancellationToken::new();
        let task = Task::new(settings, instance, head.clone(), went_back.clone());
        let task = tokio::spawn(task.run(calls, follow_ups));
        (Appender { callers, reactions, head, went_back, instance }, task)
    }

    /// Appends all of it, or nothing.
    ///
    /// # Errors
    /// See [`Error`]. After [`Error::Unavailable`] it is unknown whether the append happened, but
    /// only if the database could not be asked any more.
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

    /// Resolves when the log turned out to end before what this process has seen, or to have
    /// another epoch: memory then belongs to another log. Nothing is appended any more.
    pub fn went_back(&self) -> CancellationToken {
        self.went_back.clone()
    }

    /// How many appends of callers wait.
    pub fn queue_length(&self) -> usize {
        QUEUE_APPENDS_MAX - self.callers.capacity()
    }

    /// The id in the announcements of this appender's batches.
    pub fn instance(&self) -> String {
        self.instance.to_string()
    }

    /// Whether new work should be refused because too much waits, or because nothing can be
    /// appended.
    pub fn is_full(&self) -> bool {
        self.callers.capacity() == 0 || self.went_back.is_cancelled()
    }
}

/// The task has ended.
pub fn stopped() -> Error {
    Error::Unavailable("the appender has stopped", None)
}
