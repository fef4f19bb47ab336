//! `dossier restore-done`: starts another epoch of the log, for a restore that the database itself
//! does not show.

use std::process::ExitCode;

use clap::Args;

use crate::store::raise_epoch;

use super::Place;
use super::open::Directory;

/// Say that the database was put back as it was before
#[derive(Args)]
#[command(after_help = "Position tokens and cursors that clients hold are refused from then on, \
since their positions are given out again. A server finds out by itself when a database was \
restored by pg_restore, rolled back to a point in time or promoted; it cannot when the files of a \
stopped one were copied back. Servers that run end, and must be started again.

Examples:
  dossier restore-done --data-dir /var/lib/dossier")]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
}

/// Runs `restore-done`.
///
/// # Errors
/// What failed, and what to do.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let directory = Directory::open(&arguments.place).await?;
    let raised = raise(&directory).await;
    directory.close().await?;
    println!("epoch {} begins: tokens from before are refused", raised?);
    Ok(ExitCode::SUCCESS)
}

async fn raise(directory: &Directory) -> anyhow::Result<i32> {
    let owner = directory.owner().await?;
    // An engine that runs at this time would report that the log went back.
    directory.engine.stop().await;
    Ok(raise_epoch(&owner).await?)
}
