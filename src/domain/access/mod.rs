//! What permits a program to call: API keys, each for its tenant, and access tokens, each with its
//! own permissions.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::Command;
pub use decide::Refusal;
pub use events::{AccessToken, Event};
pub use state::{Access, State};
