//! Sessions: one per real actor and token session, at most 24 hours long.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::Command;
pub use decide::{Refusal, decide};
pub use events::Event;
pub use state::{HOURS_MAX, Session, State};
