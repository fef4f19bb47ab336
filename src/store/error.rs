//! Failures of the log, distinguished by what the caller does next.

use uuid::Uuid;

use super::types::StreamKey;

/// A failure of an append or a read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A stream is not at the version that the append relies on: read again, decide again.
    #[error("a stream has moved")]
    Conflict(StreamKey),
    /// Another holder has this claim.
    #[error("a claim is taken")]
    ClaimTaken(Uuid),
    /// The queue is full; nothing was accepted. Try again shortly.
    #[error("the append queue is full")]
    Overloaded,
    /// The append breaks a bound of the log; nothing was accepted.
    #[error("appending more than the log takes at once: {0}")]
    TooLarge(String),
    /// The database cannot be reached, or did not answer in time.
    #[error("reaching the log: {0}")]
    Unavailable(&'static str, #[source] Option<tokio_postgres::Error>),
    /// The log contains what it cannot contain, or refused what it must accept: an operator must
    /// act.
    #[error("{0}")]
    Corrupt(String, #[source] Option<tokio_postgres::Error>),
}

impl Error {
    /// The failure of a statement: an outage if the connection is lost or the server is stopping or
    /// lacks a resource; otherwise a defect.
    pub fn of_statement(doing: &'static str, error: tokio_postgres::Error) -> Error {
        let class = error.code().map(|code| code.code().get(..2).unwrap_or_default().to_owned());
        match class.as_deref() {
            // Connection exception, insufficient resources, operator intervention, lock or
            // statement timeout, system error; and no code at all: the connection broke.
            None | Some("08" | "53" | "55" | "57" | "58" | "40") => {
                Error::Unavailable(doing, Some(error))
            }
            Some(_) => Error::Corrupt(doing.to_owned(), Some(error)),
        }
    }
}

/// Names what was being done when a statement failed: `client.query(…).await.doing("reading
/// rows")?`.
pub trait Doing<T> {
    /// The same result; a failure names what was being done.
    ///
    /// # Errors
    /// As [`Error::of_statement`] tells them apart.
    fn doing(self, what: &'static str) -> Result<T, Error>;
}

impl<T> Doing<T> for Result<T, tokio_postgres::Error> {
    fn doing(self, what: &'static str) -> Result<T, Error> {
        self.map_err(|error| Error::of_statement(what, error))
    }
}

impl Error {
    /// The database's own error code, if it gave one.
    pub fn sql_state(&self) -> Option<&str> {
        match self {
            Error::Unavailable(_, Some(cause)) | Error::Corrupt(_, Some(cause)) => {
                cause.code().map(|code| code.code())
            }
            _ => None,
        }
    }
}

impl From<deadpool_postgres::PoolError> for Error {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => {
                Error::Unavailable("getting a connection", Some(error))
            }
            _ => Error::Unavailable("getting a connection", None),
        }
    }
}
