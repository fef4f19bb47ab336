//! Dossier: an event-sourced profile directory. ARCHITECTURE.md tells how the parts fit.

pub mod api;
pub mod attachments;
pub mod bearer;
pub mod catalogue_file;
pub mod cli;
pub mod cluster;
pub mod crafter_file;
pub mod domain;
pub mod engine;
pub mod intake;
pub mod mail;
pub mod passwords;
#[path = "../projections/mod.rs"]
pub mod projections;
pub mod sealing;
pub mod store;
pub mod system;
