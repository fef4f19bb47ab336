//! Personal values, wrapped so that every place that holds one can be found, and later sealed.
//! `Debug` shows nothing, so that log lines cannot contain them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A personal value: a name, an e-mail address, an attribute.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal<T>(pub T);

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[personal]")
    }
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Personal(value)
    }
}
