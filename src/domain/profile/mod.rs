//! A profile: a person's account in one tenant.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::{Command, LockPolicy};
pub use decide::{By, Refusal};
pub use events::{Attachment, Attributes, Event, Registration};
pub use state::{Facts, Profile, State, substitute_name};
