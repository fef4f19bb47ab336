//! The command line: arguments in, engine, text out. Results go to standard output, everything
//! else to standard error.

pub mod applications;
pub mod apply;
pub mod crafter_seed;
pub mod demo;
pub mod import;
pub mod log_file;
pub mod open;
pub mod replay;
pub mod restore_done;
pub mod seed;
pub mod serve;
pub mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// An event-sourced profile directory.
#[derive(Parser)]
#[command(name = "dossier", version, about, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  dossier serve --demo                        a directory with real people on 127.0.0.1:8080
  dossier apply catalogue.toml                tenants, roles, departments, keys, as the file says
  dossier import people.ndjson                people and their dated changes
  dossier token --profile ada@example.org     a bearer token for the API";

/// Which directory is used.
#[derive(Args, Clone, Debug)]
pub struct Place {
    /// Directory of the embedded database
    #[arg(long, value_name = "DIR", default_value = "./data", env = "DOSSIER_DATA_DIR")]
    pub data_dir: PathBuf,
    /// A PostgreSQL server of your own instead, as postgres://user@host/database
    #[arg(long, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The same database as its owner, for migrations, so that the server itself needs fewer rights
    #[arg(long, value_name = "URL", env = "DOSSIER_OWNER_DATABASE_URL", hide_env_values = true)]
    pub owner_database_url: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve(Box<serve::Arguments>),
    /// Make tenants and catalogues what a file says
    Apply(apply::Arguments),
    /// Load people and their dated changes
    Import(import::Arguments),
    /// Print a bearer token of the local issuer
    Token(token::Arguments),
    /// Make up profiles, for trials and benchmarks
    Seed(seed::Arguments),
    /// Write the whole log to a file
    ExportLog(log_file::ExportArguments),
    /// Read a whole log from a file into an empty directory
    ImportLog(log_file::ImportArguments),
    /// Say that the database was put back as it was before
    RestoreDone(restore_done::Arguments),
    /// Make read models again from the log, while writes go on
    Rebuild(replay::RebuildArguments),
    /// Check the log's promises, and every read model against a replay
    Verify(replay::VerifyArguments),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(why) = start_logging(matches!(cli.command, Command::Serve(_))) {
        eprintln!("dossier: {why}");
        return ExitCode::FAILURE;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("dossier: starting the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli.command)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("dossier: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(arguments) => serve::run(*arguments).await,
        Command::Apply(arguments) => interruptible(apply::run(arguments)).await,
        Command::Import(arguments) => interruptible(import::run(arguments)).await,
        Command::Token(arguments) => interruptible(token::run(arguments)).await,
        Command::Seed(arguments) => interruptible(seed::run(arguments)).await,
        Command::ExportLog(arguments) => interruptible(log_file::export(arguments)).await,
        Command::ImportLog(arguments) => interruptible(log_file::import(arguments)).await,
        Command::RestoreDone(arguments) => interruptible(restore_done::run(arguments)).await,
        Command::Rebuild(arguments) => interruptible(replay::rebuild(arguments)).await,
        Command::Verify(arguments) => interruptible(replay::verify(arguments)).await,
    }
}

/// Ends at Ctrl-C or SIGTERM. The database rolls back what is not committed; an embedded database
/// that was started for this command ends with it.
async fn interruptible(
    work: impl Future<Output = anyhow::Result<ExitCode>>,
) -> anyhow::Result<ExitCode> {
    tokio::select! {
        done = work => done,
        () = serve::told_to_stop() => {
            eprintln!("dossier: interrupted; what was done so far stands");
            Ok(ExitCode::from(130))
        }
    }
}

/// Text on a terminal, JSON otherwise. `DOSSIER_LOG` sets the level.
///
/// # Errors
/// The setting is invalid. Nothing is logged then, rather than something else than was meant.
fn start_logging(serving: bool) -> Result<(), String> {
    let default = if serving { "info" } else { "warn" };
    let asked = std::env::var("DOSSIER_LOG").unwrap_or_default();
    let filter = match asked.trim() {
        "" => EnvFilter::new(default),
        asked => EnvFilter::try_new(asked).map_err(|error| {
            format!(
                "DOSSIER_LOG={asked:?} is not understood ({error}): write a level, as debug, or \
                 levels by module, as info,dossier::api=debug"
            )
        })?,
    };
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        lines.with_target(false).init();
    } else {
        lines.json().flatten_event(true).init();
    }
    Ok(())
}
