//! Replays read models from the log: makes them again, or compares and repairs them.

pub mod compare_counters;
pub mod compare_inserts;
pub mod compare_rows;
pub mod compare_streams;
pub mod compare_transitions;
pub mod comparisons;
pub mod page;
pub mod report;
pub mod run;
