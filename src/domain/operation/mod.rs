//! Records that belong to no aggregate. Each record is a stream of its own.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::Command;
pub use events::Event;
pub use state::Operation;
