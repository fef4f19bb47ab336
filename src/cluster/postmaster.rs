//! The server's main process: starts it, waits until it answers, shuts it down.
//!
//! It never outlives its owner: a guardian process shuts it down if the owner is killed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::AsyncWriteExt;
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::NoTls;
use tracing::{info, warn};

use crate::cluster::site::Site;
use crate::cluster::{Error, PORT, SUPERUSER, account, config, takeover};

const ATTEMPTS_MAX: u32 = 3;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(200);
/// After a crash of the machine, recovery reads up to `max_wal_size`.
const READY_SECONDS_MAX: Duration = Duration::from_secs(600);
const READY_POLL: Duration = Duration::from_millis(10);
const READY_WORD_AFTER: Duration = Duration::from_secs(3);
/// The last checkpoint writes out all of `shared_buffers`.
const FAST_SECONDS_MAX: Duration = Duration::from_secs(30);
const IMMEDIATE_SECONDS_MAX: Duration = Duration::from_secs(5);

const START_LOG: &str = "start.log";
const LOGS_MAX: usize = 5;
const COMPLAINTS_MAX: usize = 4;
/// Most log-ins that may fail after the server has said that it is ready.
const REFUSALS_MAX: u32 = 100;

/// A line on its standard input dismisses it; the end of input without one means that the owner
/// died.
const GUARDIAN: &str = r#"read -r dismissed || kill -INT "$1""#;

/// Settings of every cluster. On the command line neither files in the cluster nor `alter system`
/// can change them. For other settings, run a server of your own.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "wal_compression=on",
    "checkpoint_timeout=15min",
    "jit=off",
    "timezone=UTC",
    "lc_messages=C",
    "cluster_name=dossier",
    "log_destination=stderr",
    "logging_collector=on",
    "log_directory=../log",
    "log_filename=server-%Y%m%d-%H%M%S.log",
    "log_rotation_size=10MB",
    "log_rotation_age=0",
    "log_timezone=UTC",
    // Error details quote values of rows, which are personal.
    "log_error_verbosity=terse",
    "log_parameter_max_length=0",
];
const DURABLE: &[&str] = &[
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
    "shared_buffers=256MB",
    "maintenance_work_mem=128MB",
    "min_wal_size=256MB",
    "max_wal_size=1GB",
    // Statistics are collected soon after many people were added, not a minute later.
    "autovacuum_naptime=10s",
];
const NOT_DURABLE: &[&str] = &[
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    "maintenance_work_mem=32MB",
    "min_wal_size=32MB",
    "max_wal_size=256MB",
];

/// The running server. If dropped without [`Postmaster::shut_down`], the guardian ends it.
#[derive(Debug)]
pub struct Postmaster {
    child: Child,
    guardian: Child,
}

/// Starts the server and waits until it answers. It tries more than once, since what a killed
/// server left behind may take a moment to go.
pub async fn start_with_retries(site: &Site) -> Result<Postmaster, Error> {
    let mut attempt = 1;
    loop {
        match launch(site).await {
            Err(error @ Error::Start { .. }) if attempt < ATTEMPTS_MAX => {
                warn!(error = &error as &dyn std::error::Error, attempt, "trying once more");
                sleep(ATTEMPT_PAUSE * attempt).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Ends all that runs the cluster, starts the server and waits until it answers.
pub async fn launch(site: &Site) -> Result<Postmaster, Error> {
    takeover::clear(&site.cluster).await?;
    prune_logs(site);
    let child = spawn(site)?;
    let mut postmaster = guarded(site, child)?;
    match timeout(READY_SECONDS_MAX, postmaster.ready(site)).await {
        Ok(Ok(())) => Ok(postmaster),
        Ok(Err(error)) => {
            postmaster.shut_down().await;
            Err(error)
        }
        Err(elapsed) => {
            postmaster.shut_down().await;
            Err(Error::Start { cluster: site.cluster.clone(), source: elapsed.into() })
        }
    }
}

/// Removes the oldest of the server's logs: it starts a new one at 10 MB, and never removes any.
pub fn prune_logs(site: &Site) {
    let mut logs = logs(site);
    logs.truncate(logs.len().saturating_sub(LOGS_MAX));
    for log in logs {
        if let Err(error) = fs::remove_file(&log) {
            warn!(%error, "could not remove the old log {}", log.display());
        }
    }
}

impl Postmaster {
    /// The server's process; None once its end was noticed.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until the server ends by itself.
    pub async fn wait_until_dead(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Dismisses the guardian of a server that died: by the time it would act, the process id could
    /// belong to another process.
    pub async fn discard_dead(mut self) {
        dismiss(&mut self.guardian).await;
    }

    /// Ends the server: first in the way that leaves nothing to recover.
    pub async fn shut_down(mut self) {
        let signals = [
            (Signal::SIGINT, FAST_SECONDS_MAX),
            (Signal::SIGQUIT, IMMEDIATE_SECONDS_MAX),
            (Signal::SIGKILL, IMMEDIATE_SECONDS_MAX),
        ];
        for (signal, patience) in signals {
            // None once it has ended and its id may belong to another process.
            let Some(pid) = self.child.id() else { break };
            takeover::signal(pid.cast_signed(), signal);
            if timeout(patience, self.child.wait()).await.is_ok() {
                break;
            }
            warn!(pid, "PostgreSQL does not end after {signal}");
        }
        dismiss(&mut self.guardian).await;
    }

    /// Waits until the server answers or has ended.
    async fn ready(&mut self, site: &Site) -> Result<(), Error> {
        let began = Instant::now();
        let mut told = false;
        let mut refusals = 0;
        let mut config = config(&site.socket_directory.path, SUPERUSER);
        config.dbname("postgres");
        loop {
            let gone = self.child.try_wait().map_err(|source| start_failed(site, source))?;
            if let Some(status) = gone {
                let said = format!("{status}: {}", complaints(site));
                return Err(start_failed(site, io::Error::other(said)));
            }
            // Connecting earlier would put each refusal into its log as fatal.
            if takeover::says_ready(&site.cluster) {
                match config.connect(NoTls).await {
                    Ok(_) => return Ok(()),
                    Err(_) if refusals < REFUSALS_MAX => refusals += 1,
                    Err(source) => {
                        return Err(Error::Database { doing: "sign in", source });
                    }
                }
            }
            if !told && began.elapsed() > READY_WORD_AFTER {
                told = true;
                info!("PostgreSQL is not ready yet, it may be recovering from a crash");
            }
            sleep(READY_POLL).await;
        }
    }
}

fn spawn(site: &Site) -> Result<Child, Error> {
    let reachable_folder = site.reachable_folder(&site.cluster)?;
    let path = site.data_dir.join(START_LOG);
    let start_log =
        File::create(&path).map_err(|source| Error::File { doing: "write", path, source })?;
    let more = if site.options.durable { DURABLE } else { NOT_DURABLE };
    let mut command = site.command("postgres");
    command
        .arg("-D")
        .arg(&reachable_folder.path)
        .args(["-p", &PORT.to_string(), "-k"])
        .arg(socket_directory(site))
        .args(SETTINGS.iter().chain(more).flat_map(|setting| ["-c", setting]))
        .stdout(Stdio::null())
        .stderr(start_log);
    site.spawn(&mut command)
}

/// Relative to the cluster, where the server runs, if possible: the account may not reach the full
/// name, and commas and quotes in it would have a meaning.
fn socket_directory(site: &Site) -> &Path {
    if site.socket_directory.path == site.home {
        Path::new("..")
    } else {
        &site.socket_directory.path
    }
}

fn guarded(site: &Site, child: Child) -> Result<Postmaster, Error> {
    let gone = || start_failed(site, io::Error::other("it was gone at once"));
    let pid = child.id().ok_or_else(gone)?;
    let guardian = spawn_guardian(site, pid)
        .inspect_err(|_| takeover::signal(pid.cast_signed(), Signal::SIGINT))?;
    Ok(Postmaster { child, guardian })
}

fn spawn_guardian(site: &Site, pid: u32) -> Result<Child, Error> {
    let mut command = site.command(account::SHELL);
    command
        .args(["-c", GUARDIAN, "dossier-guardian", &pid.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    site.spawn(&mut command)
}

async fn dismiss(guardian: &mut Child) {
    if let Some(mut input) = guardian.stdin.take() {
        // Fails only if the guardian was killed: then there is nothing to dismiss.
        let _ = input.write_all(b"dismissed\n").await;
    }
    let _ = guardian.wait().await;
}

fn start_failed(site: &Site, source: io::Error) -> Error {
    Error::Start { cluster: site.cluster.clone(), source }
}

/// The last that the server said: on its output, or in its own log once that was open.
fn complaints(site: &Site) -> String {
    let read = |path: PathBuf| fs::read_to_string(path).unwrap_or_default();
    let mut said = read(site.data_dir.join(START_LOG));
    if said.contains("redirecting log output") {
        said = logs(site).pop().map(read).unwrap_or_default();
    }
    let mut lines: Vec<&str> = said.lines().collect();
    lines.split_off(lines.len().saturating_sub(COMPLAINTS_MAX)).join("; ")
}

/// The server's logs, the oldest first.
fn logs(site: &Site) -> Vec<PathBuf> {
    let folder = site.home.join("log");
    // The account could have put a link to another folder there.
    if !fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
        return Vec::new();
    }
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut logs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    logs.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.sort();
    logs
}
