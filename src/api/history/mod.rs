//! The History API: what happened, when, by which real actor, acting as whom.

mod counts;
pub mod error;
mod events;
mod profile;
mod query;
pub mod types;

pub use counts::{__path_counts, counts};
pub use error::Problem;
pub use events::{__path_events, events};
pub use profile::{__path_profile_history, profile_history};
