//! The only way to change anything: a decision reads, orders and claims; the log appends.

pub mod access_tokens;
pub mod decision;
pub mod execute;
pub mod halt;
pub mod holders;
pub mod mint;
