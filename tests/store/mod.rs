//! The log and what surrounds it: real PostgreSQL, real concurrency, real crashes.

mod append;
mod attachments;
mod attachments_collected;
mod attachments_in_a_bucket;
mod black_hole;
mod claims;
mod cluster;
mod commands;
mod crash;
mod decisions;
mod demo;
mod flights;
mod moving;
mod places;
mod races;
mod reading_back;
mod sweeping;
mod went_back;
