//! Runs the read models in two lanes, so that those for auditors, with their many indexes, never
//! delay the answer to a command.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::gauge;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::domain::Occurred;
use crate::projections::profile_search::ProfileSearch;
use crate::projections::{
    self, CounterModel, EntryModel, Lane, ReadModel, RowModel, TransitionModel, ValueModel, Visitor,
};
use crate::store::{Database, Doing, Error, Reader};

use super::connection::connect;
use super::counters::Counting;
use super::folder::{Folder, InsertFolder, RowFolder};
use super::lane::{Gathering, LaneTask, Note, UNKNOWN};
use super::search::{Indexing, SearchIndexes};
use super::standing;
use super::transitions::TransitionFolder;
use crate::engine::tags::Tags;

/// Messages that may wait for a lane. Further events are read from the log instead.
const NOTES_MAX: usize = 256;

/// How long events gather for the read models of auditors.
const AUDIT_PAUSE: Duration = Duration::from_millis(50);

/// The parts that projections need.
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
    name: Lane,
    projections: Vec<&'static str>,
    notes: mpsc::Sender<Note>,
    folded: watch::Receiver<i64>,
    /// Tells the lane that somebody waits.
    hurry: Arc<Notify>,
    /// The lane's position while it is behind the head, and since when.
    behind_since: Arc<Mutex<Option<(i64, Instant)>>>,
}

impl Projections {
    /// No lanes: another process folds.
    pub fn none() -> Projections {
        Projections { lanes: vec![] }
    }

    /// Folds what is not folded yet, loads the search index, then starts the lanes.
    ///
    /// # Errors
    /// [`Error`] of the first step that fails.
    pub async fn start(settings: Settings) -> Result<(Projections, Vec<JoinHandle<()>>), Error> {
        let mut projections = Projections { lanes: vec![] };
        let mut tasks = Vec::new();
        for name in Lane::ALL {
            let reader = settings.reader.clone();
            let mut models = Models { lane: name, reader, folders: vec![], names: vec![] };
            projections::visit(&mut models);
            let feeds_memory = name == Lane::Views;
            if let Some(folder) = models.folder_of::<ProfileSearch>() {
                folder.tell(Indexing(settings.search.clone()));
            }
            let (folded, receiver) = watch::channel(0);
            let hurry = Arc::new(Notify::new());
            let gathering = Gathering { pause: AUDIT_PAUSE, hurry: hurry.clone() };
            let mut lane = LaneTask {
                name: name.name(),
                database: settings.database.clone(),
                reader: settings.reader.clone(),
                checkpoints: vec![0; models.folders.len()],
                generation: 0,
                settled: true,
                folders: models.folders,
                search: feeds_memory.then(|| settings.search.clone()),
                tags: feeds_memory.then(|| settings.tags.clone()),
                folded,
                // Commands wait for the first lane, only auditors for this one.
                gathering: (name == Lane::Audit).then_some(gathering),
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
            tasks.push(tokio::spawn(lane.run(connection, told)));
            let handle = LaneHandle {
                name,
                projections: models.names,
                notes,
                folded: receiver,
                hurry,
                behind_since: Arc::default(),
            };
            projections.lanes.push(handle);
        }
        Ok((projections, tasks))
    }

    /// Passes events to the lanes. A lane with a full queue reads them from the log later.
    pub fn hand_on(&self, events: &Arc<[Arc<Occurred>]>) {
        for lane in &self.lanes {
            let _ = lane.notes.try_send(Note::Events(events.clone()));
        }
    }

    /// Makes the lanes compare with the database now, not within a second.
    pub fn look(&self) {
        for lane in &self.lanes {
            let _ = lane.notes.try_send(Note::Look);
        }
    }

    /// Waits until the read models of requests are folded up to `position`; false when that took
    /// too long, or when this process does not fold.
    pub async fn wait_folded(&self, position: i64, at_most: Duration) -> bool {
        self.wait(Lane::Views, position, at_most).await
    }

    /// Waits until the read models of auditors are folded up to `position`; false when it took too
    /// long.
    pub async fn wait_audit(&self, position: i64, at_most: Duration) -> bool {
        self.wait(Lane::Audit, position, at_most).await
    }

    /// Updates the metrics: how far each read model has come, and how far it is behind `head`.
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
                // It is behind but moving: the time counts from when it was last seen elsewhere.
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
    pub fn positions(&self) -> Vec<(Lane, i64)> {
        self.lanes.iter().map(|lane| (lane.name, *lane.folded.borrow())).collect()
    }

    async fn wait(&self, name: Lane, position: i64, at_most: Duration) -> bool {
        let Some(lane) = self.lanes.iter().find(|lane| lane.name == name) else { return false };
        let mut folded = lane.folded.clone();
        if *folded.borrow() < position {
            lane.hurry.notify_one();
        }
        let reached = tokio::time::timeout(at_most, folded.wait_for(|at| *at >= position)).await;
        matches!(reached, Ok(Ok(_)))
    }
}

/// The read models of a lane.
struct Models {
    lane: Lane,
    reader: Reader,
    folders: Vec<Box<dyn Folder>>,
    names: Vec<&'static str>,
}

impl Models {
    fn add<M: ReadModel>(&mut self, folder: impl Folder) {
        if M::LANE == self.lane {
            self.folders.push(Box::new(folder));
            self.names.push(M::NAME);
        }
    }

    fn folder_of<M: RowModel>(&mut self) -> Option<&mut RowFolder<M>> {
        self.folders.iter_mut().find_map(|folder| {
            let folder: &mut dyn Any = folder.as_mut();
            folder.downcast_mut()
        })
    }
}

impl Visitor for Models {
    fn rows<M: RowModel>(&mut self) {
        self.add::<M>(RowFolder::<M>::default());
    }

    fn entries<M: EntryModel>(&mut self) {
        self.add::<M>(InsertFolder::<M>::default());
    }

    fn values<M: ValueModel>(&mut self) {
        self.add::<M>(InsertFolder::<M>::default());
    }

    fn transitions<M: TransitionModel>(&mut self) {
        self.add::<M>(TransitionFolder::<M>::new(self.reader.clone()));
    }

    fn counters<M: CounterModel>(&mut self) {
        if let Some(counted) = self.folder_of::<M::Counted>() {
            counted.tell(Counting::<M>::default());
            self.names.push(M::NAME);
        }
    }
}
