//! What is cached of each source of keys, and when it is read again.
//!
//! Of one source there is at most one reading at a time; all that need it wait for it. A reading is
//! a task of its own, so a caller that leaves does not stop it. A token cannot cause more than one
//! reading in thirty seconds, whatever key it names. A set that was read once is used for a day at
//! most while its source does not answer.

use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;
use tracing::{debug, info, warn};

use crate::bearer::KeySource;
use crate::bearer::keys::KeySet;
use crate::bearer::read::{ReadError, Reader};

const SOURCES_REMEMBERED_MAX: u64 = 10_000;
const KEYS_USABLE: TimeDelta = TimeDelta::hours(24);
/// Shortest time between readings that tokens with unknown keys cause.
const UNKNOWN_KEY_PAUSE: TimeDelta = TimeDelta::seconds(30);

const REMOTE: Pace = Pace {
    due: TimeDelta::minutes(10),
    pause: TimeDelta::seconds(30),
    pause_without_keys: TimeDelta::seconds(5),
};
const FILE: Pace = Pace {
    due: TimeDelta::seconds(1),
    pause: TimeDelta::seconds(1),
    pause_without_keys: TimeDelta::seconds(1),
};

/// All sources that were used recently.
pub(super) struct Sources {
    known: Cache<KeySource, Arc<Source>>,
    reader: Arc<Reader>,
}

struct Source {
    name: KeySource,
    reader: Arc<Reader>,
    /// Locked while the source is read.
    reading: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    /// When `keys` were last equal to the source.
    read_at: Option<DateTime<Utc>>,
    tried_at: Option<DateTime<Utc>>,
    /// When a token with an unknown key last caused a reading.
    sought_at: Option<DateTime<Utc>>,
    /// How many readings have ended, successful or not.
    readings: u64,
    failing: bool,
}

/// What a caller knew before it asked for a reading.
struct Snapshot {
    keys: Option<Arc<KeySet>>,
    due: bool,
    readings: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    NoKeys,
    KeysOld,
    KeyUnknown,
}

/// When a source is read again: with keys, after a failure, without keys.
struct Pace {
    due: TimeDelta,
    pause: TimeDelta,
    pause_without_keys: TimeDelta,
}

impl Sources {
    pub(super) fn new() -> Self {
        let known = Cache::builder()
            .max_capacity(SOURCES_REMEMBERED_MAX)
            .time_to_idle(Duration::from_secs(24 * 60 * 60))
            .build();
        Self { known, reader: Arc::new(Reader::default()) }
    }

    /// The keys of that source. While a remote set is fetched again, the old one is used.
    pub(super) async fn current(
        &self,
        name: &KeySource,
        now: DateTime<Utc>,
    ) -> Option<Arc<KeySet>> {
        let source = self.source(name);
        let snapshot = source.snapshot(now);
        match (snapshot.keys, snapshot.due, name) {
            (Some(keys), false, _) => return Some(keys),
            (Some(keys), true, KeySource::Url(_)) => {
                source.read_behind(snapshot.readings, now);
                return Some(keys);
            }
            (Some(_), true, KeySource::File(_)) => {
                source.read_again(Need::KeysOld, snapshot.readings, now).await;
            }
            (None, _, _) => source.read_again(Need::NoKeys, snapshot.readings, now).await,
        }
        source.snapshot(now).keys
    }

    /// The keys of that source if they differ from `than`, in which the key is missing.
    pub(super) async fn newer(
        &self,
        name: &KeySource,
        than: &Arc<KeySet>,
        now: DateTime<Utc>,
    ) -> Option<Arc<KeySet>> {
        let source = self.source(name);
        let snapshot = source.snapshot(now);
        if snapshot.keys.is_some_and(|keys| Arc::ptr_eq(&keys, than)) {
            source.read_again(Need::KeyUnknown, snapshot.readings, now).await;
        }
        source.snapshot(now).keys.filter(|keys| !Arc::ptr_eq(keys, than))
    }

    fn source(&self, name: &KeySource) -> Arc<Source> {
        self.known.get_with_by_ref(name, || {
            Arc::new(Source {
                name: name.clone(),
                reader: Arc::clone(&self.reader),
                reading: Arc::default(),
                state: Mutex::default(),
            })
        })
    }
}

impl Source {
    fn snapshot(&self, now: DateTime<Utc>) -> Snapshot {
        let state = self.state();
        let pace = self.pace();
        Snapshot {
            keys: state.keys.clone().filter(|_| !is_past(state.read_at, KEYS_USABLE, now)),
            due: is_past(state.read_at, pace.due, now) && is_past(state.tried_at, pace.pause, now),
            readings: state.readings,
        }
    }

    /// Waits for a reading: a new one, or the one that is running.
    async fn read_again(self: &Arc<Self>, need: Need, readings_seen: u64, now: DateTime<Utc>) {
        let turn = Arc::clone(&self.reading).lock_owned().await;
        if let Some(reading) = self.start(turn, need, readings_seen, now) {
            // A reading that panicked changed nothing, which the caller sees.
            drop(reading.await);
        }
    }

    /// Starts a reading unless one is running. Does not wait.
    fn read_behind(self: &Arc<Self>, readings_seen: u64, now: DateTime<Utc>) {
        if let Ok(turn) = Arc::clone(&self.reading).try_lock_owned() {
            drop(self.start(turn, Need::KeysOld, readings_seen, now));
        }
    }

    fn start(
        self: &Arc<Self>,
        turn: OwnedMutexGuard<()>,
        need: Need,
        readings_seen: u64,
        now: DateTime<Utc>,
    ) -> Option<JoinHandle<()>> {
        {
            let mut state = self.state();
            // Another reading has ended in the meantime: its result is used.
            if state.readings != readings_seen || !state.may_be_tried(need, &self.pace(), now) {
                return None;
            }
            state.tried_at = Some(now);
            if need == Need::KeyUnknown {
                state.sought_at = Some(now);
            }
        }
        let source = Arc::clone(self);
        Some(tokio::spawn(async move {
            let outcome = source.reader.read(&source.name).await;
            source.settle(outcome, now);
            drop(turn);
        }))
    }

    fn settle(&self, outcome: Result<Vec<u8>, ReadError>, now: DateTime<Utc>) {
        let name = &self.name;
        let parsed = outcome.and_then(|text| KeySet::parse(&text).map_err(ReadError::NotAKeySet));
        let mut state = self.state();
        state.readings += 1;
        match parsed {
            Ok(keys) => {
                if state.failing {
                    info!(keys.source = %name, "reading keys from {name} works again");
                }
                state.failing = false;
                state.read_at = Some(now);
                // An unchanged set stays the same object, so it is not searched again.
                if state.keys.as_ref().is_none_or(|known| known.print() != keys.print()) {
                    state.keys = Some(Arc::new(keys));
                }
            }
            Err(error) => {
                let cause = chain(&error);
                // Logged once for each outage: attempts go on, many in an hour.
                if state.failing {
                    debug!(keys.source = %name, %cause, "still no keys from {name}: {cause}");
                } else {
                    warn!(keys.source = %name, %cause, "no keys from {name}: {cause}");
                }
                state.failing = true;
            }
        }
    }

    fn pace(&self) -> Pace {
        match self.name {
            KeySource::Url(_) => REMOTE,
            KeySource::File(_) => FILE,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that holds this lock panics in the middle of a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn may_be_tried(&self, need: Need, pace: &Pace, now: DateTime<Utc>) -> bool {
        match need {
            Need::NoKeys => is_past(self.tried_at, pace.pause_without_keys, now),
            Need::KeysOld => is_past(self.tried_at, pace.pause, now),
            // The set was read for this very request: there is none newer.
            Need::KeyUnknown => {
                self.read_at != Some(now) && is_past(self.sought_at, UNKNOWN_KEY_PAUSE, now)
            }
        }
    }
}

/// Whether this time has passed. A time in the future counts as passed: after the clock was set
/// back, old keys must not live longer and new ones must be read.
fn is_past(since: Option<DateTime<Utc>>, time: TimeDelta, now: DateTime<Utc>) -> bool {
    since.is_none_or(|since| (now - since).abs() >= time)
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
