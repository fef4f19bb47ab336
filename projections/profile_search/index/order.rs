//! A sorted sequence of slots: inserting or removing one moves few others.
//!
//! It holds no keys: the caller brings the comparison, and must bring the same one every time.

use std::cmp::Ordering;
use std::mem::size_of;

/// A run that grows past this is cut in two: short enough to shift, long enough to walk.
const RUN_SLOTS_MAX: usize = 1024;

/// Slots of a new run: not quite full, so that the insertions after a load do not cut every run.
const RUN_SLOTS_LOADED: usize = RUN_SLOTS_MAX * 3 / 4;

/// Slots in ascending order, in runs of bounded length; no run is empty.
#[derive(Debug, Default)]
pub(super) struct Order {
    runs: Vec<Vec<u32>>,
}

impl Order {
    pub(super) fn from_sorted(slots: &[u32]) -> Self {
        Self { runs: slots.chunks(RUN_SLOTS_LOADED).map(<[u32]>::to_vec).collect() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.runs.iter().flatten().copied()
    }

    /// The slot that compares equal. `compare` says how a slot stands to the one sought.
    pub(super) fn find(&self, compare: impl Fn(u32) -> Ordering) -> Option<u32> {
        let (run, at) = self.position(compare).ok()?;
        Some(self.runs[run][at])
    }

    /// Inserts the slot where `compare` places it. No slot may compare equal.
    pub(super) fn insert(&mut self, slot: u32, compare: impl Fn(u32) -> Ordering) {
        let (Ok((run, at)) | Err((run, at))) = self.position(compare);
        match self.runs.get_mut(run) {
            Some(slots) => slots.insert(at, slot),
            None => self.runs.push(vec![slot]),
        }
        if self.runs[run].len() > RUN_SLOTS_MAX {
            let second = self.runs[run].split_off(RUN_SLOTS_MAX / 2);
            self.runs.insert(run + 1, second);
        }
    }

    /// Removes the slot that compares equal, if there is one.
    pub(super) fn remove(&mut self, compare: impl Fn(u32) -> Ordering) {
        let Ok((run, at)) = self.position(compare) else { return };
        self.runs[run].remove(at);
        // Joins neighbours that fit into half a run, so that runs do not become ever shorter.
        let next_len = self.runs.get(run + 1).map_or(0, Vec::len);
        if self.runs[run].len() + next_len <= RUN_SLOTS_MAX / 2 && next_len > 0 {
            let next = self.runs.remove(run + 1);
            self.runs[run].extend(next);
        } else if self.runs[run].is_empty() {
            self.runs.remove(run);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let slots: usize = self.runs.iter().map(Vec::capacity).sum();
        slots * size_of::<u32>() + self.runs.capacity() * size_of::<Vec<u32>>()
    }

    /// The run that holds the slot which compares equal, or where it would be inserted, and the
    /// place in it.
    fn position(
        &self,
        compare: impl Fn(u32) -> Ordering,
    ) -> Result<(usize, usize), (usize, usize)> {
        let starts_after = |slots: &Vec<u32>| compare(slots[0]) == Ordering::Greater;
        let run = self.runs.partition_point(|slots| !starts_after(slots)).saturating_sub(1);
        let Some(slots) = self.runs.get(run) else { return Err((run, 0)) };
        match slots.binary_search_by(|slot| compare(*slot)) {
            Ok(at) => Ok((run, at)),
            Err(at) => Err((run, at)),
        }
    }
}
