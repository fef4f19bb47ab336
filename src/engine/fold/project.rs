//! The read models as they run: two lanes, so that finding events again (`audit_log`, with its
//! many indexes) never delays the answer to a command.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::ClientWrapper;
use metrics::gauge;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::domain::Occurred;
use crate::projections::ReadModel as _;
use crate::projections::audit_log::AuditLog;
use crate::projections::catalogue::Catalogue;
use crate::projections::deadlines::Deadlines;
use crate::projections::exports::Exports;
use crate::projections::profile_attachments::ProfileAttachments;
use crate::projections::profile_counts::ProfileCounts;
use crate::projections::profile_documents::ProfileDocuments;
use crate::projections::profile_drafts_view::ProfileDraftsView;
use crate::projections::profile_search::ProfileSearch;
use crate::projections::profiles_view::ProfilesView;
use crate::projections::shared_values::SharedValues;
use crate::store::{Database, Doing, Error, Reader};

use super::folder::{Counting, Folder, Indexing, InsertFolder, Nobody, RowFolder};
use super::lane::{Gathering, Lane, Note};
use super::search::SearchIndexes;
use super::standing;
use crate::engine::tags::Tags;

/// What a lane says while it does not know how far it has folded.
pub const UNKNOWN: i64 = -1;

/// A connection of a lane.
pub struct Connection {
    pub client: ClientWrapper,
    /// Cancelled when the connection has ended, whoever ended it.
    pub ended: CancellationToken,
}

/// A connection as the lanes use it: rows and checkpoint are lost together, and folded again, so
/// that no commit waits for the disk. No transaction of theirs waits for this process, which may
/// be paused, for more than a second: all others would wait for it.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn connect(database: &Database) -> Result<Connection, Error> {
    let options = "-c synchronous_commit=off -c enable_seqscan=off -c jit=off \
                   -c plan_cache_mode=force_generic_plan -c statement_timeout=60000 \
                   -c idle_in_transaction_session_timeout=1000 \
                   -c application_name=dossier-projector";
    let (client, driver) = database.with_options(options).connect().await?;
    let ended = CancellationToken::new();
    let end = ended.clone().drop_guard();
    let driver = tokio::spawn(async move {
        let _end = end;
        let _ = driver.await;
    });
    Ok(Connection { client: ClientWrapper::new(client, driver), ended })
}

/// Notes that may wait for a lane; events beyond are read from the log instead.
const NOTES_MAX: usize = 256;

/// How long events gather for `audit_log`.
const AUDIT_PAUSE: Duration = Duration::from_millis(50);

/// What projections run with.
pub struct Settings {
    pub database: Database,
    pub reader: Reader,
    pub search: Arc<SearchIndexes>,
    pub tags: Arc<Tags>,
    pub stopping: CancellationToken,
}

/// Handles to the running lanes. Cheap to clone.
#[derive(Clone)]
pub struct Projections {
    lanes: Vec<LaneHandle>,
}

#[derive(Clone)]
struct LaneHandle {
    name: &'static str,
    projections: Vec<&'static str>,
    notes: mpsc::Sender<Note>,
    folded: watch::Receiver<i64>,
    /// Tells it that somebody waits.
    hurry: Arc<Notify>,
    /// Where it stands behind the head, and since when.
    behind_since: Arc<Mutex<Option<(i64, Instant)>>>,
}

impl Projections {
    /// No lanes: somebody else folds.
    pub fn none() -> Projections {
        Projections { lanes: vec![] }
    }

    /// Folds what was not folded yet, loads the search index, then starts the lanes.
    ///
    /// # Errors
    /// [`Error`] of the first step that fails.
    pub async fn start(settings: Settings) -> Result<(Projections, Vec<JoinHandle<()>>), Error> {
        let views: Vec<Box<dyn Folder>> = vec![
            Box::new(RowFolder::<ProfilesView, _>::new(Counting)),
            Box::new(RowFolder::<ProfileSearch, _>::new(Indexing(settings.search.clone()))),
            Box::new(RowFolder::<ProfileDocuments, _>::new(Nobody)),
            Box::new(RowFolder::<ProfileAttachments, _>::new(Nobody)),
            Box::new(RowFolder::<ProfileDraftsView, _>::new(Nobody)),
            Box::new(RowFolder::<Catalogue, _>::new(Nobody)),
            Box::new(RowFolder::<Exports, _>::new(Nobody)),
            Box::new(RowFolder::<Deadlines, _>::new(Nobody)),
            Box::new(InsertFolder::<SharedValues>::default()),
        ];
        let audit: Vec<Box<dyn Folder>> = vec![Box::new(InsertFolder::<AuditLog>::default())];
        let mut projections = Projections { lanes: vec![] };
        let mut tasks = Vec::new();
        for (name, folders) in [("views", views), ("audit", audit)] {
            let feeds_memory = name == "views";
            let (folded, receiver) = watch::channel(0);
            let hurry = Arc::new(Notify::new());
            let gathering = Gathering { pause: AUDIT_PAUSE, hurry: hurry.clone() };
            let mut lane = Lane {
                name,
                database: settings.database.clone(),
                reader: settings.reader.clone(),
                checkpoints: vec![0; folders.len()],
                generation: 0,
                settled: true,
                folders,
                search: feeds_memory.then(|| settings.search.clone()),
                tags: feeds_memory.then(|| settings.tags.clone()),
                folded,
                // Commands wait for the others, and auditors for this one.
                gathering: (name == "audit").then_some(gathering),
                stopping: settings.stopping.clone(),
            };
            let connection = connect(&settings.database).await?;
            let client = &connection.client;
            let found = standing::read(client, &lane.schemas()).await?;
            (lane.checkpoints, lane.generation) = (found.checkpoints, found.generation);
            lane.look(client).await?;
            if feeds_memory {
                for tenant in settings.reader.tenants().await? {
                    let loaded = settings.search.load(client, tenant).await;
                    loaded.doing("loading the search index")?;
                }
            }
            let (notes, told) = mpsc::channel(NOTES_MAX);
            let mut names: Vec<&str> = lane.folders.iter().map(|folder| folder.names().0).collect();
            if feeds_memory {
                // Kept with profiles_view, in the same transactions.
                names.push(ProfileCounts::NAME);
            }
            tasks.push(tokio::spawn(lane.run(connection, told)));
            let handle = LaneHandle {
                name,
                projections: names,
                notes,
                folded: receiver,
                hurry,
                behind_since: Arc::default(),
            };
            projections.lanes.push(handle);
        }
        Ok((projections, tasks))
    }

    /// Tells the lanes of events. A lane that has no room reads them from the log later.
    pub fn hand_on(&self, events: &Arc<[Arc<Occurred>]>) {
        for lane in &self.lanes {
            let _ = lane.notes.try_send(Note::Events(events.clone()));
        }
    }

    /// Tells the lanes to compare with the database now, rather than within a second.
    pub fn look(&self) {
        for lane in &self.lanes {
            let _ = lane.notes.try_send(Note::Look);
        }
    }

    /// Waits until what requests read is folded up to `position`; false when it took too long, or
    /// when this process does not fold.
    pub async fn wait_folded(&self, position: i64, at_most: Duration) -> bool {
        self.wait("views", position, at_most).await
    }

    /// Waits until `audit_log` is folded up to `position`; false when it took too long.
    pub async fn wait_audited(&self, position: i64, at_most: Duration) -> bool {
        self.wait("audit", position, at_most).await
    }

    /// Puts how far each read model has come, and is behind `head`, into the metrics.
    pub fn observe(&self, head: i64) {
        for lane in &self.lanes {
            let position = *lane.folded.borrow();
            if position == UNKNOWN {
                continue;
            }
            let lag = (head - position).max(0);
            let mut since = lane.behind_since.lock().unwrap_or_else(PoisonError::into_inner);
            let seconds = match (lag, *since) {
                (0, _) => {
                    *since = None;
                    0.0
                }
                (_, Some((at, from))) if at == position => from.elapsed().as_secs_f64(),
                // Behind, but moving: counted from the last look at which it stood elsewhere.
                _ => {
                    *since = Some((position, Instant::now()));
                    0.0
                }
            };
            for name in &lane.projections {
                gauge!("dossier_projection_position", "projection" => *name).set(position as f64);
                gauge!("dossier_projection_lag_events", "projection" => *name).set(lag as f64);
                gauge!("dossier_projection_lag_seconds", "projection" => *name).set(seconds);
            }
        }
    }

    /// How far each lane has folded, or [`UNKNOWN`].
    pub fn positions(&self) -> Vec<(&'static str, i64)> {
        self.lanes.iter().map(|lane| (lane.name, *lane.folded.borrow())).collect()
    }

    async fn wait(&self, name: &str, position: i64, at_most: Duration) -> bool {
        let Some(lane) = self.lanes.iter().find(|lane| lane.name == name) else { return false };
        let mut folded = lane.folded.clone();
        if *folded.borrow() < position {
            lane.hurry.notify_one();
        }
        let reached = tokio::time::timeout(at_most, folded.wait_for(|at| *at >= position)).await;
        matches!(reached, Ok(Ok(_)))
    }
}
