//! `dossier rebuild` and `dossier verify`: the read models against a replay of the log.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::replay::report::Report;
use crate::projections::names;

use super::Place;
use super::open::Directory;

/// Make read models again from the log, while writes go on
#[derive(Args)]
#[command(after_help = "Rows that differ from the replay are rewritten and reported.

Examples:
  dossier rebuild
  dossier rebuild profiles_view profile_counts")]
pub struct RebuildArguments {
    /// Names of read models; all if none is given
    #[arg(value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(names()))]
    names: Vec<String>,
    #[command(flatten)]
    place: Place,
}

/// Check the log's promises, and every read model against a replay
#[derive(Args)]
#[command(after_help = "Changes nothing. The exit status is 1 when anything is not as it must be.

Examples:
  dossier verify
  dossier verify --database-url postgres://dossier@db/dossier")]
pub struct VerifyArguments {
    #[command(flatten)]
    place: Place,
}

/// Runs `rebuild`.
///
/// # Errors
/// What failed, and what to do.
pub async fn rebuild(arguments: RebuildArguments) -> anyhow::Result<ExitCode> {
    let directory = Directory::open(&arguments.place).await?;
    let chosen: Vec<&str> = match arguments.names.as_slice() {
        [] => names(),
        named => named.iter().map(String::as_str).collect(),
    };
    let started = std::time::Instant::now();
    let report = replay(&directory, &chosen, true).await;
    directory.close().await?;
    let report = report?;
    let seconds = started.elapsed().as_secs_f64();
    for (name, rows) in &report.differing {
        println!("{name}: {rows} rows differed and were rewritten");
    }
    let rate = report.events as f64 / seconds.max(1e-9);
    println!("replayed {} events in {seconds:.1} s ({rate:.0}/s)", report.events);
    Ok(ExitCode::SUCCESS)
}

/// Runs `verify`.
///
/// # Errors
/// What failed, and what to do.
pub async fn verify(arguments: VerifyArguments) -> anyhow::Result<ExitCode> {
    let directory = Directory::open(&arguments.place).await?;
    let checked = check_all(&directory).await;
    directory.close().await?;
    let (broken, report) = checked?;
    for (name, rows) in report.differing.iter().filter(|(_, rows)| **rows > 0) {
        println!("{name}: {rows} rows differ from the replay; `dossier rebuild {name}` mends them");
    }
    if broken.is_empty() && report.is_clean() {
        println!(
            "all is well: {} events replayed, {} read models equal",
            report.events,
            names().len()
        );
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

async fn check_all(directory: &Directory) -> anyhow::Result<(Vec<String>, Report)> {
    let broken = directory.engine.broken_promises().await?;
    for promise in &broken {
        println!("the log: {promise}");
    }
    let report = replay(directory, &names(), false).await?;
    Ok((broken, report))
}

async fn replay(directory: &Directory, names: &[&str], mend: bool) -> anyhow::Result<Report> {
    let head = directory.engine.head().await?;
    // Read models of streams read all streams once; read models of events read the log once.
    let bar = ProgressBar::new(u64::try_from(head).unwrap_or_default() * 2);
    let style = "{bar:40} {percent}%, {per_sec}, {elapsed} gone, {eta} to go";
    let bar = bar.with_style(ProgressStyle::with_template(style)?);
    let report = directory.engine.replay(None, names, mend, &|events| bar.inc(events)).await;
    bar.finish_and_clear();
    report.context("replaying")
}
