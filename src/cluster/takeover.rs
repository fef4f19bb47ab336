//! Making sure that nobody runs a cluster any more, above all what a killed owner left running.
//!
//! It never touches a process that is not a PostgreSQL server at work in this very cluster: a
//! process id in a file may long be somebody else's.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};
use tracing::{debug, info};

use crate::cluster::{Error, site};

const POLL: Duration = Duration::from_millis(5);
const ORPHANS_PATIENCE: Duration = Duration::from_millis(500);
const PROCESSES: &str = "/proc";
/// Where a server notes its process id, and in a later line its state.
const NOTE: &str = "postmaster.pid";
const READY_LINE: usize = 7;

/// Ends every server process of the cluster and removes what it left of itself. The caller owns
/// the data directory.
pub async fn clear(cluster: &Path) -> Result<(), Error> {
    let recorded = recorded(cluster);
    // A server for one user alone, started by hand to mend something, notes its id negative.
    if let Some(pid) =
        recorded.filter(|pid| *pid < 0 && tenants(cluster, Some(-pid)).contains(&-pid))
    {
        return Err(Error::Occupied { cluster: cluster.to_owned(), pid: -pid });
    }
    for (signal, patience) in [
        // Rolls back, writes everything out, and is the one way that needs no recovery after.
        (Signal::SIGINT, Duration::from_secs(20)),
        // Recovery will do the rest.
        (Signal::SIGQUIT, Duration::from_secs(5)),
        (Signal::SIGKILL, Duration::from_secs(5)),
    ] {
        let tenants = tenants(cluster, recorded);
        match recorded.filter(|pid| tenants.contains(pid)) {
            _ if tenants.is_empty() => break,
            Some(postmaster) if signal != Signal::SIGKILL => {
                info!(postmaster, "ending the PostgreSQL left running as process {postmaster}");
                self::signal(postmaster, signal);
                wait(cluster, recorded, patience).await;
            }
            // Most end by themselves soon after their postmaster.
            None if signal == Signal::SIGINT => wait(cluster, recorded, ORPHANS_PATIENCE).await,
            _ => {
                info!("ending the PostgreSQL processes left running: {tenants:?}");
                tenants.iter().for_each(|pid| self::signal(*pid, signal));
                wait(cluster, recorded, patience).await;
            }
        }
    }
    if let Some(pid) = tenants(cluster, recorded).first() {
        return Err(Error::Occupied { cluster: cluster.to_owned(), pid: *pid });
    }
    // PostgreSQL refuses to start as long as any process of its user has the noted id.
    site::remove_if_there(&cluster.join(NOTE))
}

/// Whether a server notes the cluster as its own; it takes the note back when it has shut down.
pub fn is_claimed(cluster: &Path) -> bool {
    cluster.join(NOTE).exists()
}

/// Whether a server notes that it takes connections. The note is of one that runs, if the cluster
/// was cleared before that was started.
pub fn says_ready(cluster: &Path) -> bool {
    let text = fs::read_to_string(cluster.join(NOTE)).unwrap_or_default();
    text.lines().nth(READY_LINE).is_some_and(|state| state.trim() == "ready")
}

/// Sends a signal to a process, which may be gone.
pub fn signal(pid: i32, signal: Signal) {
    if let Err(error) = kill(Pid::from_raw(pid), signal) {
        debug!(%error, "could not send {signal} to process {pid}");
    }
}

/// Waits until nobody is at work in the cluster, but not for ever.
async fn wait(cluster: &Path, recorded: Option<i32>, patience: Duration) {
    let deadline = Instant::now() + patience;
    while !tenants(cluster, recorded).is_empty() && Instant::now() < deadline {
        sleep(POLL).await;
    }
}

/// The server process noted in the cluster, running or not.
fn recorded(cluster: &Path) -> Option<i32> {
    let text = fs::read_to_string(cluster.join(NOTE)).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// The server processes at work in the cluster.
fn tenants(cluster: &Path, recorded: Option<i32>) -> Vec<i32> {
    let Ok(here) = fs::metadata(cluster) else {
        return Vec::new();
    };
    let Ok(processes) = fs::read_dir(PROCESSES) else {
        // No such list on this system, so the note is all there is to go by.
        let alive = |pid: &i32| *pid > 0 && kill(Pid::from_raw(*pid), None).is_ok();
        return recorded.into_iter().filter(alive).collect();
    };
    processes
        .flatten()
        .filter(|process| is_server_in(&process.path(), &here).unwrap_or(false))
        .filter_map(|process| process.file_name().to_str()?.parse().ok())
        .collect()
}

/// Every server process works in the folder of its cluster, so the kernel knows whose it is.
fn is_server_in(process: &Path, cluster: &fs::Metadata) -> io::Result<bool> {
    let folder = fs::metadata(process.join("cwd"))?;
    if (folder.dev(), folder.ino()) != (cluster.dev(), cluster.ino()) {
        return Ok(false);
    }
    let program = fs::read_link(process.join("exe"))?;
    // The kernel says so of a program that an update of its package has replaced.
    let names = ["postgres", "postgres (deleted)"];
    Ok(names.iter().any(|name| program.file_name() == Some(OsStr::new(name))))
}
