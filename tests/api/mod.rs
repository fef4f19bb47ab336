//! HTTP over the real router: that each endpoint is wired to its rules, and what only HTTP shows.

mod bad_input;
mod bearer;
mod bulk;
mod crafter;
mod credentials;
mod directory_history;
mod drafts;
mod emulation;
mod event_filters;
mod exports;
mod files;
mod generated;
mod history;
mod http;
mod isolation;
mod issuers;
mod metrics;
mod moments;
mod names;
mod openapi;
mod readiness;
mod reading;
mod search;
mod uploads;
mod valid_time;
