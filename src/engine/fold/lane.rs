//! Folds read models that move together: one connection, and one transaction for each stretch of
//! the log, while the next stretch is being appended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::ClientWrapper;
use futures_util::future::join_all;
use metrics::{counter, histogram};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::domain::Occurred;
use crate::store::{Database, Doing, Error, Reader};

use super::connection::{Connection, connect};
use super::flight::{Write, in_one_flight};
use super::folder::Folder;

use super::search::SearchIndexes;
use super::standing;
use crate::engine::occurred::occurred;
use crate::engine::tags::Tags;

/// The position of a lane that does not know how far it has folded.
pub const UNKNOWN: i64 = -1;

/// Most events in one stretch.
const STRETCH_EVENTS_MAX: usize = 4_096;
/// Shortest and longest wait after a failure. Requests wait two seconds for something to be folded.
const RETRY_WAIT_MIN: Duration = Duration::from_millis(50);
const RETRY_WAIT_MAX: Duration = Duration::from_secs(1);
/// How long to wait before trying a log again that cannot be folded.
const STANDSTILL_WAIT: Duration = Duration::from_secs(5);
/// How often to compare with the database without being told.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After how many stretches old ones are removed from `views.folds`.
const PRUNE_EVERY: u64 = 1_000;
/// Longest time for folding a stretch. The server's own bound for statements is shorter: this one
/// is for a server that does not answer.
const FOLD_TIME_MAX: Duration = Duration::from_secs(120);

/// A message to a lane.
pub enum Note {
    /// Events after those before. If some are missing in between, they are read from the log.
    Events(Arc<[Arc<Occurred>]>),
    /// The tables were changed: compare with the database now.
    Look,
}

/// The parts of a lane.
pub struct LaneTask {
    pub name: &'static str,
    pub database: Database,
    pub reader: Reader,
    pub folders: Vec<Box<dyn Folder>>,
    /// How far each folder has folded.
    pub checkpoints: Vec<i64>,
    /// The generation of the rows in memory.
    pub generation: i64,
    /// The index to load and the tags to change, for the lane that feeds them.
    pub search: Option<Arc<SearchIndexes>>,
    pub tags: Option<Arc<Tags>>,
    /// How far all its read models are folded, or [`UNKNOWN`].
    pub folded: watch::Sender<i64>,
    /// Whether `folded` may be published: after a failure not before it has compared and caught up.
    pub settled: bool,
    /// How long to gather events before folding them, if nobody waits.
    pub gathering: Option<Gathering>,
    pub stopping: CancellationToken,
}

/// A pause in which events gather: a lane without waiting commands then makes few transactions and
/// takes little from those that run.
pub struct Gathering {
    pub pause: Duration,
    /// Somebody waits for the gathered events.
    pub hurry: Arc<Notify>,
}

/// The result of a stretch.
enum Stretch {
    Folded,
    /// Another process has folded it or part of it, or rows were repaired.
    Lost,
}

impl LaneTask {
    /// Folds all events up to `head`.
    ///
    /// # Errors
    /// [`Error`] of the first step that fails.
    pub async fn catch_up(&mut self, client: &ClientWrapper, head: i64) -> Result<(), Error> {
        while self.position() < head {
            let events = self.reader.all(self.position(), STRETCH_EVENTS_MAX as i64).await?;
            let events = events.iter().map(|event| occurred(event).map(Arc::new));
            let events = events.collect::<Result<Vec<_>, _>>()?;
            if events.is_empty() {
                return Ok(());
            }
            self.fold(client, &events).await?;
        }
        Ok(())
    }

    /// Compares memory with the database, and folds what is missing, whether it was told of it or
    /// not.
    ///
    /// # Errors
    /// [`Error`] of the first step that fails.
    pub async fn look(&mut self, client: &ClientWrapper) -> Result<(), Error> {
        let found = standing::read(client, &self.schemas()).await?;
        if found.checkpoints != self.checkpoints || found.generation != self.generation {
            self.resynchronise(client).await?;
        }
        self.catch_up(client, found.head).await?;
        self.settled = true;
        self.publish();
        Ok(())
    }

    /// Folds what it is told, until stopped.
    pub async fn run(mut self, connection: Connection, mut notes: mpsc::Receiver<Note>) {
        let mut connection = Some(connection);
        let mut wait = RETRY_WAIT_MIN;
        let stopping = self.stopping.clone();
        while !stopping.is_cancelled() {
            let begun = Instant::now();
            let worked = tokio::select! {
                () = stopping.cancelled() => return,
                worked = self.work(connection.take(), &mut notes) => worked,
            };
            if begun.elapsed() > RETRY_WAIT_MAX {
                wait = RETRY_WAIT_MIN;
            }
            let pause = match worked {
                Ok(()) => return,
                Err(Error::Corrupt(why, source)) => {
                    // Nothing is skipped: the read model waits until an operator acts.
                    let cause = source.as_ref().and_then(|error| error.as_db_error());
                    let cause = cause.map_or("", |error| error.message());
                    tracing::error!("{} stands still: {why}: {cause}", self.name);
                    STANDSTILL_WAIT
                }
                Err(error) => {
                    tracing::warn!(error = %error, "{} could not fold, trying again", self.name);
                    // The database may have lost its last folds: until that is known, nothing is
                    // promised.
                    self.settled = false;
                    self.publish();
                    wait
                }
            };
            counter!("dossier_projection_failures_total", "lane" => self.name).increment(1);
            tokio::time::sleep(pause).await;
            wait = (wait * 2).min(RETRY_WAIT_MAX);
        }
    }

    async fn work(
        &mut self,
        connection: Option<Connection>,
        notes: &mut mpsc::Receiver<Note>,
    ) -> Result<(), Error> {
        let Connection { client, ended } = match connection {
            Some(connection) => connection,
            None => {
                let connection = connect(&self.database).await?;
                self.resynchronise(&connection.client).await?;
                self.look(&connection.client).await?;
                connection
            }
        };
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let note = tokio::select! {
                () = ended.cancelled() => {
                    return Err(Error::Unavailable("folding without a connection", None));
                }
                note = notes.recv() => note,
                _ = look.tick() => Some(Note::Look),
            };
            match note {
                None => return Ok(()),
                Some(Note::Look) => self.look(&client).await?,
                Some(Note::Events(events)) => self.gather(&client, &events, notes).await?,
            }
        }
    }

    /// Folds these events together with all others in its queue.
    async fn gather(
        &mut self,
        client: &ClientWrapper,
        events: &[Arc<Occurred>],
        notes: &mut mpsc::Receiver<Note>,
    ) -> Result<(), Error> {
        if let Some(Gathering { pause, hurry }) = &self.gathering {
            let _ = tokio::time::timeout(*pause, hurry.notified()).await;
        }
        let mut stretch: Vec<Arc<Occurred>> = events.to_vec();
        let mut look = false;
        while stretch.len() < STRETCH_EVENTS_MAX && !look {
            match notes.try_recv() {
                Ok(Note::Events(events)) => stretch.extend(events.iter().cloned()),
                Ok(Note::Look) => look = true,
                Err(_) => break,
            }
        }
        self.fold_told(client, stretch).await?;
        match look || !self.settled {
            true => self.look(client).await,
            false => Ok(()),
        }
    }

    /// Folds the events it was told of, and reads missing ones from the log.
    async fn fold_told(
        &mut self,
        client: &ClientWrapper,
        mut events: Vec<Arc<Occurred>>,
    ) -> Result<(), Error> {
        let Some(last) = events.last().map(|event| event.position) else { return Ok(()) };
        let at = self.position();
        events.retain(|event| event.position > at);
        let contiguous =
            (at + 1..).zip(&events).all(|(position, event)| event.position == position);
        if contiguous {
            self.fold(client, &events).await?;
        }
        self.catch_up(client, last).await
    }

    async fn fold(
        &mut self,
        client: &ClientWrapper,
        events: &[Arc<Occurred>],
    ) -> Result<(), Error> {
        let Some(last) = events.last() else { return Ok(()) };
        let started = std::time::Instant::now();
        let folded = tokio::time::timeout(FOLD_TIME_MAX, self.fold_once(client, events)).await;
        match folded.unwrap_or(Err(Error::Unavailable("folding", None))) {
            Ok(Stretch::Folded) => {
                for (checkpoint, folder) in self.checkpoints.iter_mut().zip(&mut self.folders) {
                    *checkpoint = last.position.max(*checkpoint);
                    folder.keep();
                }
            }
            Ok(Stretch::Lost) => {
                self.folders.iter_mut().for_each(|folder| folder.discard());
                return self.resynchronise(client).await;
            }
            Err(error) => {
                self.folders.iter_mut().for_each(|folder| folder.forget());
                // It is unknown whether the transaction succeeded. `work` begins again by asking.
                return Err(error);
            }
        }
        if let Some(tags) = &self.tags {
            tags.follow(events.iter().map(Arc::as_ref));
        }
        self.publish();
        histogram!("dossier_projection_fold_duration_seconds", "lane" => self.name)
            .record(started.elapsed());
        self.prune(client).await;
        Ok(())
    }

    async fn fold_once(
        &mut self,
        client: &ClientWrapper,
        events: &[Arc<Occurred>],
    ) -> Result<Stretch, Error> {
        let Some(end) = events.last().map(|event| event.position) else {
            return Ok(Stretch::Folded);
        };
        let fresh = |checkpoint: i64| {
            let since = events.partition_point(|event| event.position <= checkpoint);
            &events[since..]
        };
        let places: Vec<&[Arc<Occurred>]> = self.checkpoints.iter().map(|at| fresh(*at)).collect();
        let loads = self.folders.iter_mut().zip(&places);
        let loaded = join_all(loads.map(|(folder, events)| folder.load(client, events))).await;
        loaded.into_iter().collect::<Result<Vec<_>, _>>()?;
        let (mut models, mut from, mut to) = (Vec::new(), Vec::new(), Vec::new());
        for ((folder, events), at) in self.folders.iter_mut().zip(&places).zip(&self.checkpoints) {
            folder.fold(events);
            if !events.is_empty() {
                models.push(folder.names().1);
                from.push(*at);
                to.push(end);
            }
        }
        let extend = "select views.extend_folds($1, $2, $3, $4)";
        let mut writes = vec![Write::new(
            extend,
            vec![Box::new(models), Box::new(from), Box::new(to), Box::new(self.generation)],
        )];
        writes.extend(self.folders.iter().flat_map(|folder| folder.writes()));
        match in_one_flight(client, &writes).await {
            Ok(()) => Ok(Stretch::Folded),
            Err(error) => match error.code().map(|code| code.code()) {
                Some("DOS03" | "23505") => Ok(Stretch::Lost),
                _ => Err(Error::of_statement("folding", error)),
            },
        }
    }

    /// Another process folded or repaired rows first, or the database lost folds: continue from the
    /// position in the database, and load what the tables say now.
    async fn resynchronise(&mut self, client: &ClientWrapper) -> Result<(), Error> {
        self.folders.iter_mut().for_each(|folder| folder.forget());
        let mut position = self.position();
        let found = standing::read(client, &self.schemas()).await?;
        self.checkpoints = found.checkpoints;
        if self.position() < position {
            tracing::warn!("{} lost folds with the database, folding them again", self.name);
            self.settled = false;
        }
        for tenant in standing::mended_since(client, self.generation).await? {
            self.reload(client, tenant).await?;
        }
        self.generation = found.generation.max(self.generation);
        // The other process may know more of the log than this one: memory follows all of it.
        let reached = self.position();
        while position < reached {
            let events = self.reader.all(position, STRETCH_EVENTS_MAX as i64).await?;
            let Some(last) = events.last() else { break };
            position = last.position;
            if let Some(search) = &self.search {
                let ids: Vec<(Uuid, Uuid)> =
                    events.iter().map(|event| (event.stream.tenant_id, event.stream.id)).collect();
                search.reread(client, &ids).await.doing("reading what another folded")?;
            }
            if let Some(tags) = &self.tags {
                let events = events.iter().map(occurred).collect::<Result<Vec<_>, _>>()?;
                tags.follow(&events);
            }
        }
        self.publish();
        Ok(())
    }

    /// Loads what the tables say of a tenant into memory.
    async fn reload(&mut self, client: &ClientWrapper, tenant: Uuid) -> Result<(), Error> {
        if let Some(search) = &self.search {
            search.load(client, tenant).await.doing("loading the search index")?;
        }
        if let Some(tags) = &self.tags {
            tags.invalidate(tenant);
        }
        Ok(())
    }

    /// The position up to which all of its read models are folded.
    pub fn position(&self) -> i64 {
        self.checkpoints.iter().copied().min().unwrap_or_default()
    }

    fn publish(&self) {
        self.folded.send_replace(if self.settled { self.position() } else { UNKNOWN });
    }

    /// The schemas of its read models.
    pub fn schemas(&self) -> Vec<String> {
        self.folders.iter().map(|folder| folder.names().1).collect()
    }

    async fn prune(&self, client: &ClientWrapper) {
        use std::sync::atomic::{AtomicU64, Ordering};
        static STRETCHES: AtomicU64 = AtomicU64::new(0);
        if !STRETCHES.fetch_add(1, Ordering::Relaxed).is_multiple_of(PRUNE_EVERY) {
            return;
        }
        let models = self.schemas();
        let sql = "
            delete from views.folds
            using (
                select model, max(from_position) as last
                from views.folds
                where model = any($1::text[])
                group by model
            ) as newest
            where folds.model = newest.model and folds.from_position < newest.last";
        if let Err(error) = client.execute(sql, &[&models]).await {
            tracing::debug!(error = %error, "could not prune the record of folds");
        }
    }
}
