//! What the database keeps beside the log: nothing of it says what became true.

pub mod answers;
pub mod attachments;
pub mod credentials;
pub mod files;
pub mod outbox;
pub mod quota;
pub mod secrets;
pub mod tickets;
