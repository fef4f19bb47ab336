//! Reads query parameters by name. All mistakes are told at once; an unknown parameter is a mistake
//! too (contract 0.6).

use std::fmt::Display;

use crate::api::people::failure::{Failure, InvalidField};
use crate::api::people::mistakes::MISTAKES_MAX;

/// The parameters of a query. Each is taken once.
pub struct Query {
    given: Vec<(String, String)>,
    mistakes: Vec<InvalidField>,
}

impl Query {
    /// Decodes names and values.
    pub fn new(given: Vec<(String, String)>) -> Query {
        Query { given, mistakes: Vec::new() }
    }

    /// The value of a parameter that may be given once, converted by `read`.
    pub fn one<T, E: Display>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let (own, others) =
            std::mem::take(&mut self.given).into_iter().partition(|it| it.0 == name);
        self.given = others;
        match Vec::as_slice(&own) {
            [] => None,
            [(_, value)] => read(value).map_err(|why| self.mistake(name, &why)).ok(),
            _ => {
                self.mistake(name, &"is given more than once");
                None
            }
        }
    }

    /// Notes a mistake in this parameter.
    pub fn mistake(&mut self, name: &str, why: &dyn Display) {
        if self.mistakes.len() < MISTAKES_MAX {
            self.mistakes.push(InvalidField {
                location: vec!["query".into(), name.into()],
                message: why.to_string(),
                kind: "value_error",
            });
        }
    }

    /// Fails if there was a mistake, or if a parameter is left that was not taken.
    ///
    /// # Errors
    /// [`Failure::Invalid`] with every mistake.
    pub fn finish(mut self) -> Result<(), Failure> {
        let mut unknown: Vec<String> =
            std::mem::take(&mut self.given).into_iter().map(|(name, _)| name).collect();
        unknown.sort_unstable();
        unknown.dedup();
        for name in &unknown {
            self.mistake(name, &"is no parameter of this route");
        }
        match self.mistakes.is_empty() {
            true => Ok(()),
            false => Err(Failure::Invalid(self.mistakes)),
        }
    }
}
