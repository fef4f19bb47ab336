//! Reads query parameters by name. All mistakes are told at once; an unknown parameter is a mistake
//! too (History contract 0.6).

use std::fmt::{self, Display};

use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use crate::api::people::failure::{Failure, InvalidField};
use crate::api::people::mistakes::MISTAKES_MAX;

/// Most values of one list.
const LIST_MAX: usize = 100;
/// Longest name of an event, an operation, a field or another thing, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// The parameters of a query. Each is taken once.
pub struct Query {
    given: Vec<(String, String)>,
    scope: Scope,
    mistakes: Vec<InvalidField>,
}

/// A digest of a path and of its filters: all parameters but `cursor` and `limit`, in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope([u8; 4]);

impl Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Query {
    /// The parameters of a path, names and values decoded.
    pub fn new(path: &str, given: Vec<(String, String)>) -> Query {
        let scope = scope(path, &given);
        Query { given, scope, mistakes: Vec::new() }
    }

    /// What cursors of this query belong to.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The value of a parameter that may be given once, converted by `read`.
    pub fn one<T, E: Display>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match Vec::as_slice(&self.take(name)) {
            [] => None,
            [value] => read(value).map_err(|why| self.mistake(name, &why)).ok(),
            _ => {
                self.mistake(name, &"is given more than once");
                None
            }
        }
    }

    /// The values of a parameter that may be given several times, each converted by `read`.
    pub fn list<T, E: Display>(
        &mut self,
        name: &str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Vec<T> {
        let values = self.take(name);
        if values.len() > LIST_MAX {
            self.mistake(name, &format!("is given more than {LIST_MAX} times"));
            return vec![];
        }
        let mut read_all = Vec::with_capacity(values.len());
        for value in values {
            match read(&value) {
                Ok(value) => read_all.push(value),
                Err(why) => self.mistake(name, &why),
            }
        }
        read_all
    }

    fn take(&mut self, name: &str) -> Vec<String> {
        let (own, others): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.given).into_iter().partition(|it| it.0 == name);
        self.given = others;
        own.into_iter().map(|(_, value)| value).collect()
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

fn scope(path: &str, given: &[(String, String)]) -> Scope {
    let paging = ["cursor", "limit"];
    let mut filters: Vec<_> =
        given.iter().filter(|(name, _)| !paging.contains(&name.as_str())).collect();
    filters.sort_unstable();
    let mut digest = Sha256::new_with_prefix(path);
    for (name, value) in filters {
        // Lengths, so that no two lists of filters give the same bytes.
        digest.update(name.len().to_be_bytes());
        digest.update(name);
        digest.update(value.len().to_be_bytes());
        digest.update(value);
    }
    let digest: [u8; 32] = digest.finalize().into();
    Scope([digest[0], digest[1], digest[2], digest[3]])
}

/// A name in a list of parameters, for the OpenAPI document.
#[derive(ToSchema)]
#[schema(max_length = 100)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct Name(String);

/// A name of something that events have.
///
/// # Errors
/// Says what is allowed.
pub fn name(text: &str) -> Result<String, String> {
    let fits = text.len() <= NAME_BYTES_MAX && !text.contains('\0');
    let why = || format!("at most {NAME_BYTES_MAX} bytes and no NUL character are allowed");
    fits.then(|| text.to_owned()).ok_or_else(why)
}
