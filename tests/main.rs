//! All tests, in one binary: rules (`decide`), folds (`projections`), HTTP (`api`), the log and
//! what surrounds it (`store`), stored events (`events`), e-mails (`mail`), passwords and sealed
//! secrets (`secrets`), files of Crafter's (`crafter_file`), the list of bounds (`bounds`), style
//! (`tidy`).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod api;
mod bounds;
mod crafter_file;
mod decide;
mod events;
mod mail;
mod projections;
mod secrets;
mod store;
mod support;
mod tidy;
