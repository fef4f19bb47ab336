//! Exports: files of profiles, each made for one actor and removed after a day.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::Command;
pub use decide::Refusal;
pub use events::Event;
pub use state::{Export, HOURS_KEPT, State};
