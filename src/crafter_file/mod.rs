//! Crafter's own files: a seed (one JSON object of arrays) and an exported database (a folder of
//! mongoexport files), read into typed records.
//!
//! Finds the records and the mistakes of a file. Whether a record may be taken in is decided
//! elsewhere. Messages show names and lines, never values.

pub mod export;
pub mod extended;
mod fields;
pub mod problem;
pub mod read;
pub mod recognise;
pub mod records;
mod scan;
pub mod seed;
