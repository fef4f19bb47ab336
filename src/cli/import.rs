//! `dossier import`: people from NDJSON, one a line.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, BufReader};
use uuid::Uuid;

use crate::crafter_file::export::Export;
use crate::crafter_file::recognise::recognise;
use crate::domain::claims::Claim;
use crate::engine::Engine;
use crate::engine::halt::Halt;
use crate::passwords::Passwords;

use super::applications::sealing_keys;
use super::open::{Directory, named};
use super::people::{Person, Taken, take_in};
use super::{Place, crafter};

/// Lines taken in at once, so that they share commits.
const LINES_AT_ONCE: usize = 64;
/// Records of an export that may wait.
const RECORDS_WAITING_MAX: usize = 1_000;
/// Longest line, in bytes.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Some programs begin a text with this mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Load people and their dated changes
#[derive(Args)]
#[command(after_help = "A line that was imported before changes nothing. A bad line is reported \
with its number and reason, the rest goes on, and the exit status is 1.

Examples:
  dossier import ops/demo/people.ndjson
  dossier import --tenant acme people.ndjson
  dossier import crafter-export/              a Crafter Profile database, by mongoexport")]
pub struct Arguments {
    /// One person a line, as ops/demo/README.md says; or a folder with accesstoken.json,
    /// tenant.json and profile.json of a Crafter Profile database
    file: PathBuf,
    /// The tenant they belong to
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    #[command(flatten)]
    place: Place,
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub profiles: usize,
    pub events: usize,
    pub before: usize,
    pub bad: usize,
}

/// Runs the command.
///
/// # Errors
/// What is in the way, and what to do.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    if recognise(&arguments.file).is_some() {
        return import_crafter(arguments).await;
    }
    if arguments.file.is_dir() {
        anyhow::bail!(
            "{} holds none of accesstoken.json, tenant.json and profile.json of a Crafter Profile \
             database: name a folder that does, or a file with one person a line",
            arguments.file.display()
        );
    }
    let directory = Directory::open(&arguments.place).await?;
    let done = import_file(&directory.engine, &arguments).await;
    directory.close().await?;
    let done = done?;
    println!(
        "imported {} profiles as {} events; {} lines were imported before; {} bad lines",
        done.profiles, done.events, done.before, done.bad
    );
    Ok(if done.bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A database of Crafter's, exported by mongoexport.
async fn import_crafter(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let export = Export::open(&arguments.file)
        .with_context(|| format!("reading {}", arguments.file.display()))?;
    for left_out in export.left_out() {
        eprintln!("{left_out}: left out, nothing is taken from it");
    }
    let passwords = Passwords::new(Default::default())?;
    let directory = Directory::open(&arguments.place).await?;
    let sealing = sealing_keys(&directory.engine, &arguments.place.data_dir, &[]).await?;
    let intake =
        crafter::Intake { engine: &directory.engine, sealing: &sealing, passwords: &passwords };
    // Reading blocks: on a thread of its own, and no faster than its records are taken in.
    let (read, mut records) = tokio::sync::mpsc::channel(RECORDS_WAITING_MAX);
    let reading = tokio::task::spawn_blocking(move || {
        let mut export = export;
        for entry in export.by_ref() {
            if read.blocking_send(entry.map_err(|problem| problem.to_string())).is_err() {
                break;
            }
        }
        export.warnings()
    });
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template(
        "{spinner} {pos} records, {per_sec}, {elapsed} gone",
    )?);
    let records = stream::poll_fn(|context| records.poll_recv(context));
    let taken = crafter::take_in(&intake, records, &bar).await;
    let warnings = reading.await.context("reading the export")?;
    directory.close().await?;
    warnings.iter().for_each(|warning| eprintln!("{warning}"));
    let taken = taken?;
    println!("{taken}");
    Ok(if taken.bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn import_file(engine: &Engine, arguments: &Arguments) -> anyhow::Result<Summary> {
    let path = arguments.file.display().to_string();
    let reading = || format!("reading {path}");
    let file = tokio::fs::File::open(&arguments.file).await.with_context(reading)?;
    let bytes = file.metadata().await.with_context(reading)?.len();
    import(engine, &arguments.tenant, &path, file, bar(bytes, true)).await
}

/// Imports people into a tenant; `path` is what messages call their source.
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
    let id = named(engine, tenant).await?;
    let ids = engine.secrets.value_ids(id).await?;
    let reading = || format!("reading {path}");
    let mut file = BufReader::new(file);
    bar.inc(skip_mark(&mut file, path).await? as u64);
    let lines = file.split(b'\n');
    let lines = stream::unfold((lines, 0_usize), |(mut lines, number)| async move {
        let line = lines.next_segment().await.transpose()?;
        Some(((number + 1, line), (lines, number + 1)))
    });
    // What an earlier run took in must be told from what stands twice in this file.
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

/// Skips the mark of UTF-8 that a file may begin with, and tells its bytes.
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

/// The person of a line; None for an empty one.
fn person(line: &[u8]) -> Result<Option<Person>, String> {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    if line.len() > LINE_BYTES_MAX {
        return Err("longer than 1 MiB".to_owned());
    }
    let text = std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned())?;
    if text.contains('\0') || text.contains("\\u0000") {
        return Err("a NUL character".to_owned());
    }
    serde_json::from_str(text).map(Some).map_err(|error| error.to_string())
}

/// A bar over bytes, hidden when nobody looks.
pub fn bar(bytes: u64, shown: bool) -> ProgressBar {
    if !shown {
        return ProgressBar::hidden();
    }
    let style = "{bar:40} {percent}% of {total_bytes}, {elapsed} gone, {eta} to go";
    let bar = ProgressBar::new(bytes);
    match ProgressStyle::with_template(style) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
