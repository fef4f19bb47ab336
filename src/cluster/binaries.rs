//! Finds the server binaries of the machine.
//!
//! Nothing is installed or downloaded. Only `initdb` and `postgres` are run, no client programs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;
use tracing::debug;

use crate::cluster::Error;
use crate::cluster::account::Account;

pub const FOLDER_VARIABLE: &str = "DOSSIER_PG_BIN";
pub const MAJOR_MIN: u32 = 13;

/// Where packages install them: a folder, the beginning of names in it, and the path below.
const PACKAGED: [(&str, &str, &str); 9] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr/lib64", "postgresql", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/usr/local", "pgsql", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// An installed server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    pub folder: PathBuf,
    pub major: u32,
}

/// The installed server to use. For an existing cluster: one of the version that made it.
pub async fn find(
    data_dir: &Path,
    made: Option<u32>,
    account: &Account,
) -> Result<Binaries, Error> {
    let named = env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let folders = match &named {
        // By its full name, since it runs in another folder.
        Some(folder) => fs::canonicalize(folder).into_iter().collect(),
        None => likely_folders(account).await,
    };
    let mut others = Vec::new();
    for folder in folders {
        let Some(major) = major(&folder, account).await else {
            continue;
        };
        if made.map_or(major >= MAJOR_MIN, |made| major == made) {
            debug!(major, "using the PostgreSQL {major} in {}", folder.display());
            return Ok(Binaries { folder, major });
        }
        others.push(major);
    }
    match (made, named) {
        (Some(made), _) if !others.is_empty() => {
            others.sort_unstable();
            others.dedup();
            let found = others.iter().map(u32::to_string).collect::<Vec<_>>().join(" and ");
            Err(Error::WrongVersion { data_dir: data_dir.to_owned(), made, found })
        }
        (_, Some(folder)) => Err(Error::BadFolder { folder }),
        (_, None) => Err(Error::NoBinaries),
    }
}

/// The number at the beginning of a text or after a separator: "17.2", "@16", "-15".
pub fn number(text: &str) -> Option<u32> {
    let text = text.trim_start_matches(['-', '@']);
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// Every folder that may hold a server, the preferred one first.
async fn likely_folders(account: &Account) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(answer) = answer(Path::new("pg_config"), "--bindir", account).await {
        folders.push(PathBuf::from(answer));
    }
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    for (parent, prefix, below) in PACKAGED {
        folders.extend(versions_in(parent, prefix).into_iter().map(|found| found.join(below)));
    }
    let mut unique = Vec::new();
    for folder in folders.iter().filter_map(|folder| fs::canonicalize(folder).ok()) {
        let complete = folder.join("postgres").is_file() && folder.join("initdb").is_file();
        if complete && !unique.contains(&folder) {
            unique.push(folder);
        }
    }
    unique
}

/// The folders of a parent whose names begin in this way, the highest version first.
fn versions_in(parent: &str, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let rest = name.strip_prefix(prefix)?;
            Some((number(rest).unwrap_or(0), entry.path()))
        })
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

async fn major(folder: &Path, account: &Account) -> Option<u32> {
    if !folder.join("initdb").is_file() {
        return None;
    }
    let answer = answer(&folder.join("postgres"), "--version", account).await?;
    // "postgres (PostgreSQL) 17.2 (Debian 17.2-1)"
    number(answer.split_once(") ")?.1)
}

/// What a program prints when run as the account that will run the server.
async fn answer(program: &Path, argument: &str, account: &Account) -> Option<String> {
    let mut command = Command::new(program);
    command.arg(argument).current_dir("/").stdin(Stdio::null()).kill_on_drop(true);
    account.run(&mut command);
    let output = command.output().await.ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
