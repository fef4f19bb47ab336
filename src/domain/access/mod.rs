//! API keys: what entitles a program to speak to a tenant at all.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::Command;
pub use decide::{Refusal, decide};
pub use events::Event;
pub use state::{Access, State};
