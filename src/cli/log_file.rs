//! `dossier export-log` and `dossier import-log`: the whole log as lines of JSON, with its claims
//! and secrets, to move it between database versions and servers.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use serde_json::value::RawValue;

use crate::store::{Import, LogTable, Snapshot};

use super::Place;
use super::import::bar;
use super::open::Directory;

/// The format in the first line. It is raised when the lines change.
const FORMAT: i64 = 1;
/// Rows moved at once.
const ROWS_AT_ONCE: usize = 2_000;

/// Write the whole log to a file
#[derive(Args)]
#[command(after_help = "The file holds the log, its claims, the hashes of API keys and the \
secrets of the installation: keep it as you keep the database. The server may run meanwhile: \
the file is as of the moment the command began.

Examples:
  dossier export-log dossier.ndjson")]
pub struct ExportArguments {
    /// The file; it must not exist
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Read a whole log from a file into an empty directory
#[derive(Args)]
#[command(after_help = "Examples:
  dossier import-log dossier.ndjson --data-dir ./new-data")]
pub struct ImportArguments {
    /// A file of `dossier export-log`
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Runs `export-log`.
///
/// # Errors
/// What failed, and what to do.
pub async fn export(arguments: ExportArguments) -> anyhow::Result<ExitCode> {
    let directory = Directory::open(&arguments.place).await?;
    let written = write(&directory, &arguments.file).await;
    directory.close().await?;
    if written.is_err() {
        let _ = std::fs::remove_file(arguments.file.with_extension("unfinished"));
    }
    let rows = written.with_context(|| format!("writing {}", arguments.file.display()))?;
    println!("wrote {rows} rows to {}", arguments.file.display());
    Ok(ExitCode::SUCCESS)
}

async fn write(directory: &Directory, path: &Path) -> anyhow::Result<u64> {
    let beside = path.with_extension("unfinished");
    if path.exists() {
        bail!("the file exists already");
    }
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let mut file = BufWriter::new(file);
    let snapshot = Snapshot::take(directory.owner().await?).await?;
    let (head, epoch) = (snapshot.head, snapshot.epoch);
    writeln!(file, "{}", json!({"dossier_log": FORMAT, "head": head, "epoch": epoch}))?;
    let bar = ProgressBar::new(u64::try_from(head).unwrap_or_default());
    let mut rows = 0;
    for table in LogTable::ALL {
        let mut after = None;
        loop {
            let page = snapshot.rows(table, after.as_deref(), ROWS_AT_ONCE).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (_, row) in &page {
                writeln!(file, "{{\"table\":\"{}\",\"row\":{row}}}", table.name())?;
            }
            rows += page.len() as u64;
            bar.inc(page.len() as u64);
        }
    }
    // The last line shows that the file is complete.
    writeln!(file, "{}", json!({"rows": rows}))?;
    file.into_inner().map_err(|error| error.into_error())?.sync_all()?;
    std::fs::rename(&beside, path)?;
    bar.finish_and_clear();
    Ok(rows)
}

#[derive(serde::Deserialize)]
struct Line {
    table: Option<String>,
    row: Option<Box<RawValue>>,
    rows: Option<u64>,
    dossier_log: Option<i64>,
    epoch: Option<i32>,
}

/// Runs `import-log`.
///
/// # Errors
/// What failed, and what to do.
pub async fn import(arguments: ImportArguments) -> anyhow::Result<ExitCode> {
    let path = &arguments.file;
    let whole = check(path).with_context(|| format!("reading {}", path.display()))?;
    let directory = Directory::open_or_make(&arguments.place).await?;
    let read = read(&directory, path).await;
    // The engine started with an empty log: what it holds in memory is out of date.
    directory.close().await?;
    read.with_context(|| format!("reading {}", path.display()))?;
    println!("read {whole} rows; the read models are made when the server starts");
    Ok(ExitCode::SUCCESS)
}

/// The number of rows of a complete file.
fn check(path: &Path) -> anyhow::Result<u64> {
    let file = BufReader::new(std::fs::File::open(path)?);
    let (mut rows, mut promised) = (0, None);
    for (number, line) in file.lines().enumerate() {
        let line: Line = serde_json::from_str(&line?)
            .with_context(|| format!("line {} is none of a log", number + 1))?;
        if number == 0 && line.dossier_log != Some(FORMAT) {
            bail!("this is no file of `dossier export-log` of this version");
        }
        rows += u64::from(line.row.is_some());
        promised = line.rows;
    }
    if promised != Some(rows) {
        bail!("the file is cut off: nothing was read");
    }
    Ok(rows)
}

async fn read(directory: &Directory, path: &Path) -> anyhow::Result<()> {
    let engine = &directory.engine;
    if engine.head().await? != 0 {
        bail!("the directory holds a log already: name an empty one with --data-dir");
    }
    let bytes = std::fs::metadata(path)?.len();
    let bar = bar(bytes, true);
    let file = BufReader::new(std::fs::File::open(path)?);
    let mut import = Import::begin(directory.owner().await?).await?;
    let mut epoch = 1;
    let mut pending: (Option<LogTable>, Vec<Box<RawValue>>) = (None, Vec::new());
    for line in file.lines() {
        let line = line?;
        bar.inc(line.len() as u64 + 1);
        let line: Line = serde_json::from_str(&line)?;
        epoch = line.epoch.unwrap_or(epoch);
        let (Some(table), Some(row)) = (line.table, line.row) else { continue };
        let table = LogTable::named(&table).with_context(|| format!("no table {table}"))?;
        if pending.0 != Some(table) || pending.1.len() >= ROWS_AT_ONCE {
            let (before, rows) = std::mem::replace(&mut pending, (Some(table), Vec::new()));
            if let Some(before) = before {
                import.rows(before, &rows).await?;
            }
        }
        pending.1.push(row);
    }
    if let (Some(table), rows) = pending {
        import.rows(table, &rows).await?;
    }
    import.commit(epoch).await?;
    bar.finish_and_clear();
    Ok(())
}
