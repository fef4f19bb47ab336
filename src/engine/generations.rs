//! A bounded map that forgets what was not used lately: two generations, the old one dropped when
//! the young one is full. Constant time, no list to keep in order.

use std::collections::HashMap;
use std::hash::Hash;

/// The map.
pub struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    generation_max: usize,
}

impl<K: Hash + Eq, V> Generations<K, V> {
    /// Holds at most `entries_max`, and at least half of that once it is full.
    pub fn new(entries_max: usize) -> Self {
        let generation_max = (entries_max / 2).max(1);
        Generations { young: HashMap::new(), old: HashMap::new(), generation_max }
    }

    /// The value, which counts as used now.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V>
    where
        K: Clone,
    {
        if !self.young.contains_key(key) {
            let value = self.old.remove(key)?;
            self.insert(key.clone(), value);
        }
        self.young.get_mut(key)
    }

    /// Puts a value in place of the one before.
    pub fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.generation_max && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    /// Forgets a value.
    pub fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}
