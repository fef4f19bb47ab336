//! Reads the past: moments of a tenant's log, and profiles and catalogues as they were.

pub mod moment;
pub mod profile;
pub mod states;
