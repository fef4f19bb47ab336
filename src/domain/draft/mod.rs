//! Drafts of a profile's form, kept until they are published by hand or closed by time.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::Command;
pub use decide::Refusal;
pub use events::{Event, Form};
pub use state::{Draft, State};
