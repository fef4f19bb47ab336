//! All tests, in one binary: rules (`decide`), folds (`projections`), HTTP (`api`), the log and
//! what surrounds it (`store`), stored events (`events`).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod api;
mod decide;
mod events;
mod projections;
mod store;
mod support;
mod tidy;
