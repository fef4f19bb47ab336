//! Read models again from the log: made anew, or compared and mended.

pub mod check;
pub mod check_streams;
pub mod checks;
pub mod counters;
pub mod inserts;
pub mod page;
pub mod rebuild;
pub mod report;
