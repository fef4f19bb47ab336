//! Why a request fails whichever face it came to: it is no good HTTP, too much is going on, or the
//! log cannot be read or written. Each face turns these into its own failures.

use crate::engine::Error;

/// Why a request fails, whichever face it came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    RouteNotFound,
    MethodNotAllowed,
    /// Its body is packed in a way that nobody here unpacks.
    UnsupportedCoding,
    BodyTooLarge,
    /// It stopped amid, or is no HTTP.
    BodyBroken,
    BodyTimeout,
    /// HTTP/1.1 without `Host`, or with two (RFC 9112 3.2).
    HostUnclear,
    /// Others kept changing the same streams.
    Conflict,
    /// All that it would change does not fit into one append.
    TooMuchAtOnce,
    /// Too much is waiting; nothing was accepted.
    Overloaded,
    /// The log cannot be reached, or not in time.
    Unavailable,
    /// A defect.
    Internal,
}

impl From<Error> for Rejection {
    /// What outsiders are told of a failure of the log; the operator finds the rest in the
    /// server's own log.
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

/// An error and its causes, without the database's detail texts, which may hold values.
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
