//! Profiles v5: the fourteen endpoints of the contract and the download of exports.

pub mod context;
pub mod create;
pub mod delete;
pub mod docs;
pub mod docs_content;
pub mod download;
pub mod draft;
pub mod drafts;
pub mod duplicate;
pub mod emulate;
mod error;
pub mod export;
pub mod form;
pub mod get;
pub mod pick;
pub mod refresh;
pub mod search;
pub mod tagged;
pub mod types;
pub mod unemulate;
pub mod update;

/// Most items in one bulk request (contract 1.1).
pub const ITEMS_MAX: usize = 100;
/// Most ids in one list of an item of a bulk request.
pub const IDS_MAX: usize = 100;
