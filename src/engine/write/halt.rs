//! How a decision ends without an answer: by a refusal of the rules, or by a failure of the log.

use crate::store::Error;

/// Why a decision came to no answer.
#[derive(Debug)]
pub enum Halt<R> {
    /// The fact in the way.
    Refused(R),
    /// The log could not be read or written.
    Failed(Error),
}

impl<R> From<Error> for Halt<R> {
    fn from(error: Error) -> Self {
        Halt::Failed(error)
    }
}

/// What became of an order, for whoever answers a refusal in another form.
pub trait Ordered<T, R> {
    /// A refusal as the caller of this decision is told it.
    ///
    /// # Errors
    /// The same halt, its refusal told anew.
    fn or_refuse<S>(self, tell: impl FnOnce(R) -> S) -> Result<T, Halt<S>>;

    /// A refusal as an answer like any other.
    ///
    /// # Errors
    /// What failed.
    fn decided(self) -> Result<Result<T, R>, Error>;
}

impl<T, R> Ordered<T, R> for Result<T, Halt<R>> {
    fn or_refuse<S>(self, tell: impl FnOnce(R) -> S) -> Result<T, Halt<S>> {
        self.map_err(|halt| match halt {
            Halt::Refused(refusal) => Halt::Refused(tell(refusal)),
            Halt::Failed(error) => Halt::Failed(error),
        })
    }

    fn decided(self) -> Result<Result<T, R>, Error> {
        match self {
            Ok(value) => Ok(Ok(value)),
            Err(Halt::Refused(refusal)) => Ok(Err(refusal)),
            Err(Halt::Failed(error)) => Err(error),
        }
    }
}
