//! Operational state: what the database stores beside the log, and what is no fact of its own.

pub mod attachments;
pub mod credentials;
pub mod files;
pub mod idempotent_answers;
pub mod outbox;
pub mod quota;
pub mod secrets;
pub mod tickets;
