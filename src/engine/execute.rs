//! The only way to write: load states, decide, append; on a conflict, again. What a decision has
//! read is guarded, so that it holds at the moment its events become true.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use metrics::counter;
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::domain::{Aggregate, Event};
use crate::store::{
    Append, Claim, Envelope, Error, Guard, NewEvent, OperationalRow, Priority, StreamKey,
    StreamWrite,
};

use super::states::{Cached, Versioned};
use super::{Engine, FOLD_WAIT_MAX, claims, stream};

/// How often a decision is made when streams move under it. Within one process the turns leave a
/// second loss to chance alone; other processes know nothing of them.
pub const ATTEMPTS_MAX: usize = 8;

/// Streams that have turns of their own, as far as ids do not meet: many, so that few of the
/// hundred streams of a batch meet one that others race for.
const TURNS: usize = 4_096;

/// Why a decision came to no answer.
#[derive(Debug)]
pub enum Halt<R> {
    /// The fact in the way.
    Refused(R),
    /// The log could not be read or written.
    Failed(Error),
}

impl<R> From<Error> for Halt<R> {
    fn from(error: Error) -> Self {
        Halt::Failed(error)
    }
}

/// What came of a decision.
#[derive(Debug)]
pub struct Executed<T> {
    pub value: T,
    /// Where its last event is; None when nothing changed.
    pub position: Option<i64>,
    /// Whether whoever reads now sees it.
    pub folded: bool,
}

/// A decision in the making: what it has read and what it will write.
pub struct Decision<'e> {
    pub engine: &'e Engine,
    pub tenant: TenantId,
    /// Who decides; may be set anew by each attempt.
    pub envelope: Arc<Envelope>,
    read: HashMap<StreamKey, i64>,
    /// A stream that was read twice and moved in between: nothing decided on it holds.
    moved: Option<StreamKey>,
    kept: bool,
    writes: Vec<StreamWrite>,
    takes: Vec<Claim>,
    releases: Vec<Uuid>,
    rows: Vec<OperationalRow>,
}

impl<'e> Decision<'e> {
    fn new(engine: &'e Engine, order: &Order) -> Decision<'e> {
        Decision {
            engine,
            tenant: order.tenant,
            envelope: order.envelope.clone(),
            read: HashMap::new(),
            moved: None,
            kept: false,
            writes: vec![],
            takes: vec![],
            releases: vec![],
            rows: vec![],
        }
    }

    /// The state of an aggregate, which must still hold when the events are appended.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`]; [`Error::Conflict`] when this decision has read
    /// it before and it has moved since: the decision is then made again.
    pub async fn load<A: Cached>(&mut self, id: Uuid) -> Result<Versioned<A>, Error> {
        self.load_of(self.tenant, id).await
    }

    /// The states of several, in the order asked, by one query at most.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn load_all<A: Cached>(&mut self, ids: &[Uuid]) -> Result<Vec<Versioned<A>>, Error> {
        let loaded = self.engine.load_all::<A>(self.tenant, ids).await?;
        for (id, state) in ids.iter().zip(&loaded) {
            self.note(stream::<A>(self.tenant, *id), state)?;
        }
        Ok(loaded)
    }

    /// The state of another tenant's aggregate, guarded as [`Decision::load`] does.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn load_of<A: Cached>(
        &mut self,
        tenant: TenantId,
        id: Uuid,
    ) -> Result<Versioned<A>, Error> {
        let loaded = self.engine.load::<A>(tenant, id).await?;
        self.note(stream::<A>(tenant, id), &loaded)?;
        Ok(loaded)
    }

    /// A decision stands on one version of each stream, the first that it read.
    fn note<A: Cached>(&mut self, stream: StreamKey, read: &Versioned<A>) -> Result<(), Error> {
        self.kept |= !read.fresh;
        if *self.read.entry(stream).or_insert(read.version) == read.version {
            return Ok(());
        }
        self.moved = Some(stream);
        Err(Error::Conflict(stream))
    }

    /// Adds events to an aggregate: behind what was read of it, or as its first. The first event
    /// of a profile or tenant also takes the claim on its id.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for an event that cannot be encoded.
    pub fn append<A: Aggregate>(
        &mut self,
        id: Uuid,
        events: Vec<A::Event>,
        occurred_at: Option<DateTime<Utc>>,
    ) -> Result<(), Error> {
        if events.is_empty() {
            return Ok(());
        }
        let key = stream::<A>(self.tenant, id);
        let events = events.into_iter().map(|event| new_event(&event.into(), occurred_at));
        let mut events = events.collect::<Result<Vec<_>, _>>()?;
        if let Some(write) = self.writes.iter_mut().find(|write| write.stream == key) {
            write.events.append(&mut events);
            return Ok(());
        }
        let expected_version = self.read.get(&key).copied().unwrap_or_default();
        if expected_version == 0 {
            self.takes.extend(claims::take_stream_id(self.tenant, A::AREA, id));
        }
        self.writes.push(StreamWrite { stream: key, expected_version, events });
        Ok(())
    }

    /// Takes a claim; a claim taken twice is taken once.
    pub fn take(&mut self, claim: Claim) {
        if !self.takes.contains(&claim) {
            self.takes.push(claim);
        }
    }

    /// Releases a claim.
    pub fn release(&mut self, claim: Uuid) {
        self.releases.push(claim);
    }

    /// Writes a row of operational state.
    pub fn row(&mut self, row: OperationalRow) {
        self.rows.push(row);
    }

    /// Whether anything is going to happen.
    pub fn changes_anything(&self) -> bool {
        !self.writes.is_empty()
    }

    fn into_append(self) -> Append {
        let written: Vec<StreamKey> = self.writes.iter().map(|write| write.stream).collect();
        let guards = self.read.iter().filter(|(stream, _)| !written.contains(stream));
        let guards = guards.map(|(stream, version)| Guard { stream: *stream, version: *version });
        Append {
            envelope: self.envelope,
            guards: guards.collect(),
            writes: self.writes,
            takes: self.takes,
            releases: self.releases,
            rows: self.rows,
        }
    }
}

fn new_event(event: &Event, occurred_at: Option<DateTime<Utc>>) -> Result<NewEvent, Error> {
    let encoded = event
        .encode()
        .map_err(|error| Error::Corrupt(format!("encoding an event: {error}"), None))?;
    Ok(NewEvent {
        id: Uuid::now_v7(),
        name: encoded.name,
        schema_version: 1,
        occurred_at,
        payload: encoded.payload,
    })
}

/// A decision as code: it may run several times, each time on what is true then.
pub trait Decide<'e, T, R>:
    for<'d> Fn(&'d mut Decision<'e>) -> BoxFuture<'d, Result<T, Halt<R>>> + Send + Sync
{
}

impl<'e, T, R, F> Decide<'e, T, R> for F where
    F: for<'d> Fn(&'d mut Decision<'e>) -> BoxFuture<'d, Result<T, Halt<R>>> + Send + Sync
{
}

/// What is to be decided: its tenant, who does it, and under which name it is counted.
pub struct Order {
    pub tenant: TenantId,
    pub envelope: Arc<Envelope>,
    /// Area and command, for the metrics.
    pub area: &'static str,
    pub priority: Priority,
}

/// Turns at streams that are raced for: one at a time, first come, first served, for those who
/// lost once and for all who come while somebody has a turn. A stream that nobody races for costs
/// a look at its place. Whoever has a turn waits for no other one.
pub struct Turns(Vec<Arc<Mutex<()>>>);

impl Default for Turns {
    fn default() -> Self {
        Turns((0..TURNS).map(|_| Arc::default()).collect())
    }
}

impl Turns {
    fn place(&self, stream: StreamKey) -> &Arc<Mutex<()>> {
        let place = stream.id.as_u128() % TURNS as u128;
        &self.0[usize::try_from(place).unwrap_or_default()]
    }

    async fn wait(&self, stream: StreamKey) -> OwnedMutexGuard<()> {
        self.place(stream).clone().lock_owned().await
    }

    /// The first of these streams at which somebody has a turn; nobody races for a new one.
    fn raced_for(&self, writes: &[StreamWrite]) -> Option<StreamKey> {
        let known = writes.iter().filter(|write| write.expected_version > 0);
        let mut streams = known.map(|write| write.stream);
        streams.find(|stream| self.place(*stream).try_lock().is_err())
    }
}

impl Engine {
    /// Decides and appends, bounded times again when a stream has moved, and answers when the
    /// events are durable and folded (or after two seconds, when they are durable).
    ///
    /// # Errors
    /// What `decide` refused or failed with; [`Error::ClaimTaken`]; [`Error::Conflict`] when the
    /// streams kept moving; any other failure of the log.
    pub async fn execute<'e, T, R>(
        &'e self,
        order: &Order,
        decide: impl Decide<'e, T, R>,
    ) -> Result<Executed<T>, Halt<R>>
    where
        T: Send,
        R: Send,
    {
        let mut attempt = 0;
        let mut turn = None;
        let executed = loop {
            attempt += 1;
            let mut decision = Decision::new(self, order);
            let decided = decide(&mut decision).await;
            // Whatever was made of it: an answer would rest on two versions of one stream.
            if let Some(moved) = decision.moved {
                if attempt < ATTEMPTS_MAX {
                    continue;
                }
                break Err(Halt::Failed(Error::Conflict(moved)));
            }
            let changes = decided.is_ok() && decision.changes_anything();
            if !changes {
                // No expected version protects a decision that writes nothing.
                if decision.kept
                    && attempt < ATTEMPTS_MAX
                    && self.forget_moved(&decision.read).await?
                {
                    continue;
                }
                break decided.map(|value| Executed { value, position: None, folded: true });
            }
            let value = decided?;
            if turn.is_none()
                && let Some(stream) = self.turns.raced_for(&decision.writes)
            {
                turn = Some(self.turns.wait(stream).await);
                attempt -= 1;
                continue;
            }
            let read = decision.read.clone();
            let written: Vec<StreamKey> = decision.writes.iter().map(|one| one.stream).collect();
            let append = decision.into_append();
            match self.appender.append(append, order.priority).await {
                Ok(appended) => {
                    let position = appended.last_position;
                    break Ok(Executed { value, position: Some(position), folded: true });
                }
                Err(Error::Conflict(moved)) if attempt < ATTEMPTS_MAX => {
                    // What was only read is raced for by nobody here.
                    if turn.is_none() && written.contains(&moved) {
                        turn = Some(self.turns.wait(moved).await);
                    }
                    self.forget_moved(&read).await?;
                }
                Err(Error::ClaimTaken(_)) if attempt < ATTEMPTS_MAX => {
                    self.forget_moved(&read).await?;
                }
                Err(error) => break Err(Halt::Failed(error)),
            }
        };
        drop(turn);
        count(order, &executed);
        let mut executed = executed?;
        if let (Some(position), Priority::Caller) = (executed.position, order.priority) {
            executed.folded = self.wait_readable(position, FOLD_WAIT_MAX).await;
        }
        Ok(executed)
    }

    /// Whether any of these streams has gone past the version that was read of it. What memory
    /// holds of it is forgotten, unless the log's tail has brought it there already: a long
    /// stream is not read again for having been raced for.
    async fn forget_moved(&self, read: &HashMap<StreamKey, i64>) -> Result<bool, Error> {
        let (streams, versions): (Vec<StreamKey>, Vec<i64>) =
            read.iter().map(|(stream, version)| (*stream, *version)).unzip();
        let heads = self.reader.heads(&streams).await?;
        let moved = versions != heads;
        self.states.forget_below(streams.into_iter().zip(heads));
        Ok(moved)
    }
}

fn count<T, R>(order: &Order, executed: &Result<Executed<T>, Halt<R>>) {
    let outcome = match executed {
        Ok(Executed { position: Some(_), .. }) => "done",
        Ok(Executed { position: None, .. }) => "unchanged",
        Err(Halt::Refused(_)) => "refused",
        Err(Halt::Failed(Error::Conflict(_))) => "conflict",
        Err(Halt::Failed(Error::ClaimTaken(_))) => "claim_taken",
        Err(Halt::Failed(Error::Overloaded)) => "overloaded",
        Err(Halt::Failed(_)) => "failed",
    };
    counter!(
        "dossier_commands_total",
        "area" => order.area,
        "command" => order.envelope.operation,
        "outcome" => outcome
    )
    .increment(1);
}
