//! Takes in seed files of Crafter Profile, for `dossier apply`.

use std::path::Path;
use std::process::ExitCode;

use crate::crafter_file::read::Entry;
use crate::engine::Engine;
use crate::intake::crafter::{Intake, Summary};
use crate::intake::crafter_seed::{seed, take_seed};
use crate::passwords::Passwords;

use super::Place;
use super::applications::sealing_keys;
use super::open::Directory;

/// Takes in the tenants, access tokens and profiles of a seed file that do not exist yet.
///
/// # Errors
/// What failed, and what to do.
pub async fn apply_seed(
    file: &Path,
    text: &str,
    dry_run: bool,
    place: &Place,
) -> anyhow::Result<ExitCode> {
    let entries = seed(&file.display().to_string(), text)?;
    if dry_run {
        println!("{} entries, none taken in (--dry-run)", entries.len());
        return Ok(ExitCode::SUCCESS);
    }
    let directory = Directory::open_or_make(place).await?;
    let taken = take(&directory.engine, &place.data_dir, entries).await;
    directory.close().await?;
    let taken = taken?;
    println!("{taken}");
    Ok(if taken.bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Takes in the records of a seed file, with the keys of this directory.
///
/// # Errors
/// The keys or the log cannot be read, or the log cannot be written.
pub async fn take(
    engine: &Engine,
    data_dir: &Path,
    entries: Vec<Entry>,
) -> anyhow::Result<Summary> {
    let sealing = sealing_keys(engine, data_dir, &[]).await?;
    let passwords = Passwords::new(Default::default())?;
    take_seed(&Intake { engine, sealing: &sealing, passwords: &passwords }, entries).await
}
