//! Dossier: an event-sourced profile directory. ARCHITECTURE.md tells how the parts fit.

pub mod catalogue_file;
pub mod domain;
#[path = "../projections/mod.rs"]
pub mod projections;
pub mod engine;
pub mod store;
