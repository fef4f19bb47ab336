//! Seed files of Crafter's, as `dossier apply` takes them in.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use indicatif::ProgressBar;

use crate::crafter_file::read::Entry;
use crate::engine::Engine;
use crate::passwords::Passwords;

use super::applications::sealing_keys;
use super::apply;
use super::crafter::{Intake, Summary, take_in};
use super::open::Directory;

/// What a seed file holds, in the order in which it is taken in.
///
/// # Errors
/// Every mistake in it, a line each.
pub fn seed(file: &str, text: &str) -> anyhow::Result<Vec<Entry>> {
    let seed = crate::crafter_file::seed::parse(file, text).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    });
    seed.map(|seed| seed.entries).context("nothing was changed")
}

/// A seed file of Crafter's: tenants, access tokens and profiles that are not there yet.
///
/// # Errors
/// What is in the way, and what to do.
pub async fn apply_seed(arguments: &apply::Arguments, text: &str) -> anyhow::Result<ExitCode> {
    let entries = seed(&arguments.file.display().to_string(), text)?;
    if arguments.dry_run {
        println!("{} entries, none taken in (--dry-run)", entries.len());
        return Ok(ExitCode::SUCCESS);
    }
    let directory = Directory::open_or_make(&arguments.place).await?;
    let taken = take_seed(&directory.engine, &arguments.place.data_dir, entries).await;
    directory.close().await?;
    let taken = taken?;
    println!("{taken}");
    Ok(if taken.bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Takes in what a seed file holds.
///
/// # Errors
/// The log cannot be read or written.
pub async fn take_seed(
    engine: &Engine,
    data_dir: &Path,
    entries: Vec<Entry>,
) -> anyhow::Result<Summary> {
    let sealing = sealing_keys(engine, data_dir, &[]).await?;
    let passwords = Passwords::new(Default::default())?;
    let intake = Intake { engine, sealing: &sealing, passwords: &passwords };
    let entries = futures_util::stream::iter(entries.into_iter().map(Ok));
    take_in(&intake, entries, &ProgressBar::hidden()).await
}
