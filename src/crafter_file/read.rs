//! One file of an exported collection, record by record in constant memory. A bad record is
//! reported and the rest goes on. Records are not compared with each other.

use std::io::BufRead;
use std::sync::Arc;

use serde_json::Value;

use super::extended::typed;
use super::problem::{Line, Problem, UnknownFields};
use super::records::{Collection, Record, Source, record};
use super::scan::Scanner;

/// A record and its place, so that mistakes that only the database shows have a line too.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub line: Line,
    pub record: Record,
}

/// The records of one file. A failure to read is an item like a mistake; it is the last.
pub struct Reading<R> {
    collection: Collection,
    file: Arc<str>,
    scanner: Scanner<R>,
    unknown: UnknownFields,
    failed: bool,
}

impl<R: BufRead> Reading<R> {
    /// Records of a collection; `file` is the name of their source in messages.
    pub fn new(collection: Collection, file: &str, source: R) -> Self {
        Reading {
            collection,
            file: file.into(),
            scanner: Scanner::new(source),
            unknown: UnknownFields::default(),
            failed: false,
        }
    }

    /// Bytes read so far, for a progress bar.
    pub fn bytes_read(&self) -> u64 {
        self.scanner.bytes_read()
    }

    /// Fields left out so far.
    pub fn unknown_fields(&self) -> &UnknownFields {
        &self.unknown
    }

    /// Whether the source could not be read to its end.
    pub fn failed(&self) -> bool {
        self.failed
    }

    fn at(&self, number: usize) -> Line {
        Line { file: self.file.clone(), number }
    }
}

impl<R: BufRead> Iterator for Reading<R> {
    type Item = Result<Entry, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let piece = match self.scanner.next() {
            Ok(piece) => piece?,
            Err(error) => {
                self.failed = true;
                let line = self.at(self.scanner.line());
                return Some(Err(line.problem(format!("reading stopped here: {error}"))));
            }
        };
        let line = self.at(piece.line);
        let text = match piece.text {
            Ok(text) => text,
            Err(reason) => return Some(Err(line.problem(reason))),
        };
        Some(entry(self.collection, Source::Export, line, &text, &mut self.unknown))
    }
}

/// Reads the text of one record.
pub(super) fn entry(
    collection: Collection,
    source: Source,
    line: Line,
    text: &[u8],
    unknown: &mut UnknownFields,
) -> Result<Entry, Problem> {
    let value: Value = serde_json::from_slice(text).map_err(|error| syntax(&line, &error))?;
    let value = typed(value).map_err(|error| line.problem(error.to_string()))?;
    let mut names = Vec::new();
    let record =
        record(collection, source, value, &mut names).map_err(|reason| line.problem(reason))?;
    names.sort();
    names.dedup();
    unknown.add(&line, names);
    Ok(Entry { line, record })
}

/// A mistake of JSON itself, on its own line; `from` is where the text begins.
pub(super) fn syntax(from: &Line, error: &serde_json::Error) -> Problem {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let reason = text.strip_suffix(&place).unwrap_or(&text);
    let number = from.number + error.line().saturating_sub(1);
    Line { file: from.file.clone(), number }.problem(reason)
}
