//! Replays read models from the log: makes them again, or compares and repairs them.

pub mod check;
pub mod check_streams;
pub mod check_transitions;
pub mod checks;
pub mod counters;
pub mod inserts;
pub mod page;
pub mod rebuild;
pub mod report;
