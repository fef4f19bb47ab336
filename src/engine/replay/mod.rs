//! Read models again from the log: made anew, or compared and mended.

pub mod check;
pub mod check_streams;
pub mod inserts;
pub mod rebuild;
