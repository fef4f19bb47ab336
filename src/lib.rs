//! Dossier: an event-sourced profile directory. ARCHITECTURE.md tells how the parts fit.

pub mod api;
pub mod bearer;
pub mod catalogue_file;
pub mod cli;
pub mod cluster;
pub mod domain;
pub mod engine;
#[path = "../projections/mod.rs"]
pub mod projections;
pub mod store;
