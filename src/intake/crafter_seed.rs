//! Seed files of Crafter Profile.

use anyhow::Context;
use indicatif::ProgressBar;

use crate::crafter_file::read::Entry;

use super::crafter::{Intake, Summary, take_in};

/// The records of a seed file, in the order in which they are taken in.
///
/// # Errors
/// Every mistake in it, one on each line.
pub fn seed(file: &str, text: &str) -> anyhow::Result<Vec<Entry>> {
    let seed = crate::crafter_file::seed::parse(file, text).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    });
    seed.map(|seed| seed.entries).context("nothing was changed")
}

/// Takes in the records of a seed file.
///
/// # Errors
/// The log cannot be read or written.
pub async fn take_seed(intake: &Intake<'_>, entries: Vec<Entry>) -> anyhow::Result<Summary> {
    let entries = futures_util::stream::iter(entries.into_iter().map(Ok));
    take_in(intake, entries, &ProgressBar::hidden()).await
}
