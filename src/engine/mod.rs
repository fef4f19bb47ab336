//! All that moves: executing commands, following the log, folding read models, reacting. Decides
//! nothing itself: rules are in `domain`, folds in `projections`.

pub mod access_tokens;
pub mod attachments;
pub mod check;
mod check_streams;
mod claims;
pub mod credentials;
pub mod decision;
pub mod execute;
pub mod files;
pub mod flight;
mod folder;
pub mod follow;
mod generations;
pub mod halt;
pub mod history;
pub mod idempotency;
mod inserts;
mod lane;
pub mod mint;
pub mod outbox;
pub mod project;
pub mod quota;
pub mod react;
pub mod readiness;
pub mod rebuild;
pub mod search;
pub mod secrets;
pub mod setup;
mod standing;
pub mod states;
pub mod tags;
pub mod tenants;
pub mod tickets;

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::domain::{Aggregate, tenant};
use crate::store::{
    Appender, AppenderSettings, AreaName, Database, PositionToken, Reader, StreamKey, TokenError,
    TokenKey,
};

// What faces need to speak with the engine; they name no part of the store themselves.
pub use crate::store::{Doing, Envelope, Error, OperationalRow, Priority, Recorded};

use follow::Follower;
use project::Projections;
use search::SearchIndexes;
use secrets::Secrets;
use states::{Cached, States, Versioned};
use tags::Tags;

/// Longest wait for a command's events to be folded, or for a read to catch up.
pub const FOLD_WAIT_MAX: Duration = Duration::from_secs(2);
/// Names of tenants that are remembered.
const TENANT_NAMES_MAX: u64 = 10_000;
/// Connections with which lanes read the log.
const LANE_CONNECTIONS: usize = 1;
/// Batches that may wait to be followed; more are read from the database instead.
const FEED_BATCHES_MAX: usize = 64;

/// What an engine runs with.
pub struct Settings {
    /// As the application's role.
    pub database: Database,
    /// Connections for requests, besides the appender's, the listener's and the projectors'.
    pub pool_connections: usize,
    /// When whoever runs the database tries to start it again, while it is down; None where that is
    /// not known here.
    pub next_start: Option<watch::Receiver<Option<Instant>>>,
    /// Whether no other server appends to this log: reads then need not ask for the head.
    pub alone: bool,
    /// Whether this process folds, reacts and holds the search index. Command line programs that
    /// run beside a server leave that to it.
    pub projecting: bool,
}

/// One running engine: handles to its tasks and what they share.
pub struct Engine {
    pub reader: Reader,
    pub pool: Pool,
    pub states: States,
    pub tags: Arc<Tags>,
    pub search: Arc<SearchIndexes>,
    pub secrets: Secrets,
    pub projections: Projections,
    database: Database,
    refreshes: rebuild::Refreshes,
    tenant_names: moka::sync::Cache<String, TenantId>,
    turns: execute::Turns,
    appender: Appender,
    tokens: TokenKey,
    next_start: Option<watch::Receiver<Option<Instant>>>,
    alone: bool,
    projecting: bool,
    followed: tokio::sync::watch::Receiver<i64>,
    head_reads: follow::HeadReads,
    stopping: CancellationToken,
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Engine {
    /// Starts everything: makes missing read models, catches up with the log, loads the index.
    ///
    /// # Errors
    /// [`Error`] of the first step that fails.
    pub async fn start(settings: Settings) -> Result<Arc<Engine>, Error> {
        let database = settings.database.with_options(&format!(
            "-c search_path={} -c idle_in_transaction_session_timeout=60000",
            crate::projections::schemas().join(",")
        ));
        setup::make_read_models(&database).await?;
        let requests = database.with_options(
            "-c statement_timeout=10000 -c application_name=dossier -c enable_seqscan=off -c jit=off",
        );
        let pool = requests.pool(settings.pool_connections)?;
        let reader = Reader::new(pool.clone());
        let secrets = Secrets::open(pool.clone()).await?;
        let token_secret = secrets.get_or_make("position_tokens").await?;
        let epoch = reader.epoch().await?;
        let tokens = TokenKey::new(&token_secret, epoch);
        let (feed, fed) = mpsc::channel(FEED_BATCHES_MAX);
        let (appender, appending) =
            Appender::start(AppenderSettings { database: database.clone(), feed });
        let stopping = CancellationToken::new();
        let states = States::default();
        let tags = Arc::new(Tags::default());
        let search = Arc::new(SearchIndexes::default());
        let head = reader.head().await?;
        let mut tasks = vec![appending];
        let projections = if settings.projecting {
            let started = Projections::start(project::Settings {
                database: database.clone(),
                // Their own: what requests do to the pool keeps no lane from catching up.
                reader: Reader::new(requests.pool(LANE_CONNECTIONS)?),
                search: search.clone(),
                tags: tags.clone(),
                stopping: stopping.clone(),
            });
            let (projections, lanes) = started.await?;
            tasks.extend(lanes);
            projections
        } else {
            Projections::none()
        };
        let follower = Follower {
            database: database.clone(),
            reader: reader.clone(),
            appender: appender.clone(),
            states: states.clone(),
            tags: tags.clone(),
            projections: projections.clone(),
            stopping: stopping.clone(),
            epoch,
        };
        let (followed, following) = follower.start(head, fed);
        tasks.push(following);
        Ok(Arc::new(Engine {
            head_reads: follow::HeadReads::new(reader.clone()),
            reader,
            pool,
            states,
            tags,
            search,
            secrets,
            projections,
            database,
            refreshes: rebuild::Refreshes::default(),
            tenant_names: moka::sync::Cache::new(TENANT_NAMES_MAX),
            turns: execute::Turns::default(),
            appender,
            tokens,
            next_start: settings.next_start,
            alone: settings.alone,
            projecting: settings.projecting,
            followed,
            stopping,
            tasks: std::sync::Mutex::new(tasks),
        }))
    }

    /// Ends the tasks, what was accepted done first. Later appends fail.
    pub async fn stop(&self) {
        self.stopping.cancel();
        self.pool.close();
        let tasks = {
            let mut tasks = self.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        // The appender ends when its handles go, which this engine still holds: it has answered
        // whatever was handed in, so it may be cut off.
        for task in tasks.into_iter().skip(1) {
            let _ = tokio::time::timeout(Duration::from_secs(10), task).await;
        }
    }

    /// Keeps a task's handle, so that [`Engine::stop`] waits for it.
    pub fn keep(&self, task: JoinHandle<()>) {
        self.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(task);
    }

    /// Resolves when the engine is being stopped.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Resolves when the log went back, or began another epoch, while this engine ran: what it
    /// holds in memory is of another log, and only another start forgets it.
    pub fn went_back(&self) -> CancellationToken {
        self.appender.went_back()
    }

    /// Puts what is measured on demand into the metrics.
    pub fn observe(&self) {
        self.states.observe();
        self.projections.observe(self.followed());
        metrics::gauge!("dossier_log_head_position").set(self.followed() as f64);
        metrics::gauge!("dossier_append_queue_length").set(self.appender.queue_length() as f64);
        self.search.observe();
        let pool = self.pool.status();
        metrics::gauge!("dossier_db_pool_connections").set(pool.size as f64);
        metrics::gauge!("dossier_db_pool_available").set(pool.available as f64);
        metrics::gauge!("dossier_db_pool_waiting").set(pool.waiting as f64);
        metrics_process::Collector::default().collect();
    }

    /// Whether more work had better be refused with 503.
    pub fn is_overloaded(&self) -> bool {
        self.appender.is_full()
    }

    /// The highest position that this process has followed.
    pub fn followed(&self) -> i64 {
        *self.followed.borrow()
    }

    /// The position up to which the cached states and the read models, and so answers, hold
    /// everything. Either may lead the other.
    pub fn readable(&self) -> i64 {
        self.folded().map_or(0, |folded| folded.min(self.followed()))
    }

    /// How far what requests read is folded, as far as this process knows; whoever does not fold
    /// knows nothing, and has only followed.
    fn folded(&self) -> Option<i64> {
        let positions = self.projections.positions();
        let views = positions.into_iter().find(|(name, _)| *name == "views");
        let position = views.map_or_else(|| self.followed(), |(_, position)| position);
        (position != project::UNKNOWN).then_some(position)
    }

    /// Waits until whoever reads here sees everything up to `position`, in the cached states and
    /// in the read models; false when it took too long.
    pub async fn wait_readable(&self, position: i64, at_most: Duration) -> bool {
        let reached = async {
            let mut followed = self.followed.clone();
            let reached = followed.wait_for(|at| *at >= position).await.is_ok();
            reached && (!self.projecting || self.projections.wait_folded(position, at_most).await)
        };
        tokio::time::timeout(at_most, reached).await.unwrap_or(false)
    }

    /// The current state of an aggregate, as far as this process has followed the log.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn load<A: Cached>(&self, tenant: TenantId, id: Uuid) -> Result<Versioned<A>, Error> {
        let mut loaded = self.load_all::<A>(tenant, &[id]).await?;
        loaded.pop().ok_or_else(|| Error::Corrupt("a stream was not read".to_owned(), None))
    }

    /// The current states of several, in the order asked: one query for those not cached.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn load_all<A: Cached>(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<Vec<Versioned<A>>, Error> {
        let streams: Vec<StreamKey> = ids.iter().map(|id| stream::<A>(tenant, *id)).collect();
        self.states.load_all(&self.reader, &streams).await
    }

    /// What an aggregate was after its event number `version`.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn state_at<A: Aggregate>(
        &self,
        tenant: TenantId,
        id: Uuid,
        version: i64,
    ) -> Result<A::State, Error> {
        let events = self.reader.streams(&[(stream::<A>(tenant, id), 0)]).await?;
        let mut state = A::State::default();
        for event in events.iter().filter(|event| event.version <= version) {
            states::evolve::<A>(&mut state, event)?;
        }
        Ok(state)
    }

    /// The catalogue of a tenant.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn catalogue(&self, tenant: TenantId) -> Result<Arc<tenant::Catalogue>, Error> {
        Ok(self.load::<tenant::Tenant>(tenant, tenant.0).await?.state)
    }

    /// Makes sure that what this process reads next holds everything that was in the log when the
    /// request arrived: on a log that others write too, follows and folds up to its head.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when that takes too long: better no answer than a stale one.
    pub async fn catch_up(&self, folded: bool) -> Result<(), Error> {
        if self.alone {
            // Folds may be lost with the database's last moments, and nobody knows at once.
            return match folded && self.folded().is_none() {
                true => self.reach(0, true).await,
                false => Ok(()),
            };
        }
        let head = self.head_reads.head().await?;
        self.reach(head, folded).await
    }

    /// Waits until this process has followed, and folded if asked, up to `position`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after two seconds.
    pub async fn reach(&self, position: i64, folded: bool) -> Result<(), Error> {
        let late = || Error::Unavailable("catching up with the log", None);
        let mut followed = self.followed.clone();
        let reached = followed.wait_for(|at| *at >= position);
        let reached = tokio::time::timeout(FOLD_WAIT_MAX, reached).await;
        reached.map_err(|_| late())?.map_err(|_| late())?;
        if folded && !self.projections.wait_folded(position, FOLD_WAIT_MAX).await {
            return Err(late());
        }
        Ok(())
    }

    /// The token of a position, for a tenant.
    pub fn seal_position(&self, tenant: TenantId, position: i64) -> String {
        self.tokens.seal(tenant.0, position)
    }

    /// The position of a token.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn open_position(&self, tenant: TenantId, token: &str) -> Result<i64, TokenError> {
        self.tokens.open(tenant.0, token).map(|token: PositionToken| token.position)
    }

    /// A connection for a query of a read model.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn connection(&self) -> Result<deadpool_postgres::Client, Error> {
        Ok(self.pool.get().await?)
    }
}

/// The stream of an aggregate.
pub fn stream<A: Aggregate>(tenant: TenantId, id: Uuid) -> StreamKey {
    let area = AreaName::new(A::AREA.name()).expect("each area's name has at most 12 bytes");
    StreamKey { tenant_id: tenant.0, area, id }
}
