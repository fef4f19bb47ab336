//! Follows the log: takes each event once, in the order of positions, from this process's appender
//! or from the database, and passes it to the cached states and to the read models.

use std::sync::Arc;
use std::time::Duration;

use metrics::gauge;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::store::{Appender, CHANNEL, Database, Error, Listener, Reader, Recorded};

use super::project::Projections;
use crate::engine::occurred::occurred;
use crate::engine::states::States;
use crate::engine::tags::Tags;

/// Most events read from the log at once.
const READ_EVENTS_MAX: i64 = 2_000;
/// How often the head is read although no append was announced.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long to wait before listening again.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// The announcement that rows of read models were repaired. It only saves waiting time.
pub const MENDED: &str = "mended";

/// The parts of the task that follows the log.
pub struct Follower {
    pub database: Database,
    pub reader: Reader,
    pub appender: Appender,
    pub states: States,
    pub tags: Arc<Tags>,
    pub projections: Projections,
    pub stopping: CancellationToken,
    /// The epoch at the start.
    pub epoch: i32,
}

/// Events from this process's appender.
pub type Fed = mpsc::Receiver<Vec<Arc<Recorded>>>;

impl Follower {
    /// Starts after `position`. The receiver tells how far the log was followed.
    pub fn start(self, position: i64, fed: Fed) -> (watch::Receiver<i64>, JoinHandle<()>) {
        let (sender, receiver) = watch::channel(position);
        let task = tokio::spawn(self.run(sender, fed));
        (receiver, task)
    }

    async fn run(self, followed: watch::Sender<i64>, mut fed: Fed) {
        let mut listener = None;
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut last = None;
        loop {
            if listener.is_none() {
                listener = self.database.listen(CHANNEL).await.ok();
            }
            let looked = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                Some(batch) = fed.recv() => self.take(&followed, batch).await,
                heard = heard(&mut listener) => match heard {
                    Some(instance) if instance == self.appender.instance() => Ok(()),
                    Some(other) if other == MENDED => { self.projections.look(); Ok(()) }
                    Some(_) => self.read(&followed).await,
                    None => { listener = None; Ok(()) }
                },
                _ = look.tick() => self.look(&followed, &mut last).await,
            };
            if let Err(error) = looked {
                // The pool is closed because the engine stops: that is no failure.
                if self.stopping.is_cancelled() {
                    return;
                }
                tracing::warn!(error = %error, "could not follow the log, trying again");
                tokio::time::sleep(LISTEN_AGAIN_AFTER).await;
            }
        }
    }

    /// Reads what is new, and checks that the log is still the same: the event that was read last
    /// must still be at its place.
    async fn look(
        &self,
        followed: &watch::Sender<i64>,
        last: &mut Option<(i64, Uuid)>,
    ) -> Result<(), Error> {
        self.read(followed).await?;
        let at = *followed.borrow();
        let before = last.unwrap_or_default();
        let ids = self.reader.ids_at(&[before.0, at]).await?;
        let is_there = |position| position == 0 || ids.contains_key(&position);
        let same = ids.get(&before.0).copied().unwrap_or_default() == before.1;
        let epoch = self.reader.epoch().await?;
        if !same || !is_there(at) || epoch != self.epoch {
            let went_back = self.appender.went_back();
            if !went_back.is_cancelled() {
                tracing::error!(
                    position = at,
                    epoch,
                    "THE LOG WENT BACK or began another epoch: this server has followed up to \
                     position {at} of epoch {}, and appends nothing until it is started again",
                    self.epoch
                );
                went_back.cancel();
            }
        }
        *last = ids.get(&at).map(|id| (at, *id));
        Ok(())
    }

    /// Events of this process's own appender. What other processes appended before them is read
    /// first.
    async fn take(
        &self,
        followed: &watch::Sender<i64>,
        batch: Vec<Arc<Recorded>>,
    ) -> Result<(), Error> {
        let at = *followed.borrow();
        match batch.first() {
            Some(first) if first.position > at + 1 => self.read(followed).await?,
            _ => {}
        }
        let at = *followed.borrow();
        let fresh: Vec<_> = batch.into_iter().filter(|event| event.position > at).collect();
        self.hand_on(followed, &fresh)
    }

    async fn read(&self, followed: &watch::Sender<i64>) -> Result<(), Error> {
        loop {
            let at = *followed.borrow();
            let events = self.reader.all(at, READ_EVENTS_MAX).await?;
            let more = events.len() as i64 == READ_EVENTS_MAX;
            let events: Vec<_> = events.into_iter().map(Arc::new).collect();
            self.hand_on(followed, &events)?;
            if !more {
                return Ok(());
            }
        }
    }

    fn hand_on(
        &self,
        followed: &watch::Sender<i64>,
        events: &[Arc<Recorded>],
    ) -> Result<(), Error> {
        let Some(last) = events.last() else { return Ok(()) };
        let position = last.position;
        let events = events.iter().map(|event| occurred(event).map(Arc::new));
        let events = events.collect::<Result<Vec<_>, _>>()?;
        for event in &events {
            self.states.follow(event);
        }
        // The lanes change the tags too. The later of both invalidates, so no old answer stays
        // cached.
        self.tags.follow(events.iter().map(Arc::as_ref));
        self.projections.hand_on(&events.into());
        gauge!("dossier_log_head_position").set(position as f64);
        followed.send_replace(position);
        Ok(())
    }
}

async fn heard(listener: &mut Option<Listener>) -> Option<String> {
    match listener {
        Some(listener) => listener.heard.recv().await,
        None => {
            tokio::time::sleep(LISTEN_AGAIN_AFTER).await;
            None
        }
    }
}

/// Reads the head for all requests that wait for it, one query at a time. A request uses the first
/// query that begins after its arrival.
pub struct HeadReads {
    reader: Reader,
    last: Mutex<(u64, i64)>,
    begun: std::sync::atomic::AtomicU64,
}

impl HeadReads {
    /// Reads through `reader`.
    pub fn new(reader: Reader) -> HeadReads {
        HeadReads { reader, last: Mutex::new((0, 0)), begun: 0.into() }
    }

    /// A head that is not older than this call.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn head(&self) -> Result<i64, Error> {
        use std::sync::atomic::Ordering;
        let arrived = self.begun.load(Ordering::Acquire);
        let mut last = self.last.lock().await;
        // The query of the lock's last holder may have begun before this call.
        if last.0 > arrived {
            return Ok(last.1);
        }
        let begun = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let head = self.reader.head().await?;
        *last = (begun, head);
        Ok(head)
    }
}
