//! A tenant and its catalogue: roles, departments, settings and the issuers that it trusts.

mod commands;
mod decide;
mod events;
mod state;

pub use commands::{ApplicationCommand, Command};
pub use decide::Refusal;
pub use events::{AttributeDefinition, Event};
pub use state::{Catalogue, Department, Issuer, Role, Setting, Tenant};
