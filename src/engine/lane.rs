//! Drives read models that move together: one connection, one transaction for each stretch of the
//! log, while the next stretch is being appended.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::ClientWrapper;
use futures_util::future::join_all;
use metrics::{counter, histogram};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::domain::Occurred;
use crate::store::{Database, Error, Reader};

use super::folder::{Folder, execute};
use super::follow::occurred;
use super::project::connect;
use super::search::SearchIndexes;
use super::tags::Tags;

/// Most events in one stretch.
const STRETCH_EVENTS_MAX: usize = 4_096;
/// Longest wait between attempts after a failure.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(5);
/// After how many stretches the old ones are removed from `views.folds`.
const PRUNE_EVERY: u64 = 1_000;

/// Something a lane is told.
pub enum Note {
    /// Events that follow on those before; some may be missing, then they are read from the log.
    Events(Arc<[Arc<Occurred>]>),
    /// Rows of this tenant were mended in the tables: forget those in memory.
    Mended(Uuid),
}

/// What a lane works with.
pub struct Lane {
    pub name: &'static str,
    pub database: Database,
    pub reader: Reader,
    pub folders: Vec<Box<dyn Folder>>,
    /// How far each folder has folded.
    pub checkpoints: Vec<i64>,
    /// The index to load and tags to move, for the lane that feeds them.
    pub search: Option<Arc<SearchIndexes>>,
    pub tags: Option<Arc<Tags>>,
    pub folded: watch::Sender<i64>,
    /// How long to gather events before folding them, unless somebody waits.
    pub gathering: Option<Gathering>,
    pub stopping: CancellationToken,
}

/// A pause in which events gather, so that a lane which no command waits for takes nothing from
/// those that are under way, and few transactions in all.
pub struct Gathering {
    pub pause: Duration,
    /// Somebody waits for what was gathered.
    pub hurry: Arc<Notify>,
}

/// How a stretch ended.
enum Stretch {
    Folded,
    /// Another process has folded it, or part of it.
    Lost,
}

impl Lane {
    /// Reads how far each read model has been folded.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn read_checkpoints(&mut self, client: &ClientWrapper) -> Result<(), Error> {
        let schemas: Vec<String> = self.folders.iter().map(|folder| folder.names().1).collect();
        let sql = "
            select coalesce((select max(to_position) from views.folds where model = name), 0)
            from unnest($1::text[]) with ordinality as wanted (name, ordinal)
            order by ordinal";
        let rows = client.query(sql, &[&schemas]).await;
        let rows = rows.map_err(|error| Error::of_statement("reading checkpoints", error))?;
        self.checkpoints = rows.iter().map(|row| row.get(0)).collect();
        Ok(())
    }

    /// Folds what there is up to `head`.
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

    /// Folds what it is told of, until stopped.
    pub async fn run(mut self, client: ClientWrapper, mut notes: mpsc::Receiver<Note>) {
        let mut client = Some(client);
        let mut wait = Duration::from_millis(50);
        let stopping = self.stopping.clone();
        while !stopping.is_cancelled() {
            let worked = tokio::select! {
                () = stopping.cancelled() => return,
                worked = self.work(client.take(), &mut notes) => worked,
            };
            match worked {
                Ok(()) => return,
                Err(Error::Corrupt(why, source)) => {
                    // Nothing is skipped: the read model stands still until someone looks.
                    let cause = source.as_ref().and_then(|error| error.as_db_error());
                    let cause = cause.map_or("", |error| error.message());
                    tracing::error!("{} stands still: {why}: {cause}", self.name);
                    wait = RETRY_WAIT_MAX;
                }
                Err(error) => {
                    tracing::warn!(error = %error, "{} could not fold, trying again", self.name);
                }
            }
            counter!("dossier_projection_failures_total", "lane" => self.name).increment(1);
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(RETRY_WAIT_MAX);
        }
    }

    async fn work(
        &mut self,
        client: Option<ClientWrapper>,
        notes: &mut mpsc::Receiver<Note>,
    ) -> Result<(), Error> {
        let client = match client {
            Some(client) => client,
            None => {
                let client = connect(&self.database).await?;
                // Another process may have folded while there was no connection.
                self.lost(&client).await?;
                let head = self.reader.head().await?;
                self.catch_up(&client, head).await?;
                client
            }
        };
        let mut next = notes.recv().await;
        while let Some(note) = next.take() {
            let events = match note {
                Note::Mended(tenant) => {
                    self.forget(&client, tenant).await?;
                    next = notes.recv().await;
                    continue;
                }
                Note::Events(events) => events,
            };
            if let Some(Gathering { pause, hurry }) = &self.gathering {
                let _ = tokio::time::timeout(*pause, hurry.notified()).await;
            }
            let mut stretch: Vec<Arc<Occurred>> = events.to_vec();
            while stretch.len() < STRETCH_EVENTS_MAX {
                match notes.try_recv() {
                    Ok(Note::Events(events)) => stretch.extend(events.iter().cloned()),
                    Ok(other) => {
                        next = Some(other);
                        break;
                    }
                    Err(_) => break,
                }
            }
            self.fold_told(&client, stretch).await?;
            if next.is_none() {
                next = notes.recv().await;
            }
        }
        Ok(())
    }

    /// Folds events it was told of; reads from the log what it was not told.
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
        match self.fold_once(client, events).await {
            Ok(Stretch::Folded) => {
                for (checkpoint, folder) in self.checkpoints.iter_mut().zip(&mut self.folders) {
                    *checkpoint = last.position.max(*checkpoint);
                    folder.keep();
                }
            }
            Ok(Stretch::Lost) => {
                self.folders.iter_mut().for_each(|folder| folder.discard());
                return self.lost(client).await;
            }
            Err(error) => {
                self.folders.iter_mut().for_each(|folder| folder.forget());
                return Err(Error::of_statement("folding", error));
            }
        }
        if let Some(tags) = &self.tags {
            tags.follow(events.iter().map(Arc::as_ref));
        }
        self.folded.send_replace(self.position());
        histogram!("dossier_projection_fold_duration_seconds", "lane" => self.name)
            .record(started.elapsed());
        self.prune(client).await;
        Ok(())
    }

    async fn fold_once(
        &mut self,
        client: &ClientWrapper,
        events: &[Arc<Occurred>],
    ) -> Result<Stretch, tokio_postgres::Error> {
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
        let extend = "select views.extend_folds($1, $2, $3)";
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 3] = [&models, &from, &to];
        let (begun, extended, stored) = tokio::join!(
            client.batch_execute("begin"),
            execute(client, extend, &parameters),
            join_all(self.folders.iter().map(|folder| folder.store(client)))
        );
        let stored: Result<Vec<()>, _> = stored.into_iter().collect();
        if let Err(error) = begun.and(extended.map(|_| ())).and(stored.map(|_| ())) {
            let lost = matches!(error.code().map(|code| code.code()), Some("DOS03" | "23505"));
            client.batch_execute("rollback").await?;
            return if lost { Ok(Stretch::Lost) } else { Err(error) };
        }
        client.batch_execute("commit").await?;
        Ok(Stretch::Folded)
    }

    /// Another process folded here first: go on from where it is, and bring what is in memory to
    /// what the tables now say.
    async fn lost(&mut self, client: &ClientWrapper) -> Result<(), Error> {
        self.folders.iter_mut().for_each(|folder| folder.forget());
        let mut position = self.position();
        self.read_checkpoints(client).await?;
        // The other may have come further than this process was told: memory follows all of it.
        let reached = self.position();
        while position < reached {
            let events = self.reader.all(position, STRETCH_EVENTS_MAX as i64).await?;
            let Some(last) = events.last() else { break };
            position = last.position;
            if let Some(search) = &self.search {
                let ids: Vec<(Uuid, Uuid)> =
                    events.iter().map(|event| (event.stream.tenant_id, event.stream.id)).collect();
                search
                    .reread(client, &ids)
                    .await
                    .map_err(|error| Error::of_statement("reading what another folded", error))?;
            }
            if let Some(tags) = &self.tags {
                let events = events.iter().map(occurred).collect::<Result<Vec<_>, _>>()?;
                tags.follow(&events);
            }
        }
        self.folded.send_replace(self.position());
        Ok(())
    }

    async fn forget(&mut self, client: &ClientWrapper, tenant: Uuid) -> Result<(), Error> {
        self.folders.iter_mut().for_each(|folder| folder.forget());
        if let Some(search) = &self.search {
            let loaded = search.load(client, tenant).await;
            loaded.map_err(|error| Error::of_statement("loading the search index", error))?;
        }
        if let Some(tags) = &self.tags {
            tags.invalidate(tenant);
        }
        Ok(())
    }

    /// How far all of its read models are folded.
    pub fn position(&self) -> i64 {
        self.checkpoints.iter().copied().min().unwrap_or_default()
    }

    async fn prune(&self, client: &ClientWrapper) {
        use std::sync::atomic::{AtomicU64, Ordering};
        static STRETCHES: AtomicU64 = AtomicU64::new(0);
        if !STRETCHES.fetch_add(1, Ordering::Relaxed).is_multiple_of(PRUNE_EVERY) {
            return;
        }
        let models: Vec<String> = self.folders.iter().map(|folder| folder.names().1).collect();
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
