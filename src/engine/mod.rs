//! Runs everything: executes commands, follows the log, folds read models, reacts. Rules are in
//! `domain`, folds in `projections`.

pub mod fold;
mod generations;
pub mod history;
pub mod holdings;
pub mod kept;
pub mod occurred;
pub mod past;
pub mod react;
pub mod readiness;
mod reading;
pub mod replay;
pub mod states;
pub mod tags;
pub mod tenants;
pub mod write;

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

// What the APIs need to use the engine; they do not use the store themselves.
pub use crate::store::{Doing, Envelope, Error, OperationalRow, Priority, Recorded};

use fold::follow::{Follower, HeadReads};
use fold::project::Projections;
use fold::search::SearchIndexes;
use fold::{project, setup};
use kept::quota::Quota;
use kept::secrets::Secrets;
use replay::run::Refreshes;
use states::States;
use tags::Tags;
use write::execute::Turns;

/// Longest wait for a command's events to be folded, or for a read to catch up.
pub const FOLD_WAIT_MAX: Duration = Duration::from_secs(2);
/// Most cached names of tenants.
const TENANT_NAMES_MAX: u64 = 10_000;
/// Most cached catalogues as they once were.
const PAST_CATALOGUES_MAX: u64 = 64;
/// Connections on which lanes read the log.
const LANE_CONNECTIONS: usize = 1;
/// Batches that may wait to be followed. Further ones are read from the database instead.
const FEED_BATCHES_MAX: usize = 64;

/// The parts and settings of an engine.
pub struct Settings {
    /// With the role of the application.
    pub database: Database,
    /// Connections for requests, besides those of the appender, the listener and the lanes.
    pub pool_connections: usize,
    /// When the embedded database will be started again, while it is down; None if that is not
    /// known in this process.
    pub next_start: Option<watch::Receiver<Option<Instant>>>,
    /// Whether no other server appends to this log: then reads need not ask for the head.
    pub alone: bool,
    /// Whether this process folds, reacts and holds the search index. Command line programs leave
    /// that to a server.
    pub projecting: bool,
}

/// One running engine: handles to its tasks and what they share.
pub struct Engine {
    /// Counts requests of people by day.
    pub quota: Quota,
    reader: Reader,
    pool: Pool,
    pub states: States,
    pub tags: Arc<Tags>,
    pub search: Arc<SearchIndexes>,
    pub secrets: Secrets,
    pub projections: Projections,
    database: Database,
    refreshes: Refreshes,
    tenant_names: moka::sync::Cache<String, TenantId>,
    /// Catalogues as they were after an earlier version.
    past_catalogues: moka::sync::Cache<(TenantId, i64), Arc<tenant::Catalogue>>,
    turns: Turns,
    appender: Appender,
    tokens: TokenKey,
    next_start: Option<watch::Receiver<Option<Instant>>>,
    alone: bool,
    projecting: bool,
    followed: tokio::sync::watch::Receiver<i64>,
    head_reads: HeadReads,
    stopping: CancellationToken,
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Engine {
    /// Starts everything: makes missing read models, catches up with the log, loads the index.
    ///
    /// # Errors
    /// [`Error`] of the first step that fails.
    pub async fn start(settings: Settings) -> Result<Arc<Engine>, Error> {
        let (database, requests) = with_options(&settings.database);
        setup::make_read_models(&database).await?;
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
                // Connections of their own, so that requests never keep a lane from catching up.
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
            head_reads: HeadReads::new(reader.clone()),
            quota: Quota::new(pool.clone()),
            reader,
            pool,
            states,
            tags,
            search,
            secrets,
            projections,
            database,
            refreshes: Refreshes::default(),
            tenant_names: moka::sync::Cache::new(TENANT_NAMES_MAX),
            past_catalogues: moka::sync::Cache::new(PAST_CATALOGUES_MAX),
            turns: Turns::default(),
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

    /// Stops the tasks after finishing what was accepted. Later appends fail.
    pub async fn stop(&self) {
        self.stopping.cancel();
        self.pool.close();
        let tasks = {
            let mut tasks = self.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        // The appender ends when its handles are dropped, but this engine holds one. It has
        // answered all that was handed in, so it may be aborted.
        for task in tasks.into_iter().skip(1) {
            let _ = tokio::time::timeout(Duration::from_secs(10), task).await;
        }
    }

    /// Registers a task, so that [`Engine::stop`] waits for it.
    pub fn keep(&self, task: JoinHandle<()>) {
        self.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(task);
    }

    /// Resolves when the engine is being stopped.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Resolves when the log went back, or began another epoch, while this engine ran: memory then
    /// belongs to another log, and only a new start forgets it.
    pub fn went_back(&self) -> CancellationToken {
        self.appender.went_back()
    }

    /// Updates the metrics that are measured on demand.
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

    /// Whether more work should be refused with 503.
    pub fn is_overloaded(&self) -> bool {
        self.appender.is_full()
    }

    /// The position as a token for a tenant.
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
}

/// The database as the whole engine uses it, and as requests use it, with a time limit on
/// statements.
fn with_options(database: &Database) -> (Database, Database) {
    let database = database.with_options(&format!(
        "-c search_path={} -c idle_in_transaction_session_timeout=60000",
        crate::projections::schemas().join(",")
    ));
    let requests = database.with_options(
        "-c statement_timeout=10000 -c application_name=dossier -c enable_seqscan=off -c jit=off",
    );
    (database, requests)
}

/// The stream of an aggregate.
pub fn stream<A: Aggregate>(tenant: TenantId, id: Uuid) -> StreamKey {
    let area = AreaName::new(A::AREA.name()).expect("each area's name has at most 12 bytes");
    StreamKey { tenant_id: tenant.0, area, id }
}
