//! A mistake in a file, or a field left out of it, and its line. Values of records are never shown:
//! they are personal or secret.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Most unknown field names that are reported; a file with more is hostile or of another kind.
pub const UNKNOWN_FIELDS_MAX: usize = 200;
/// Longest part of a name from a file that a message shows, in characters.
const NAME_CHARACTERS_MAX: usize = 64;

/// Where a record begins. Shown as `profile.json line 17`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The file's name, without its folder.
    pub file: Arc<str>,
    /// Counted from 1.
    pub number: usize,
}

/// One mistake. Shown as `profile.json line 17: "email" is not a string`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub line: Line,
    pub reason: String,
}

/// Fields of records that Dossier does not know: one entry for each name, however many records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnknownFields {
    found: BTreeMap<(Arc<str>, String), Seen>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    first_line: usize,
    records: u64,
}

impl Line {
    /// A mistake on this line.
    pub fn problem(&self, reason: impl Into<String>) -> Problem {
        Problem { line: self.clone(), reason: reason.into() }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} line {}", self.file, self.number)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.line, self.reason)
    }
}

impl UnknownFields {
    /// Counts the unknown fields of one record.
    pub(super) fn add(&mut self, line: &Line, names: impl IntoIterator<Item = String>) {
        for name in names {
            let full = self.found.len() >= UNKNOWN_FIELDS_MAX;
            let key = (line.file.clone(), name);
            match self.found.get_mut(&key) {
                Some(seen) => seen.records += 1,
                None if full => {}
                None => {
                    self.found.insert(key, Seen { first_line: line.number, records: 1 });
                }
            }
        }
    }

    /// A warning for each name, by file and name.
    pub fn warnings(&self) -> impl Iterator<Item = String> + '_ {
        self.found.iter().map(|((file, name), seen)| {
            let Seen { first_line, records } = *seen;
            let told = format!("{name} is not known, left out; records with it: {records}");
            format!("{file} line {first_line}: {told}")
        })
    }
}

/// A name from a file as messages show it: quoted, escaped, shortened.
pub(super) fn quoted(name: &str) -> String {
    let cut: String = name.chars().take(NAME_CHARACTERS_MAX).collect();
    format!("{cut:?}")
}
