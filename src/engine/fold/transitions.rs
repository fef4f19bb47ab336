//! Folds a read model whose rows follow from what each event did to a profile.

use std::collections::HashMap;
use std::sync::Arc;

use deadpool_postgres::ClientWrapper;
use futures_util::future::FutureExt;

use crate::domain::profile::{Past, Profile};
use crate::domain::{Aggregate, Event, Occurred};
use crate::engine::generations::{Bounds, Generations};
use crate::engine::{past, stream};
use crate::projections::{Key, Transition, TransitionModel};
use crate::store::Reader;

use super::flight::Write;
use super::folder::{Done, Folder, insert_rows};

/// Bounds of the profiles that such a read model keeps in memory, and of their bytes.
const PROFILES_CACHED: Bounds = Bounds { entries_max: 20_000, weight_max: 32 << 20 };

/// Profiles that are read from the log together.
const PROFILES_AT_ONCE: usize = 256;

/// Folds a [`TransitionModel`].
pub struct TransitionFolder<M: TransitionModel> {
    reader: Reader,
    cached: Generations<Key, Past>,
    /// The profiles of a stretch, before it and then after it.
    loaded: HashMap<Key, Past>,
    rows: Vec<M::Row>,
}

impl<M: TransitionModel> TransitionFolder<M> {
    /// Reads profiles that are not in memory through this reader.
    pub fn new(reader: Reader) -> Self {
        let weigh = |past: &Past| Profile::weight(&past.state);
        TransitionFolder {
            reader,
            cached: Generations::new(PROFILES_CACHED, weigh),
            loaded: HashMap::new(),
            rows: vec![],
        }
    }
}

/// The profile that an event belongs to, if it does.
fn key_of(event: &Occurred) -> Option<Key> {
    let is_profile = matches!(event.event, Event::Profile(_));
    is_profile.then_some((event.tenant_id.0, event.stream_id))
}

impl<M: TransitionModel> Folder for TransitionFolder<M> {
    fn names(&self) -> (&'static str, String) {
        (M::NAME, M::schema())
    }

    fn load<'a>(&'a mut self, _: &'a ClientWrapper, events: &'a [Arc<Occurred>]) -> Done<'a, ()> {
        async move {
            self.loaded.clear();
            let mut missing = vec![];
            for event in events {
                let Some(key) = key_of(event) else { continue };
                if self.loaded.contains_key(&key) {
                    continue;
                }
                let before = event.version - 1;
                let known = self.cached.remove(&key).filter(|past| past.version == before);
                if known.is_none() && before > 0 {
                    missing.push((stream::<Profile>(event.tenant_id, event.stream_id), before));
                }
                self.loaded.insert(key, known.unwrap_or_default());
            }
            for some in missing.chunks(PROFILES_AT_ONCE) {
                let found = past::states::at_versions(&self.reader, some).await?;
                for ((stream, _), past) in some.iter().zip(found) {
                    self.loaded.insert((stream.tenant_id, stream.id), past);
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn fold(&mut self, events: &[Arc<Occurred>]) {
        self.rows.clear();
        for event in events {
            let (Some(key), Event::Profile(fact)) = (key_of(event), &event.event) else { continue };
            let past = self.loaded.entry(key).or_default();
            let step = past.step(fact, event.version, event.occurred_at);
            self.rows.extend(M::rows(Transition { event, past, step: step.as_ref() }));
        }
    }

    fn writes(&self) -> Vec<Write<'_>> {
        insert_rows::<M>(&self.rows).into_iter().collect()
    }

    fn keep(&mut self) {
        for (key, past) in self.loaded.drain() {
            self.cached.insert(key, past);
        }
        self.rows.clear();
    }

    fn discard(&mut self) {
        // Their cached versions were taken out: they are read again when needed.
        self.loaded.clear();
        self.rows.clear();
    }

    fn forget(&mut self) {
        self.cached.clear();
        self.discard();
    }
}
