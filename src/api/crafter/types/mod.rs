//! The JSON of the Crafter Profile face (contract 3): in answers exactly these fields, none ever
//! left out; in bodies any of them, and no other. Holds no rule.
//!
//! Bodies are read by [`crate::api::crafter::body`]: a field that is absent or null has its
//! default, but a permission's scope cannot be null, since a default there would grant more.

pub mod access_token;
pub mod fields;
pub mod profile;
pub mod session;
pub mod tenant;
