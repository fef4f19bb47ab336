//! Makes sure that no process runs a cluster, above all one that a killed owner left behind.
//!
//! Only PostgreSQL servers of this very cluster are ended: a process id in a file may have been
//! given to another process.

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
/// The file in which a server writes its process id, and in a later line its state.
const NOTE: &str = "postmaster.pid";
const READY_LINE: usize = 7;

/// Ends every server process of the cluster and removes the files that it left. The caller owns the
/// data directory.
pub async fn clear(cluster: &Path) -> Result<(), Error> {
    let recorded = recorded(cluster);
    // A single-user server, started by hand for a repair, writes its id as a negative number.
    if let Some(pid) =
        recorded.filter(|pid| *pid < 0 && tenants(cluster, Some(-pid)).contains(&-pid))
    {
        return Err(Error::Occupied { cluster: cluster.to_owned(), pid: -pid });
    }
    for (signal, patience) in [
        // This way rolls back and writes everything out: no recovery is needed afterwards.
        (Signal::SIGINT, Duration::from_secs(20)),
        // Recovery does the rest.
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
    // PostgreSQL refuses to start while any process of its user has the id in the file.
    site::remove_if_there(&cluster.join(NOTE))
}

/// Whether a server claims the cluster as its own; it removes the file when it has shut down.
pub fn is_claimed(cluster: &Path) -> bool {
    cluster.join(NOTE).exists()
}

/// Whether a server says that it accepts connections. It is one that runs, if the file was removed
/// before it was started.
pub fn says_ready(cluster: &Path) -> bool {
    let text = fs::read_to_string(cluster.join(NOTE)).unwrap_or_default();
    text.lines().nth(READY_LINE).is_some_and(|state| state.trim() == "ready")
}

/// Sends a signal to a process, which may have ended.
pub fn signal(pid: i32, signal: Signal) {
    if let Err(error) = kill(Pid::from_raw(pid), signal) {
        debug!(%error, "could not send {signal} to process {pid}");
    }
}

/// Waits until no process works in the cluster, for a bounded time.
async fn wait(cluster: &Path, recorded: Option<i32>, patience: Duration) {
    let deadline = Instant::now() + patience;
    while !tenants(cluster, recorded).is_empty() && Instant::now() < deadline {
        sleep(POLL).await;
    }
}

/// The server process named in the cluster, running or not.
fn recorded(cluster: &Path) -> Option<i32> {
    let text = fs::read_to_string(cluster.join(NOTE)).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// The server processes that work in the cluster.
fn tenants(cluster: &Path, recorded: Option<i32>) -> Vec<i32> {
    let Ok(here) = fs::metadata(cluster) else {
        return Vec::new();
    };
    let Ok(processes) = fs::read_dir(PROCESSES) else {
        // This system has no such list, so the file is all there is.
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
    // The kernel reports a program like this after an update has replaced its file.
    let names = ["postgres", "postgres (deleted)"];
    Ok(names.iter().any(|name| program.file_name() == Some(OsStr::new(name))))
}
