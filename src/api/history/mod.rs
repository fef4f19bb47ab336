//! The History API: what happened, when, by whom really, acting as whom.

mod counts;
mod diff;
mod entry;
pub mod error;
mod events;
mod facts;
mod filter;
mod holders;
mod moment;
mod page;
mod periods;
mod profile;
mod profile_history;
mod query;
mod visible;

pub use counts::{__path_counts, counts};
pub use diff::{__path_diff, diff};
pub use error::Problem;
pub use events::{__path_count, __path_event, __path_events, count, event, events};
pub use holders::{__path_profiles, profiles};
pub use periods::{__path_holdings, holdings};
pub use profile::{__path_profile, profile};
pub use profile_history::{__path_profile_history, profile_history};
