//! A decision while it is made: what it has read, its orders, and the claims that follow. Events
//! are made only here, by [`Rules::decide`].

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::claims::Claim;
use crate::domain::ids::TenantId;
use crate::domain::{Aggregate, Area, Event, Rules};
use crate::store::{
    Append, Claim as Held, Claimed, Envelope, Error, Guard, NewEvent, OperationalRow, StreamKey,
    StreamWrite,
};

use super::halt::Halt;
use super::holders::{Asked, Collision, held};
use crate::engine::states::{Cached, Versioned};
use crate::engine::{Engine, stream};

/// A decision while it is made: what it has read and what it will write. It relies on one version
/// of each stream, the first that it read.
pub struct Decision<'e> {
    pub engine: &'e Engine,
    pub tenant: TenantId,
    /// Who decides; each attempt may set it again.
    pub envelope: Arc<Envelope>,
    /// When changes of profiles became true, if not now. States, claims and versions follow the
    /// order in which changes are recorded.
    pub occurred_at: Option<DateTime<Utc>>,
    /// When this attempt began. States use this time until the log has recorded the events.
    now: DateTime<Utc>,
    streams: HashMap<StreamKey, Touched>,
    /// Whether it read something from a cache, which may be older than the log.
    pub(super) from_cache: bool,
    /// The streams that it has read or begun.
    pub(super) writes: Vec<StreamWrite>,
    asked: Asked,
    takes: Vec<Held>,
    releases: Vec<Uuid>,
    rows: Vec<OperationalRow>,
}

/// A stream that was read or begun.
struct Touched {
    /// The version that was read; 0 if the stream does not exist.
    version: i64,
    fresh: bool,
    /// Its state as it was read, an `Arc<A::State>`.
    read: Arc<dyn Any + Send + Sync>,
    /// Its state after the orders of this decision.
    state: Arc<dyn Any + Send + Sync>,
    claims: fn(&StreamKey, &(dyn Any + Send + Sync)) -> Vec<Claim>,
}

impl Touched {
    fn of<A: Aggregate>(read: &Versioned<A>) -> Touched {
        let state: Arc<dyn Any + Send + Sync> = read.state.clone();
        let claims = |key: &StreamKey, state: &(dyn Any + Send + Sync)| {
            let state = state.downcast_ref::<A::State>().expect("a stream has one area");
            A::claims(TenantId(key.tenant_id), key.id, state)
        };
        let (version, fresh) = (read.version, read.fresh);
        Touched { version, fresh, read: state.clone(), state, claims }
    }

    fn versioned<A: Aggregate>(&self) -> Versioned<A> {
        let state = self.state.clone().downcast::<A::State>().expect("a stream has one area");
        Versioned { version: self.version, state, fresh: self.fresh }
    }
}

impl<'e> Decision<'e> {
    pub(super) fn new(engine: &'e Engine, tenant: TenantId, envelope: Arc<Envelope>) -> Self {
        Decision {
            engine,
            tenant,
            envelope,
            occurred_at: None,
            now: Utc::now(),
            streams: HashMap::new(),
            from_cache: false,
            writes: vec![],
            asked: Asked::default(),
            takes: vec![],
            releases: vec![],
            rows: vec![],
        }
    }

    /// The state of an aggregate after the orders so far. The version that was read must still be
    /// the current one when the events are appended.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn load<A: Cached>(&mut self, id: Uuid) -> Result<Versioned<A>, Error> {
        self.load_of(self.tenant, id).await
    }

    /// The states of several, in the given order, by one query at most.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn load_all<A: Cached>(&mut self, ids: &[Uuid]) -> Result<Vec<Versioned<A>>, Error> {
        self.read::<A>(self.tenant, ids).await?;
        let touched = ids.iter().map(|id| &self.streams[&stream::<A>(self.tenant, *id)]);
        Ok(touched.map(Touched::versioned).collect())
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
        self.read::<A>(tenant, &[id]).await?;
        Ok(self.streams[&stream::<A>(tenant, id)].versioned())
    }

    /// The state of an aggregate that this decision has read or begun, after the orders so far.
    pub fn known<A: Aggregate>(&self, id: Uuid) -> Option<&A::State> {
        let touched = self.streams.get(&stream::<A>(self.tenant, id))?;
        touched.state.downcast_ref()
    }

    async fn read<A: Cached>(&mut self, tenant: TenantId, ids: &[Uuid]) -> Result<(), Error> {
        let known = |id: &Uuid| self.streams.contains_key(&stream::<A>(tenant, *id));
        let new: Vec<Uuid> = ids.iter().copied().filter(|id| !known(id)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let loaded = self.engine.load_all::<A>(tenant, &new).await?;
        for (id, read) in new.into_iter().zip(&loaded) {
            self.from_cache |= !read.fresh;
            self.streams.entry(stream::<A>(tenant, id)).or_insert_with(|| Touched::of(read));
        }
        Ok(())
    }

    /// Gives an order: loads the aggregate, guards its version, lets the rules decide, and adds the
    /// events and the claims that follow to this decision. Returns the events; none if nothing
    /// changes.
    ///
    /// # Errors
    /// The refusal; [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn order<A: Cached + Rules>(
        &mut self,
        id: Uuid,
        by: A::By<'_>,
        command: A::Command,
    ) -> Result<Vec<A::Event>, Halt<A::Refusal>> {
        self.order_at::<A>(id, by, command, None).await
    }

    /// As [`Decision::order`], for events that became true at this time.
    ///
    /// # Errors
    /// As [`Decision::order`].
    pub async fn order_at<A: Cached + Rules>(
        &mut self,
        id: Uuid,
        by: A::By<'_>,
        command: A::Command,
        occurred_at: Option<DateTime<Utc>>,
    ) -> Result<Vec<A::Event>, Halt<A::Refusal>> {
        let before = self.load::<A>(id).await?;
        let events = A::decide(id, &before.state, by, command).map_err(Halt::Refused)?;
        self.put::<A>(id, before, &events, occurred_at)?;
        Ok(events)
    }

    /// Gives several orders, each judged by the state before the first: no order makes another one
    /// possible. All are carried out, or none.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`]; inside the result, every refusal, each once.
    pub async fn order_together<A: Cached + Rules<Refusal: PartialEq>>(
        &mut self,
        id: Uuid,
        by: A::By<'_>,
        commands: Vec<A::Command>,
    ) -> Result<Result<Vec<A::Event>, Vec<A::Refusal>>, Error> {
        let before = self.load::<A>(id).await?;
        let (mut events, mut refusals) = (Vec::new(), Vec::new());
        for command in commands {
            match A::decide(id, &before.state, by, command) {
                Ok(decided) => events.extend(decided),
                Err(refusal) if !refusals.contains(&refusal) => refusals.push(refusal),
                Err(_) => {}
            }
        }
        if !refusals.is_empty() {
            return Ok(Err(refusals));
        }
        self.put::<A>(id, before, &events, None)?;
        Ok(Ok(events))
    }

    /// Gives the first order to an aggregate with a new id, without reading. If the stream exists
    /// nevertheless, the append is a conflict.
    ///
    /// # Errors
    /// The refusal; [`Error::Corrupt`].
    pub fn begin<A: Rules>(
        &mut self,
        id: Uuid,
        by: A::By<'_>,
        command: A::Command,
    ) -> Result<Vec<A::Event>, Halt<A::Refusal>> {
        self.begin_at::<A>(id, by, command, None)
    }

    /// As [`Decision::begin`], for events that became true at this time.
    ///
    /// # Errors
    /// As [`Decision::begin`].
    pub fn begin_at<A: Rules>(
        &mut self,
        id: Uuid,
        by: A::By<'_>,
        command: A::Command,
        occurred_at: Option<DateTime<Utc>>,
    ) -> Result<Vec<A::Event>, Halt<A::Refusal>> {
        let new = Versioned { version: 0, state: Arc::default(), fresh: true };
        let events = A::decide(id, &new.state, by, command).map_err(Halt::Refused)?;
        self.put::<A>(id, new, &events, occurred_at)?;
        Ok(events)
    }

    fn put<A: Aggregate>(
        &mut self,
        id: Uuid,
        before: Versioned<A>,
        happened: &[A::Event],
        occurred_at: Option<DateTime<Utc>>,
    ) -> Result<(), Error> {
        if happened.is_empty() {
            return Ok(());
        }
        let dated_back = self.occurred_at.filter(|_| A::AREA == Area::Profile);
        let occurred_at = occurred_at.or(dated_back);
        let key = stream::<A>(self.tenant, id);
        let encoded = happened.iter().map(|event| new_event(&event.clone().into(), occurred_at));
        let mut events = encoded.collect::<Result<Vec<_>, _>>()?;
        let touched = self.streams.entry(key).or_insert_with(|| Touched::of(&before));
        let mut state = before.state;
        // Usually nobody else holds the state; the state that was read is copied once.
        touched.state = touched.read.clone();
        let after = Arc::make_mut(&mut state);
        for event in happened {
            A::evolve(after, event, occurred_at.unwrap_or(self.now));
        }
        touched.state = state;
        match self.writes.iter_mut().find(|write| write.stream == key) {
            Some(write) => write.events.append(&mut events),
            None => {
                let expected_version = touched.version;
                self.writes.push(StreamWrite { stream: key, expected_version, events });
            }
        }
        Ok(())
    }

    /// Takes a claim that follows from no state. Taking it twice is the same as once.
    pub fn take(&mut self, claim: Claim, holder: Uuid) {
        let claim = held(claim, holder);
        if !self.takes.contains(&claim) {
            self.takes.push(claim);
        }
    }

    /// Releases the claim with this key, which follows from no state.
    pub fn release(&mut self, key: Uuid) {
        self.releases.push(key);
    }

    /// Writes a row of operational state.
    pub fn row(&mut self, row: OperationalRow) {
        self.rows.push(row);
    }

    /// Takes back every order, claim and row so far. What was read stays guarded.
    pub fn take_back(&mut self) {
        for touched in self.streams.values_mut() {
            touched.state = touched.read.clone();
        }
        self.writes.clear();
        self.takes.clear();
        self.releases.clear();
        self.rows.clear();
    }

    /// Whether there is something to append.
    pub fn changes_anything(&self) -> bool {
        !self.writes.is_empty()
    }

    /// The holders of these claims and of those asked for before; claims without a holder are not
    /// in the answer. [`Decision::collisions`] asks no query for claims that were asked for here.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn holders(&mut self, keys: &[Uuid]) -> Result<&HashMap<Uuid, Claimed>, Error> {
        self.asked.holders(self.engine, keys).await
    }

    /// The claims of these kinds that the orders need and others hold, in the order of the streams.
    /// If two streams of this decision need the same claim, the later one collides.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn collisions(&mut self, kinds: &[&'static str]) -> Result<Vec<Collision>, Error> {
        let Changed { mut takes, releases } = self.changed_claims();
        takes.retain(|claim| kinds.contains(&claim.kind));
        if takes.is_empty() {
            return Ok(vec![]);
        }
        let keys: Vec<Uuid> = takes.iter().map(|claim| claim.claim).collect();
        let held = self.asked.holders(self.engine, &keys).await?;
        let mut given: HashMap<Uuid, Uuid> = HashMap::new();
        let mut collisions = Vec::new();
        for claim in &takes {
            let other = held.get(&claim.claim).filter(|_| !releases.contains(&claim.claim));
            let other = other.map(|held| held.holder);
            let earlier = given.insert(claim.claim, claim.holder);
            if let Some(holder) = other.or(earlier) {
                let (stream_id, kind) = (claim.holder, claim.kind);
                collisions.push(Collision { stream_id, kind, holder });
            }
        }
        Ok(collisions)
    }

    /// The claims that are new in the states after the orders, and those that are gone.
    fn changed_claims(&self) -> Changed {
        let mut changed = Changed::default();
        for key in self.writes.iter().map(|write| &write.stream) {
            let touched = &self.streams[key];
            let before: HashSet<_> = (touched.claims)(key, &*touched.read).into_iter().collect();
            let mut after = HashSet::new();
            for claim in (touched.claims)(key, &*touched.state) {
                if after.insert(claim) && !before.contains(&claim) {
                    changed.takes.push(held(claim, key.id));
                }
            }
            changed.releases.extend(before.difference(&after).map(|claim| claim.key));
        }
        changed
    }

    /// The streams and versions that it relies on.
    pub(super) fn versions(&self) -> Vec<(StreamKey, i64)> {
        self.streams.iter().map(|(stream, touched)| (*stream, touched.version)).collect()
    }

    pub(super) fn into_append(mut self) -> Append {
        let Changed { takes, releases } = self.changed_claims();
        self.takes.extend(takes);
        self.releases.extend(releases);
        for write in &self.writes {
            self.streams.remove(&write.stream);
        }
        let guards = self.streams.iter();
        let guards = guards.map(|(key, touched)| Guard { stream: *key, version: touched.version });
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

/// How the claims change with the states.
#[derive(Default)]
struct Changed {
    takes: Vec<Held>,
    releases: HashSet<Uuid>,
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
