//! For each label (a role or a department) the slots that carry it, and one set for slots without a
//! label.
//!
//! Inside the index a label is a number. Sets may become empty, their numbers stay: a tenant has
//! few.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem::size_of;

use roaring::RoaringBitmap;

/// The sets of slots by label.
#[derive(Debug)]
pub(super) struct Labels<Label> {
    labels: Vec<Label>,
    numbers: HashMap<Label, u32>,
    sets: Vec<RoaringBitmap>,
    none: RoaringBitmap,
}

impl<Label> Default for Labels<Label> {
    fn default() -> Self {
        Self {
            labels: Vec::new(),
            numbers: HashMap::new(),
            sets: Vec::new(),
            none: RoaringBitmap::new(),
        }
    }
}

impl<Label: Clone + Eq + Hash> Labels<Label> {
    /// The number of this label; a new one is given the next.
    pub(super) fn number(&mut self, label: &Label) -> u32 {
        if let Some(number) = self.numbers.get(label) {
            return *number;
        }
        let number = self.sets.len() as u32;
        self.labels.push(label.clone());
        self.numbers.insert(label.clone(), number);
        self.sets.push(RoaringBitmap::new());
        number
    }

    /// The numbers of these labels, each once.
    pub(super) fn numbers(&mut self, labels: &[Label]) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(labels.len());
        for label in labels {
            let number = self.number(label);
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        numbers
    }

    /// The label of a slot, found by asking every set: for a kind of which a slot carries at most
    /// one.
    pub(super) fn of(&self, slot: u32) -> Option<u32> {
        (0..).zip(&self.sets).find(|(_, set)| set.contains(slot)).map(|(number, _)| number)
    }

    /// Replaces the labels of a slot.
    pub(super) fn replace(&mut self, slot: u32, old: &[u32], new: &[u32]) {
        for number in old.iter().filter(|number| !new.contains(number)) {
            self.sets[*number as usize].remove(slot);
        }
        for number in new.iter().filter(|number| !old.contains(number)) {
            self.sets[*number as usize].insert(slot);
        }
        if new.is_empty() {
            self.none.insert(slot);
        } else {
            self.none.remove(slot);
        }
    }

    /// Removes the slot from all sets, also from the set of slots without a label.
    pub(super) fn clear(&mut self, slot: u32, old: &[u32]) {
        self.replace(slot, old, &[]);
        self.none.remove(slot);
    }

    pub(super) fn none(&self) -> &RoaringBitmap {
        &self.none
    }

    /// The slots that carry any of these labels.
    pub(super) fn union(&self, labels: &[Label]) -> RoaringBitmap {
        let mut union = RoaringBitmap::new();
        for number in labels.iter().filter_map(|label| self.numbers.get(label)) {
            union |= &self.sets[*number as usize];
        }
        union
    }

    /// Every label with its set, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Label, &RoaringBitmap)> + Clone {
        self.labels.iter().zip(&self.sets)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let entry = 2 * size_of::<Label>() + size_of::<u32>() + size_of::<RoaringBitmap>();
        let sets: usize = self.sets.iter().map(set_bytes).sum();
        self.labels.capacity() * entry + sets + set_bytes(&self.none)
    }
}

/// Bytes of a set on the heap.
pub(super) fn set_bytes(set: &RoaringBitmap) -> usize {
    /// Bytes of a container's head: its key, its kind, and where its values are.
    const CONTAINER_BYTES: usize = 40;
    const BITSET_BYTES: usize = 8192;
    let statistics = set.statistics();
    // The library counts arrays at four bytes a value and stores two.
    (statistics.n_bytes_array_containers / 2 + statistics.n_bytes_run_containers) as usize
        + statistics.n_bitset_containers as usize * BITSET_BYTES
        + statistics.n_containers as usize * CONTAINER_BYTES
}
