//! What tests share: a database for each, a server in the process, requests.

pub mod api;
pub mod database;
pub mod given;
