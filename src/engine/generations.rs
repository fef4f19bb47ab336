//! A bounded map that forgets entries that were not used recently. It has two generations; when the
//! young one is full, by number or by weight, the old one is dropped. Constant time, no list to
//! keep in order.

use std::collections::HashMap;
use std::hash::Hash;

/// The bounds of a map.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// Most entries.
    pub entries_max: usize,
    /// Most weight of all entries together, in bytes. A heavier entry is held until the next one
    /// comes.
    pub weight_max: usize,
}

/// The map.
pub struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    /// The weight of the young generation.
    weight: usize,
    /// The bounds of one generation.
    bounds: Bounds,
    weigh: fn(&V) -> usize,
}

impl<K: Hash + Eq + Clone, V> Generations<K, V> {
    /// A map with these bounds. Once it is full it holds at least half of them.
    pub fn new(bounds: Bounds, weigh: fn(&V) -> usize) -> Self {
        let entries_max = (bounds.entries_max / 2).max(1);
        let bounds = Bounds { entries_max, weight_max: bounds.weight_max / 2 };
        Generations { young: HashMap::new(), old: HashMap::new(), weight: 0, bounds, weigh }
    }

    /// The value. Reading it counts as use.
    pub fn get(&mut self, key: &K) -> Option<&V> {
        if !self.young.contains_key(key) {
            let value = self.old.remove(key)?;
            self.insert(key.clone(), value);
        }
        self.young.get(key)
    }

    /// Changes the value in place, which counts as use.
    pub fn change(&mut self, key: &K, change: impl FnOnce(&mut V)) {
        self.get(key);
        if let Some(value) = self.young.get_mut(key) {
            self.weight -= (self.weigh)(value);
            change(value);
            self.weight += (self.weigh)(value);
        }
        if self.weight > self.bounds.weight_max {
            self.turn();
        }
    }

    /// The young generation becomes the old one, which is dropped.
    fn turn(&mut self) {
        self.old = std::mem::take(&mut self.young);
        self.weight = 0;
    }

    /// Puts a value in place of the one before.
    pub fn insert(&mut self, key: K, value: V) {
        self.remove(&key);
        let weight = (self.weigh)(&value);
        let full = self.young.len() >= self.bounds.entries_max
            || self.weight.saturating_add(weight) > self.bounds.weight_max;
        if full && !self.young.is_empty() {
            self.turn();
        }
        self.weight += weight;
        self.young.insert(key, value);
    }

    /// Forgets a value, and returns it.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let value = self.young.remove(key);
        self.weight -= value.as_ref().map_or(0, self.weigh);
        value.or_else(|| self.old.remove(key))
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
        self.weight = 0;
    }

    /// How many values are held.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generations(entries_max: usize, weight_max: usize) -> Generations<u32, usize> {
        Generations::new(Bounds { entries_max, weight_max }, |weight| *weight)
    }

    #[test]
    fn at_most_so_many_are_held_and_those_in_use_stay() {
        let mut held = generations(10, usize::MAX);
        for key in 0..100 {
            held.insert(key, 1);
            assert_eq!(held.get(&0), Some(&1));
            assert!(held.len() <= 10, "{}", held.len());
        }
        assert_eq!(held.get(&50), None);
    }

    #[test]
    fn at_most_so_much_is_held_whatever_was_changed_replaced_or_removed() {
        let mut held = generations(1_000, 100);
        for key in 0..1_000 {
            held.insert(key % 7, 9);
            held.change(&(key % 5), |weight| *weight = 15);
            held.remove(&(key % 3));
            held.insert(key, 20);
            let all = held.young.values().chain(held.old.values()).sum::<usize>();
            // A value may grow in place by less than one.
            assert!(all <= 100 + 2 * 15, "{all}");
            assert_eq!(held.weight, held.young.values().sum::<usize>());
        }
        held.insert(0, 5_000);
        assert_eq!(held.get(&0), Some(&5_000), "one that is too heavy is held all the same");
    }

    #[test]
    fn values_that_only_grow_where_they_are_are_bounded_too() {
        let mut held = generations(1_000, 100);
        for key in 0..100 {
            held.insert(key, 0);
        }
        for key in 0..100 {
            held.change(&key, |weight| *weight = 10);
            let all = held.young.values().chain(held.old.values()).sum::<usize>();
            assert!(all <= 100 + 2 * 10, "{all}");
        }
    }
}
