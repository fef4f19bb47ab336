//! `dossier import`: people from NDJSON, one on each line.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};

use crate::crafter_file::export::Export;
use crate::crafter_file::recognise::recognise;
use crate::engine::Engine;
use crate::intake::crafter;
use crate::intake::people::{Summary, import};
use crate::passwords::Passwords;

use super::Place;
use super::applications::sealing_keys;
use super::open::Directory;

/// Records that are read ahead.
const RECORDS_WAITING_MAX: usize = 1_000;
/// Load people and their dated changes
#[derive(Args)]
#[command(after_help = "A line that was imported before changes nothing. A bad line is reported \
with its number and reason, the rest goes on, and the exit status is 1.

Examples:
  dossier import ops/demo/people.ndjson
  dossier import --tenant acme people.ndjson
  dossier import crafter-export/              a Crafter Profile database, by mongoexport")]
pub struct Arguments {
    /// One person on each line, as ops/demo/README.md says; or a folder with accesstoken.json,
    /// tenant.json and profile.json of a Crafter Profile database
    file: PathBuf,
    /// The tenant they belong to
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    #[command(flatten)]
    place: Place,
}

/// Runs the command.
///
/// # Errors
/// What failed, and what to do.
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

/// A database of Crafter Profile, exported by mongoexport.
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
    // Reading blocks, so it has a thread of its own, and waits for the records before to be taken
    // in.
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

/// A bar over bytes. It is hidden if the output is no terminal.
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
