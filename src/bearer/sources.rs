//! What is known of each key source, and when it is read again.
//!
//! Of one source there is never more than one reading at a time: whoever needs it waits for it.
//! A reading runs in a task of its own, so a caller who hangs up cannot undo it. A token cannot
//! cause more than one reading in thirty seconds, whatever key it names. A source that has answered
//! once is believed for a day while it does not answer; it is never believed longer.

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
/// Tokens that name an unknown key cause no more than one reading in this time.
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

/// All sources that have been asked for of late.
pub(super) struct Sources {
    known: Cache<KeySource, Arc<Source>>,
    reader: Arc<Reader>,
}

struct Source {
    name: KeySource,
    reader: Arc<Reader>,
    /// Held while the source is read.
    reading: Arc<tokio::sync::Mutex<()>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    /// When `keys` was last known to be what the source says.
    read_at: Option<DateTime<Utc>>,
    tried_at: Option<DateTime<Utc>>,
    /// When a token last caused a reading by naming an unknown key.
    sought_at: Option<DateTime<Utc>>,
    /// How many readings have come to an end, good or bad.
    readings: u64,
    failing: bool,
}

/// What a caller saw before it asked for a reading.
struct Glance {
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

/// After what time a source is read again: keys at hand, the last attempt failed, no keys at all.
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

    /// The keys of that source. An old remote set is served while a new one is fetched behind.
    pub(super) async fn current(
        &self,
        name: &KeySource,
        now: DateTime<Utc>,
    ) -> Option<Arc<KeySet>> {
        let source = self.source(name);
        let glance = source.glance(now);
        match (glance.keys, glance.due, name) {
            (Some(keys), false, _) => return Some(keys),
            (Some(keys), true, KeySource::Url(_)) => {
                source.read_behind(glance.readings, now);
                return Some(keys);
            }
            (Some(_), true, KeySource::File(_)) => {
                source.read_again(Need::KeysOld, glance.readings, now).await;
            }
            (None, _, _) => source.read_again(Need::NoKeys, glance.readings, now).await,
        }
        source.glance(now).keys
    }

    /// The keys of that source if there are others than `than`, which lack the key looked for.
    pub(super) async fn newer(
        &self,
        name: &KeySource,
        than: &Arc<KeySet>,
        now: DateTime<Utc>,
    ) -> Option<Arc<KeySet>> {
        let source = self.source(name);
        let glance = source.glance(now);
        if glance.keys.is_some_and(|keys| Arc::ptr_eq(&keys, than)) {
            source.read_again(Need::KeyUnknown, glance.readings, now).await;
        }
        source.glance(now).keys.filter(|keys| !Arc::ptr_eq(keys, than))
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
    fn glance(&self, now: DateTime<Utc>) -> Glance {
        let state = self.state();
        let pace = self.pace();
        Glance {
            keys: state.keys.clone().filter(|_| !is_past(state.read_at, KEYS_USABLE, now)),
            due: is_past(state.read_at, pace.due, now) && is_past(state.tried_at, pace.pause, now),
            readings: state.readings,
        }
    }

    /// Waits for a reading: one's own, or that of whoever was first.
    async fn read_again(self: &Arc<Self>, need: Need, readings_seen: u64, now: DateTime<Utc>) {
        let turn = Arc::clone(&self.reading).lock_owned().await;
        if let Some(reading) = self.start(turn, need, readings_seen, now) {
            // A reading that panicked has changed nothing, and the caller sees that.
            drop(reading.await);
        }
    }

    /// Starts a reading unless there is one, and waits for nothing.
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
            // Another reading has ended since the caller looked: its outcome is as good.
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
                // An unchanged set stays the same one, so nobody looks through it again.
                if state.keys.as_ref().is_none_or(|known| known.print() != keys.print()) {
                    state.keys = Some(Arc::new(keys));
                }
            }
            Err(error) => {
                let cause = chain(&error);
                // Once for each time that it breaks: attempts go on, many an hour.
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
        // No code that holds it can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn may_be_tried(&self, need: Need, pace: &Pace, now: DateTime<Utc>) -> bool {
        match need {
            Need::NoKeys => is_past(self.tried_at, pace.pause_without_keys, now),
            Need::KeysOld => is_past(self.tried_at, pace.pause, now),
            // A set that was read for this very request has no newer one.
            Need::KeyUnknown => {
                self.read_at != Some(now) && is_past(self.sought_at, UNKNOWN_KEY_PAUSE, now)
            }
        }
    }
}

/// Whether that long has gone by. A clock that was set back must not keep old keys alive, nor stop
/// us from reading new ones, so a time ahead counts like one behind.
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
