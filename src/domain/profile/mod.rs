//! A profile: a person's account in one tenant.

mod changes;
mod commands;
mod decide;
mod events;
mod past;
mod state;

pub use changes::{Change, changes};
pub use commands::{Command, LockPolicy};
pub use decide::{By, Refusal};
pub use events::{Attachment, Attributes, Event, Registration};
pub use past::{Past, Step};
pub use state::{Facts, Profile, State, substitute_name};
