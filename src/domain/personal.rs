//! What says something about a person, wrapped from the first day so that it can be found, and
//! later sealed, wherever it is held. Its `Debug` shows nothing, so that no log line leaks it.

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
