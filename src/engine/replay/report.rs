//! The result of a replay.

use std::collections::BTreeMap;

/// The result of a replay.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Rows that differed, by read model.
    pub differing: BTreeMap<&'static str, i64>,
    pub events: u64,
}

impl Report {
    /// In the form of the event that records it.
    pub fn rows_differing(&self) -> BTreeMap<String, i64> {
        self.differing.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect()
    }

    /// Whether a row differed.
    pub fn is_clean(&self) -> bool {
        self.differing.values().all(|rows| *rows == 0)
    }

    /// Adds rows that differed.
    pub fn add(&mut self, name: &'static str, rows: i64) {
        *self.differing.entry(name).or_default() += rows;
    }
}
