//! The Crafter Profile API: its clients talk to this directory unchanged. Handlers parse, check
//! what the access token permits, call the engine and format. Rules and SQL are elsewhere.

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
