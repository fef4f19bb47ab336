//! The JSON of Profiles v5, type by type, under the contract's names. No rules, queries or statuses
//! are here.
//!
//! On input an absent field and `null` mean the same and unknown fields are ignored; on output an
//! optional field is written as `null`, never left out (contract 1). Ids are UUIDs here and strings
//! of that format in the OpenAPI document.

pub mod bounds;
pub mod bulk;
pub mod context;
pub mod docs;
pub mod draft;
pub mod emulation;
pub mod error;
pub mod export;
pub mod get;
pub mod headers;
pub mod resource;
pub mod search;
pub mod section;

/// Contracts 4.2 and 4.3: some lists are `null` when they are empty.
pub fn null_if_empty<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}
