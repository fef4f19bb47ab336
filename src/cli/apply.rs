//! `dossier apply`: tenants and their catalogues become what a file says.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use crate::catalogue_file;
use crate::intake::catalogue::{How, apply};

use super::open::Directory;
use super::{Place, crafter_seed};

/// Make tenants and catalogues what a file says
#[derive(Args)]
#[command(after_help = "Applying a file again changes nothing. A file with any mistake changes \
nothing either, and each mistake is reported with its line.

Examples:
  dossier apply ops/demo/catalogue.toml
  dossier apply --dry-run catalogue.toml
  dossier apply --prune catalogue.toml        also remove what the file does not name
  dossier apply examples/crafter/seed.json    a seed file of Crafter Profile's")]
pub struct Arguments {
    /// The catalogue, in the format of ops/demo/README.md, or a seed file of Crafter Profile
    file: PathBuf,
    /// Tell what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove roles, departments, settings, issuers and API keys that the file does not name
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    place: Place,
}

/// Runs the command.
///
/// # Errors
/// What failed, and what to do.
pub async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let path = &arguments.file;
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    // Some programs begin a text with the UTF-8 byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if text.trim_start().starts_with('{') {
        return crafter_seed::apply_seed(path, text, arguments.dry_run, &arguments.place).await;
    }
    let file = match catalogue_file::parse(text) {
        Ok(file) => file,
        Err(problems) => {
            for problem in problems {
                eprintln!("{}: {problem}", path.display());
            }
            eprintln!("nothing was changed");
            return Ok(ExitCode::FAILURE);
        }
    };
    let folder = path.parent().unwrap_or(Path::new(".")).to_owned();
    let how = How { dry_run: arguments.dry_run, prune: arguments.prune, folder };
    let directory = Directory::open_or_make(&arguments.place).await?;
    let applied = apply(&directory.engine, &file, &how).await;
    directory.close().await?;
    let changes = applied?;
    for change in &changes {
        println!("{change}");
    }
    match (changes.is_empty(), how.dry_run) {
        (true, _) => println!("nothing to change"),
        (false, true) => println!("{} changes, none made (--dry-run)", changes.len()),
        (false, false) => println!("{} changes made", changes.len()),
    }
    Ok(ExitCode::SUCCESS)
}
