//! The Crafter Profile face: its clients talk to this directory unchanged. Parses, checks what the
//! access token may, calls the engine, formats; rules and SQL are elsewhere.

pub mod access_token;
pub mod answer;
pub mod authentication;
pub mod body;
pub mod call;
pub mod content;
pub mod documented;
pub mod entitled;
pub mod error;
pub mod find;
pub mod monitoring;
pub mod parameters;
pub mod path;
pub mod profile;
pub mod selector;
pub mod services;
pub mod shown;
pub mod tenant;
pub mod types;
pub mod upload;
pub mod write;
