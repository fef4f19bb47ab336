//! Crafter's own files: a seed (one JSON object of arrays) and an exported database (a folder of
//! mongoexport files), read into typed records.
//!
//! Says what is in a file and where it is wrong. It never opens a database, never decides whether a
//! record may be taken in, and never shows a value in a message: only names and lines.

pub mod export;
pub mod extended;
mod fields;
pub mod problem;
pub mod read;
pub mod recognise;
pub mod records;
mod scan;
pub mod seed;
