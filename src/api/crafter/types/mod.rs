//! The JSON of the Crafter Profile API (contract 3). Answers have exactly these fields, none left
//! out. Bodies may have any of them and no other. No rules are here.
//!
//! Bodies are read by [`crate::api::crafter::body`]. An absent or null field has its default; only
//! the scope of a permission must not be null, since a default there would grant more.

pub mod access_token;
pub mod fields;
pub mod profile;
pub mod session;
pub mod tenant;
