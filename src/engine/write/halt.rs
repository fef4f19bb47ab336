//! How a decision ends without an answer: refused by the rules, or because of a failure of the log.

use crate::store::Error;

/// Why a decision has no answer.
#[derive(Debug)]
pub enum Halt<R> {
    /// The reason against it.
    Refused(R),
    /// The log could not be read or written.
    Failed(Error),
}

impl<R> From<Error> for Halt<R> {
    fn from(error: Error) -> Self {
        Halt::Failed(error)
    }
}

/// The result of an order, for callers that turn refusals into another form.
pub trait Ordered<T, R> {
    /// The refusal in the form of this decision's caller.
    ///
    /// # Errors
    /// The same halt with the new refusal.
    fn or_refuse<S>(self, tell: impl FnOnce(R) -> S) -> Result<T, Halt<S>>;

    /// The refusal as part of the answer.
    ///
    /// # Errors
    /// The failure.
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
