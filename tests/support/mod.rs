//! What tests share: a database for each, a server in the process, requests.

pub mod api;
pub mod claims;
pub mod crafter;
pub mod database;
pub mod filter_oracle;
pub mod given;
pub mod smtp;
