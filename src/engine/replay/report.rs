//! What a replay found.

use std::collections::BTreeMap;

/// What a replay found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Rows that differed, by read model.
    pub differing: BTreeMap<&'static str, i64>,
    pub events: u64,
}

impl Report {
    /// For the record.
    pub fn rows_differing(&self) -> BTreeMap<String, i64> {
        self.differing.iter().map(|(name, rows)| ((*name).to_owned(), *rows)).collect()
    }

    /// Whether anything differed.
    pub fn is_clean(&self) -> bool {
        self.differing.values().all(|rows| *rows == 0)
    }

    /// Adds rows that differed.
    pub fn add(&mut self, name: &'static str, rows: i64) {
        *self.differing.entry(name).or_default() += rows;
    }
}
