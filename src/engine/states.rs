//! Current states of aggregates, folded from their streams, cached, and updated by new events. The
//! cache is bounded; what is not in it is read from the log.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use metrics::{counter, gauge};
use serde::de::DeserializeOwned;

use crate::domain::{
    Aggregate, Area, Event, Occurred, access, draft, emulation, export, profile, session, tenant,
};
use crate::store::{Error, Reader, Recorded, StreamKey};

use super::generations::{Bounds, Generations};
use super::stream;

/// Parts of a cache, each behind a lock of its own.
const SHARDS: usize = 16;
/// Bytes that a cache holds at most, of what callers chose.
const WEIGHT_MAX: usize = 256 << 20;
/// Recent events that a part remembers, to notice events that came while a stream was read.
const RECENT_MAX: usize = 1_024;

/// A state and the version of its stream.
#[derive(Debug)]
pub struct Versioned<A: Aggregate> {
    pub version: i64,
    pub state: Arc<A::State>,
    /// Whether it was read from the log just now, not taken from the cache.
    pub fresh: bool,
}

impl<A: Aggregate> Clone for Versioned<A> {
    fn clone(&self) -> Self {
        Versioned { version: self.version, state: self.state.clone(), fresh: self.fresh }
    }
}

/// An aggregate whose states are cached.
pub trait Cached: Aggregate {
    /// Its cache.
    fn cache(states: &States) -> &Cache<Self>
    where
        Self: Sized;
}

/// The caches of all areas. Cheap to clone.
#[derive(Clone)]
pub struct States {
    tenants: Arc<Cache<tenant::Tenant>>,
    profiles: Arc<Cache<profile::Profile>>,
    drafts: Arc<Cache<draft::Draft>>,
    emulations: Arc<Cache<emulation::Emulation>>,
    access: Arc<Cache<access::Access>>,
    sessions: Arc<Cache<session::Session>>,
    exports: Arc<Cache<export::Export>>,
}

impl Default for States {
    fn default() -> Self {
        States {
            tenants: Arc::new(Cache::new(10_000)),
            profiles: Arc::new(Cache::new(200_000)),
            drafts: Arc::new(Cache::new(20_000)),
            emulations: Arc::new(Cache::new(50_000)),
            access: Arc::new(Cache::new(10_000)),
            sessions: Arc::new(Cache::new(50_000)),
            exports: Arc::new(Cache::new(2_000)),
        }
    }
}

macro_rules! cached {
    ($($aggregate:ty => $field:ident),* $(,)?) => {
        $(impl Cached for $aggregate {
            fn cache(states: &States) -> &Cache<Self> {
                &states.$field
            }
        })*
    };
}

cached! {
    tenant::Tenant => tenants,
    profile::Profile => profiles,
    draft::Draft => drafts,
    emulation::Emulation => emulations,
    access::Access => access,
    session::Session => sessions,
    export::Export => exports,
}

impl States {
    /// The states of these streams, in the given order: one query for all that is not cached.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn load_all<A: Cached>(
        &self,
        reader: &Reader,
        streams: &[StreamKey],
    ) -> Result<Vec<Versioned<A>>, Error> {
        let cache = A::cache(self);
        let mut loaded: Vec<Option<Versioned<A>>> =
            streams.iter().map(|stream| cache.get(stream)).collect();
        let missing: Vec<usize> =
            (0..streams.len()).filter(|place| loaded[*place].is_none()).collect();
        counter!("dossier_cache_hits_total", "cache" => A::AREA.name())
            .increment((streams.len() - missing.len()) as u64);
        if !missing.is_empty() {
            counter!("dossier_cache_misses_total", "cache" => A::AREA.name())
                .increment(missing.len() as u64);
            let wanted: Vec<(StreamKey, i64)> =
                missing.iter().map(|place| (streams[*place], 0)).collect();
            let tickets: Vec<u64> = wanted.iter().map(|(stream, _)| cache.ticket(stream)).collect();
            let events = reader.streams(&wanted).await?;
            let mut events = events.iter().peekable();
            for (place, ticket) in missing.into_iter().zip(tickets) {
                let stream = streams[place];
                let mut state = A::State::default();
                let mut version = 0;
                while let Some(event) = events.next_if(|event| event.stream == stream) {
                    evolve::<A>(&mut state, event)?;
                    version = event.version;
                }
                let read = Versioned { version, state: Arc::new(state), fresh: true };
                cache.put(stream, &read, ticket);
                loaded[place] = Some(read);
            }
        }
        Ok(loaded.into_iter().flatten().collect())
    }

    /// Forgets the states of these streams that are older than the version given with each.
    pub fn forget_below(&self, heads: impl IntoIterator<Item = (StreamKey, i64)>) {
        for (key, head) in heads {
            match Area::named(key.area.as_str()) {
                Some(Area::Tenant) => self.tenants.forget_below(&key, head),
                Some(Area::Profile) => self.profiles.forget_below(&key, head),
                Some(Area::Draft) => self.drafts.forget_below(&key, head),
                Some(Area::Emulation) => self.emulations.forget_below(&key, head),
                Some(Area::Access) => self.access.forget_below(&key, head),
                Some(Area::Session) => self.sessions.forget_below(&key, head),
                Some(Area::Export) => self.exports.forget_below(&key, head),
                Some(Area::Operation) | None => {}
            }
        }
    }

    /// Applies a new event of the log.
    pub fn follow(&self, event: &Occurred) {
        match &event.event {
            Event::Tenant(fact) => self.tenants.follow(event, fact),
            Event::Profile(fact) => self.profiles.follow(event, fact),
            Event::Draft(fact) => self.drafts.follow(event, fact),
            Event::Emulation(fact) => self.emulations.follow(event, fact),
            Event::Access(fact) => self.access.follow(event, fact),
            Event::Session(fact) => self.sessions.follow(event, fact),
            Event::Export(fact) => self.exports.follow(event, fact),
            Event::Operation(_) => {}
        }
    }

    /// Updates the metrics of the caches.
    pub fn observe(&self) {
        let set = |cache, entries: usize| {
            gauge!("dossier_cache_entries", "cache" => cache).set(entries as f64);
        };
        set("tenant", self.tenants.len());
        set("profile", self.profiles.len());
        set("draft", self.drafts.len());
        set("emulation", self.emulations.len());
        set("access", self.access.len());
        set("session", self.sessions.len());
        set("export", self.exports.len());
    }
}

/// The state after one more event of the log.
///
/// # Errors
/// [`Error::Corrupt`] for an event of another area.
pub fn evolve<A: Aggregate>(state: &mut A::State, recorded: &Recorded) -> Result<(), Error> {
    A::evolve(state, &decoded::<A::Event>(recorded)?, recorded.occurred_at);
    Ok(())
}

/// The event in a record of the log.
///
/// # Errors
/// [`Error::Corrupt`] for an event of another area.
pub fn decoded<E: DeserializeOwned>(recorded: &Recorded) -> Result<E, Error> {
    crate::domain::codec::decode(&recorded.name, &recorded.payload).map_err(|error| {
        Error::Corrupt(format!("reading {} of the log: {error}", recorded.name), None)
    })
}

/// The cache of one area.
pub struct Cache<A: Aggregate> {
    shards: Vec<Mutex<Shard<A>>>,
    hasher: RandomState,
}

struct Shard<A: Aggregate> {
    states: Generations<StreamKey, (i64, Arc<A::State>)>,
    recent: VecDeque<(StreamKey, i64)>,
    /// How many events were applied.
    passed: u64,
}

impl<A: Aggregate> Cache<A> {
    fn new(entries_max: usize) -> Self {
        let bounds = Bounds { entries_max: entries_max / SHARDS, weight_max: WEIGHT_MAX / SHARDS };
        let shard = || {
            Mutex::new(Shard {
                states: Generations::new(bounds, |(_, state)| A::weight(state)),
                recent: VecDeque::new(),
                passed: 0,
            })
        };
        Cache { shards: (0..SHARDS).map(|_| shard()).collect(), hasher: RandomState::new() }
    }

    fn shard(&self, key: &StreamKey) -> MutexGuard<'_, Shard<A>> {
        let place = self.hasher.hash_one(key) as usize % SHARDS;
        self.shards[place].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &StreamKey) -> Option<Versioned<A>> {
        let mut shard = self.shard(key);
        let (version, state) = shard.states.get(key)?;
        Some(Versioned { version: *version, state: state.clone(), fresh: false })
    }

    /// Take it before a stream is read, and pass it to [`Cache::put`] with what was read.
    fn ticket(&self, key: &StreamKey) -> u64 {
        self.shard(key).passed
    }

    /// Caches what was read, unless events came in the meantime.
    fn put(&self, key: StreamKey, read: &Versioned<A>, ticket: u64) {
        let mut shard = self.shard(&key);
        let passed = usize::try_from(shard.passed - ticket).unwrap_or(usize::MAX);
        if passed > shard.recent.len() {
            return;
        }
        let since = shard.recent.len() - passed;
        let newer = shard
            .recent
            .iter()
            .skip(since)
            .any(|(recent, version)| *recent == key && *version > read.version);
        let known = shard.states.get(&key).map_or(-1, |(version, _)| *version);
        if !newer && known < read.version {
            shard.states.insert(key, (read.version, read.state.clone()));
        }
    }

    fn forget_below(&self, key: &StreamKey, head: i64) {
        let mut shard = self.shard(key);
        if shard.states.get(key).is_some_and(|(version, _)| *version < head) {
            shard.states.remove(key);
        }
    }

    fn len(&self) -> usize {
        let lock = |shard: &Mutex<Shard<A>>| {
            shard.lock().unwrap_or_else(PoisonError::into_inner).states.len()
        };
        self.shards.iter().map(lock).sum()
    }

    fn follow(&self, occurred: &Occurred, event: &A::Event) {
        let key = stream::<A>(occurred.tenant_id, occurred.stream_id);
        let mut shard = self.shard(&key);
        shard.passed += 1;
        if shard.recent.len() == RECENT_MAX {
            shard.recent.pop_front();
        }
        shard.recent.push_back((key, occurred.version));
        let at = occurred.occurred_at;
        match shard.states.get(&key).map(|(version, _)| *version) {
            Some(version) if version + 1 == occurred.version => {
                shard.states.change(&key, |(version, state)| {
                    apply::<A>(state, event, at);
                    *version = occurred.version;
                });
            }
            Some(version) if version >= occurred.version => {}
            Some(_) => drop(shard.states.remove(&key)),
            None if occurred.version == 1 => {
                let mut state = Arc::new(A::State::default());
                apply::<A>(&mut state, event, at);
                shard.states.insert(key, (1, state));
            }
            None => {}
        }
    }
}

/// Copies the state only if a reader still holds it.
fn apply<A: Aggregate>(state: &mut Arc<A::State>, event: &A::Event, at: DateTime<Utc>) {
    A::evolve(Arc::make_mut(state), event, at);
}
