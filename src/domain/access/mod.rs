//! What entitles a program to speak at all: API keys, each to its tenant, and access tokens, each
//! with its own permissions.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::Command;
pub use decide::Refusal;
pub use events::{AccessToken, Event};
pub use state::{Access, State};
