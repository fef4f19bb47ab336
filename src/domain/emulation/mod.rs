//! The stack of profiles as which a session acts (contract 4.11, 4.12).

mod commands;
mod decide;
mod events;
mod state;

pub use commands::{Command, Known};
pub use decide::{DEPTH_MAX, Refusal};
pub use events::Event;
pub use state::{Death, Emulation, Layer, Stack};
