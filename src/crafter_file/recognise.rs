//! Tells Crafter's files from the project's own by names and first bytes. Reads at most the first
//! record, and does not check the file.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde_json::Value;

use super::export::collection_of;
use super::scan::{RECORD_BYTES_MAX, Scanner};
use super::seed::looks_like_seed;

/// Bytes looked at to tell a seed.
const BEGINNING_BYTES: u64 = 4096;

/// The kind of Crafter file at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Read by [`super::seed::read`].
    Seed,
    /// Read by [`super::export::Export`].
    Export,
}

/// The kind of Crafter file at a path; None for anything else, and for what cannot be read.
pub fn recognise(path: &Path) -> Option<Kind> {
    if path.is_dir() {
        let mut names = std::fs::read_dir(path).ok()?.filter_map(Result::ok);
        let known = names.any(|entry| {
            entry.path().is_file() && collection_of(&entry.file_name().to_string_lossy()).is_some()
        });
        return known.then_some(Kind::Export);
    }
    if !path.is_file() {
        return None;
    }
    let mut beginning = Vec::new();
    File::open(path).ok()?.take(BEGINNING_BYTES).read_to_end(&mut beginning).ok()?;
    if looks_like_seed(&beginning) {
        return Some(Kind::Seed);
    }
    collection_of(&path.file_name()?.to_string_lossy())?;
    (!begins_with_a_person(path)).then_some(Kind::Export)
}

/// Whether the first record has the project's own import format, which requires `id` and `name` and
/// has no `_id`: a file of people may be named like a collection.
fn begins_with_a_person(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let mut scanner = Scanner::new(BufReader::new(file.take(RECORD_BYTES_MAX as u64)));
    let Ok(Some(piece)) = scanner.next() else { return false };
    let record = piece.text.ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    let Some(Value::Object(fields)) = record else { return false };
    let has = |name: &str| fields.contains_key(name);
    has("id") && has("name") && !has("_id")
}
