//! `dossier seed`: made-up but realistic profiles, for trials and benchmarks.

use std::process::ExitCode;

use clap::Args;

use crate::intake::made_up::seed;

use super::Place;
use super::open::Directory;

/// Most changes of a profile on average. No profile has more than twice as many, so that its events
/// stay below 1 MiB.
const CHANGES_MAX: u64 = 500;

/// Make up profiles, for trials and benchmarks
#[derive(Args)]
#[command(after_help = "Examples:
  dossier seed --profiles 1000
  dossier seed --profiles 100000 --changes 5 --random 7")]
pub struct Arguments {
    /// How many profiles, 1 to 10000000
    #[arg(long, value_name = "N", default_value_t = 1_000,
        value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    profiles: u64,
    /// How many later changes each has on average, 0 to 500
    #[arg(long, value_name = "M", default_value_t = 3,
        value_parser = clap::value_parser!(u64).range(0..=CHANGES_MAX))]
    changes: u64,
    /// The tenant they belong to
    #[arg(long, value_name = "NAME", default_value = "default")]
    tenant: String,
    /// The seed of the random numbers, any whole number: the same seed makes the same people, once
    #[arg(long, value_name = "N", default_value_t = 1)]
    random: u64,
    #[command(flatten)]
    place: Place,
}

/// Runs the command.
///
/// # Errors
/// What failed, and what to do.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let directory = Directory::open(&arguments.place).await?;
    let Arguments { profiles, changes, tenant, random, .. } = &arguments;
    let seeded = seed(&directory.engine, tenant, *profiles, *changes, *random, true).await;
    directory.close().await?;
    println!("{} profiles are there", seeded?);
    Ok(ExitCode::SUCCESS)
}
