//! How read models and cached states follow the log.

pub mod connection;
pub mod counters;
pub mod flight;
pub mod folder;
pub mod follow;
pub mod lane;
pub mod project;
pub mod search;
pub mod setup;
pub mod standing;
pub mod transitions;
