//! Bounds that every request meets before its handler runs, whichever API it is for.

use std::time::Duration;

/// Largest body, in bytes. Files have bounds of their own.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest time to receive a body.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// Longest time to answer a request.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// Longest time to answer a request that brings a file.
pub const UPLOAD_TIME_MAX: Duration = Duration::from_secs(120);

/// Requests in work at once; one more is answered 503.
pub const REQUESTS_MAX: usize = 1_024;

/// Size from which on a body counts as large, in bytes.
pub const LARGE_BYTES: u64 = 64 << 10;
/// Requests with large bodies in work at once. Once parsed, a body takes several times as much
/// memory, and so do its events.
pub const LARGE_REQUESTS_MAX: usize = 64;
/// Longest time that a request with a large body waits for its turn.
pub const LARGE_WAIT_MAX: Duration = Duration::from_secs(2);
/// Large bodies in memory at once, from all callers together.
pub const LARGE_BODIES_MAX: usize = 512;
