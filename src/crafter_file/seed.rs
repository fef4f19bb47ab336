//! A seed file: one JSON object with any of the lists `accesstoken`, `tenant` and `profile`, with
//! which Crafter fills an empty database (contract 4.4, 5). All mistakes are reported at once,
//! since a seed with a mistake changes nothing.

use std::io::Read;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::problem::{Line, Problem, UnknownFields};
use super::read::{Entry, entry, syntax};
use super::records::{Collection, Source};

/// Largest seed file of Crafter Profile, in bytes. More than that is a database: export it.
pub const SEED_BYTES_MAX: u64 = 64 << 20;

/// The records of a seed: tenants first, then access tokens, then profiles, each in the order of
/// the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seed {
    pub entries: Vec<Entry>,
    pub unknown: UnknownFields,
}

/// Lists stay text at first, so that each record has a line and no message shows a value.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists<'a> {
    #[serde(borrow, default)]
    accesstoken: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tenant: Option<&'a RawValue>,
    #[serde(borrow, default)]
    profile: Option<&'a RawValue>,
}

/// The text, and where its lines begin.
struct Text<'a> {
    file: &'a str,
    text: &'a str,
    line_starts: Vec<usize>,
}

/// Reads a seed; `file` is its name in messages.
///
/// # Errors
/// Every mistake, by line.
pub fn parse(file: &str, text: &str) -> Result<Seed, Vec<Problem>> {
    let after_breaks = text.match_indices('\n').map(|(offset, _)| offset + 1);
    let line_starts = std::iter::once(0).chain(after_breaks).collect();
    let text = Text { file, text, line_starts };
    let lists = text.lists().map_err(|problem| vec![problem])?;
    let mut seed = Seed::default();
    let mut problems = Vec::new();
    for collection in Collection::ALL {
        let list = match collection {
            Collection::AccessToken => lists.accesstoken,
            Collection::Tenant => lists.tenant,
            Collection::Profile => lists.profile,
        };
        let Some(list) = list else { continue };
        let Ok(records) = serde_json::from_str::<Vec<&RawValue>>(list.get()) else {
            let reason = format!("\"{}\" is not a list", collection.name());
            problems.push(text.line_of(list).problem(reason));
            continue;
        };
        for record in records {
            let (line, bytes) = (text.line_of(record), record.get().as_bytes());
            match entry(collection, Source::Seed, line, bytes, &mut seed.unknown) {
                Ok(entry) => seed.entries.push(entry),
                Err(problem) => problems.push(problem),
            }
        }
    }
    if problems.is_empty() {
        return Ok(seed);
    }
    problems.sort_by_key(|problem| problem.line.number);
    Err(problems)
}

/// Reads a seed from a source of at most [`SEED_BYTES_MAX`].
///
/// # Errors
/// Every mistake, by line; or that the source cannot be read.
pub fn read(file: &str, source: impl Read) -> Result<Seed, Vec<Problem>> {
    let whole = |reason: String| vec![Line { file: file.into(), number: 1 }.problem(reason)];
    let mut bytes = Vec::new();
    match source.take(SEED_BYTES_MAX + 1).read_to_end(&mut bytes) {
        Err(error) => return Err(whole(format!("reading stopped here: {error}"))),
        Ok(read) if read as u64 > SEED_BYTES_MAX => {
            let most = SEED_BYTES_MAX >> 20;
            return Err(whole(format!("a seed has at most {most} MiB: use an export")));
        }
        Ok(_) => {}
    }
    let text = String::from_utf8(bytes).map_err(|_| whole("not UTF-8".to_owned()))?;
    parse(file, &text)
}

/// Whether a text begins like a seed: an object whose first field is one of the three lists. The
/// first few hundred bytes suffice. TOML catalogues and lines of people never begin so.
pub fn looks_like_seed(beginning: &[u8]) -> bool {
    let rest = beginning.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(beginning).trim_ascii_start();
    let Some(rest) = rest.strip_prefix(b"{") else { return false };
    let Some(rest) = rest.trim_ascii_start().strip_prefix(b"\"") else { return false };
    Collection::ALL.iter().any(|collection| {
        let after = rest.strip_prefix(collection.name().as_bytes());
        let after = after.and_then(|rest| rest.strip_prefix(b"\""));
        let value = after.and_then(|rest| rest.trim_ascii_start().strip_prefix(b":"));
        value.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"["))
    })
}

impl<'a> Text<'a> {
    fn lists(&self) -> Result<Lists<'a>, Problem> {
        let json = self.text.strip_prefix('\u{FEFF}').unwrap_or(self.text);
        if !json.trim_start().starts_with('{') {
            return Err(self.line(1).problem("a seed is one JSON object"));
        }
        serde_json::from_str(json).map_err(|error| syntax(&self.line(1), &error))
    }

    /// The line on which a part of the text begins.
    fn line_of(&self, part: &RawValue) -> Line {
        // A borrowed part lies inside the text: the distance is its offset.
        let offset = part.get().as_ptr().addr() - self.text.as_ptr().addr();
        self.line(self.line_starts.partition_point(|start| *start <= offset))
    }

    fn line(&self, number: usize) -> Line {
        Line { file: self.file.into(), number }
    }
}
