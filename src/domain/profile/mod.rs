//! A profile: a person's account in one tenant.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::Command;
pub use decide::{Refusal, decide};
pub use events::Attributes;
pub use events::Event;
pub use state::{Facts, Profile, State};
