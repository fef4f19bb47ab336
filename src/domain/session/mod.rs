//! What a log-in starts and time ends: sessions (one for each real actor and token session), and
//! applications' tickets, persistent logins and verifications.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::Command;
pub use decide::Refusal;
pub use events::Event;
pub use state::{HOURS_MAX, Session, State};
