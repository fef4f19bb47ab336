//! The Crafter Profile face: how it reads requests and writes answers, and what its calls do.

mod access_tokens;
mod attachments;
mod attributes;
mod body;
mod error;
mod faces;
mod ids;
mod intake;
mod lists;
mod log_ins;
mod monitoring;
mod order_of_checks;
mod parameters;
mod path;
mod permissions;
mod persistent_logins;
mod profiles;
mod races;
mod reactions;
mod selector;
mod tenants;
mod tickets;
mod types;
mod uploading;
mod verification;
