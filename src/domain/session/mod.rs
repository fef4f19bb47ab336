//! What begins with somebody showing who they are and ends by itself: sessions (one per real actor
//! and token session), and applications' tickets, remembered log-ins and verifications.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::Command;
pub use decide::Refusal;
pub use events::Event;
pub use state::{HOURS_MAX, Session, State};
