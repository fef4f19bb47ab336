//! The one appender of the process, as its callers see it: they hand in what is to be appended and
//! are told what became of it. Callers never write to the log themselves.

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

/// Appends that may wait; one more is answered 503.
const QUEUE_APPENDS_MAX: usize = 8_192;
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
    went_back: CancellationToken,
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
        let went_back = CancellationToken::new();
        let task = Task::new(settings, instance, head.clone(), went_back.clone());
        let task = tokio::spawn(task.run(calls, follow_ups));
        (Appender { callers, reactions, head, went_back, instance }, task)
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

    /// Resolves when the log turned out to end before what this process has seen of it, or to
    /// belong to another epoch: what it holds in memory is then of another log. It appends nothing
    /// any more.
    pub fn went_back(&self) -> CancellationToken {
        self.went_back.clone()
    }

    /// How many appends of callers wait.
    pub fn queue_length(&self) -> usize {
        QUEUE_APPENDS_MAX - self.callers.capacity()
    }

    /// What announcements of this appender's batches carry.
    pub fn instance(&self) -> String {
        self.instance.to_string()
    }

    /// Whether so much waits that new work had better be refused, or none can be done any more.
    pub fn is_full(&self) -> bool {
        self.callers.capacity() == 0 || self.went_back.is_cancelled()
    }
}

/// The task is gone.
pub fn stopped() -> Error {
    Error::Unavailable("the appender has stopped", None)
}
