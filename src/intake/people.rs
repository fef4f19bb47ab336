//! People from NDJSON, one on each line.

use std::collections::HashMap;

use anyhow::Context;
use futures_util::{StreamExt, stream};
use indicatif::ProgressBar;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, BufReader};
use uuid::Uuid;

use crate::domain::claims::Claim;
use crate::engine::Engine;
use crate::engine::write::halt::Halt;

use super::person::{Person, Taken, take_in};
use super::tenant_named;

/// Lines in work at once, so that they share commits.
const LINES_AT_ONCE: usize = 64;
/// Longest line of a file of people, in bytes.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Some programs begin a text with the UTF-8 byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The numbers of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub profiles: usize,
    pub events: usize,
    pub before: usize,
    pub bad: usize,
}

/// Imports people into a tenant; `path` is the name of their source in messages.
///
/// # Errors
/// The file cannot be read, the tenant does not exist, the log cannot be written.
pub async fn import(
    engine: &Engine,
    tenant: &str,
    path: &str,
    file: impl AsyncRead + Unpin,
    bar: ProgressBar,
) -> anyhow::Result<Summary> {
    let id = tenant_named(engine, tenant).await?;
    let ids = engine.secrets.value_ids(id).await?;
    let reading = || format!("reading {path}");
    let mut file = BufReader::new(file);
    bar.inc(skip_mark(&mut file, path).await? as u64);
    let lines = file.split(b'\n');
    let lines = stream::unfold((lines, 0_usize), |(mut lines, number)| async move {
        let line = lines.next_segment().await.transpose()?;
        Some(((number + 1, line), (lines, number + 1)))
    });
    // Lines of an earlier run must be told from lines that are repeated in this file.
    let mut first_lines: HashMap<Uuid, usize> = HashMap::new();
    let taken = lines
        .map(|(number, line)| {
            let read = line.map(|line| {
                bar.inc(line.len() as u64 + 1);
                let person = person(&line)?;
                let key = person.as_ref().map(|person| Claim::import_line(id, &person.id).key);
                match key.and_then(|key| first_lines.insert(key, number)) {
                    Some(first) => Err(format!("line {first} has the same id")),
                    None => Ok(person),
                }
            });
            let ids = &ids;
            async move {
                let taken = match read? {
                    Ok(None) => return Ok((number, None)),
                    Ok(Some(person)) => take_in(engine, id, ids, &person, "import").await,
                    Err(reason) => return Ok((number, Some(Err(reason)))),
                };
                match taken {
                    Err(Halt::Refused(unfit)) => Ok((number, Some(Err(unfit.to_string())))),
                    Err(Halt::Failed(error)) => Err(anyhow::Error::from(error)),
                    Ok(taken) => Ok((number, Some(Ok(taken)))),
                }
            }
        })
        .buffered(LINES_AT_ONCE);
    let mut summary = Summary::default();
    let mut taken = std::pin::pin!(taken);
    while let Some(line) = taken.next().await {
        match line.with_context(reading)? {
            (_, None) => {}
            (_, Some(Ok(Taken::Before(_)))) => summary.before += 1,
            (_, Some(Ok(Taken::In { events, .. }))) => {
                summary.profiles += 1;
                summary.events += events;
            }
            (number, Some(Err(reason))) => {
                summary.bad += 1;
                bar.suspend(|| eprintln!("{path}: line {number}: {reason}"));
            }
        }
    }
    bar.finish_and_clear();
    Ok(summary)
}

/// Skips the byte order mark at the beginning of a file, and returns its length.
///
/// # Errors
/// The file cannot be read, or holds a list.
async fn skip_mark(file: &mut (impl AsyncBufRead + Unpin), path: &str) -> anyhow::Result<usize> {
    let beginning = file.fill_buf().await.with_context(|| format!("reading {path}"))?;
    let people = beginning.strip_prefix(MARK).unwrap_or(beginning);
    if people.trim_ascii_start().starts_with(b"[") {
        anyhow::bail!(
            "{path} holds a list: people come one JSON object a line, as \
             `jq -c '.[]' {path} > people.ndjson` writes them"
        );
    }
    let bytes = beginning.len() - people.len();
    file.consume(bytes);
    Ok(bytes)
}

/// The person on a line; None for an empty line.
fn person(line: &[u8]) -> Result<Option<Person>, String> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    if line.len() > LINE_BYTES_MAX {
        return Err(format!("longer than {} MiB", LINE_BYTES_MAX >> 20));
    }
    let text = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
    if text.contains('\0') || text.contains("\\u0000") {
        return Err("a NUL character".to_owned());
    }
    serde_json::from_str(text).map(Some).map_err(|error| error.to_string())
}
