//! Bounds that a request of any face meets before its handler does.

use std::time::Duration;

/// Largest body, in bytes; files have bounds of their own.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest wait for a body.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// Longest work on a request.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// Longest work on a request that brings a file.
pub const UPLOAD_TIME_MAX: Duration = Duration::from_secs(120);

/// Requests worked on at once; one more is answered 503.
pub const REQUESTS_MAX: usize = 1_024;

/// Size from which on a body counts as large, in bytes.
pub const LARGE_BYTES: u64 = 64 << 10;
/// Requests with large bodies worked on at once. Read into values, a body takes several times as
/// much memory, and so do the events that come of it.
pub const LARGE_REQUESTS_MAX: usize = 64;
/// Longest wait of a request with a large body until it is worked on.
pub const LARGE_WAIT_MAX: Duration = Duration::from_secs(2);
/// Large bodies in memory at once, whoever sends them.
pub const LARGE_BODIES_MAX: usize = 512;
