//! The log and what surrounds it: real PostgreSQL, real concurrency, real crashes.

mod append;
mod cluster;
mod crash;
mod moving;
mod races;
