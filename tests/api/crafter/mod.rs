//! The Crafter Profile face: how it reads requests and writes answers.

mod body;
mod error;
mod parameters;
mod path;
mod selector;
mod types;
