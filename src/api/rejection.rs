//! Why a request fails whichever API it is for: the HTTP is invalid, the server is busy, or the log
//! cannot be read or written. Each API turns these into its own failures.

use crate::engine::Error;

/// Why a request fails, whichever API it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    RouteNotFound,
    MethodNotAllowed,
    /// Its body has an unknown content coding.
    UnsupportedCoding,
    BodyTooLarge,
    /// It ended early, or is not HTTP.
    BodyBroken,
    BodyTimeout,
    /// HTTP/1.1 without `Host`, or with two (RFC 9112 3.2).
    HostUnclear,
    /// Other requests kept changing the same streams.
    Conflict,
    /// Its changes do not fit into one append.
    TooMuchAtOnce,
    /// Too many requests are waiting; nothing was accepted.
    Overloaded,
    /// The log cannot be reached, or not in time.
    Unavailable,
    /// A defect of the server.
    Internal,
}

impl From<Error> for Rejection {
    /// What callers are told of a failure of the log. The details are in the server's log.
    fn from(error: Error) -> Self {
        match &error {
            Error::Conflict(_) | Error::ClaimTaken(_) => Rejection::Conflict,
            Error::Overloaded => Rejection::Overloaded,
            Error::TooLarge(_) => Rejection::TooMuchAtOnce,
            Error::Unavailable(..) => {
                tracing::warn!(error = %chain(&error), "an outage: {}", chain(&error));
                Rejection::Unavailable
            }
            Error::Corrupt(..) => {
                tracing::error!(error = %chain(&error), "a defect: {}", chain(&error));
                Rejection::Internal
            }
        }
    }
}

/// An error and its causes, without the database's detail texts, which may contain personal values.
fn chain(error: &Error) -> String {
    match error {
        Error::Unavailable(_, Some(cause)) | Error::Corrupt(_, Some(cause)) => {
            match cause.as_db_error() {
                Some(cause) => format!("{error}: {} ({})", cause.message(), cause.code().code()),
                None => format!("{error}: {cause}"),
            }
        }
        _ => error.to_string(),
    }
}
