//! The server's main process: starting it, waiting until it answers, shutting it down.
//!
//! It never outlives us: a guardian shuts it down when we are gone without having done so.

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
/// Recovery after a crash of the machine reads up to `max_wal_size` again.
const READY_SECONDS_MAX: Duration = Duration::from_secs(600);
const READY_POLL: Duration = Duration::from_millis(10);
const READY_WORD_AFTER: Duration = Duration::from_secs(3);
/// A last checkpoint writes out all of `shared_buffers`.
const FAST_SECONDS_MAX: Duration = Duration::from_secs(30);
const IMMEDIATE_SECONDS_MAX: Duration = Duration::from_secs(5);

const START_LOG: &str = "start.log";
const LOGS_MAX: usize = 5;
const COMPLAINTS_MAX: usize = 4;
/// Sign-ins that may fail once the server says that it is ready.
const REFUSALS_MAX: u32 = 100;

/// A line on its standard input dismisses it; the end of it without one means that we died.
const GUARDIAN: &str = r#"read -r dismissed || kill -INT "$1""#;

/// What holds for every cluster. Given on the command line, where neither the files in the cluster
/// nor `alter system` can change them; who wants others runs a server of their own.
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
    // Details quote the values of rows, and those are people's.
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
    // Statistics soon after many people came at once, rather than within a minute.
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

/// The running server. Dropped without [`Postmaster::shut_down`], the guardian ends it.
#[derive(Debug)]
pub struct Postmaster {
    child: Child,
    guardian: Child,
}

/// Starts the server and waits until it answers; as what a killed one left behind may take a
/// moment to go where it cannot be seen, more than once.
pub async fn launch_patiently(site: &Site) -> Result<Postmaster, Error> {
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

/// Ends whatever runs the cluster, starts the server and waits until it answers.
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

/// Removes the oldest of the server's logs: it starts a new one at 10 MB, but keeps them all.
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
    /// The server's process; none once its end has been noticed.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until the server is gone without having been asked to.
    pub async fn died(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Lets go of a server that died: its id may be another's by the time the guardian would
    /// use it.
    pub async fn bury(mut self) {
        dismiss(&mut self.guardian).await;
    }

    /// Ends the server: at first so that the next start has nothing to recover.
    pub async fn shut_down(mut self) {
        let signals = [
            (Signal::SIGINT, FAST_SECONDS_MAX),
            (Signal::SIGQUIT, IMMEDIATE_SECONDS_MAX),
            (Signal::SIGKILL, IMMEDIATE_SECONDS_MAX),
        ];
        for (signal, patience) in signals {
            // None once it is gone and its id may be another's.
            let Some(pid) = self.child.id() else { break };
            takeover::signal(pid.cast_signed(), signal);
            if timeout(patience, self.child.wait()).await.is_ok() {
                break;
            }
            warn!(pid, "PostgreSQL does not end after {signal}");
        }
        dismiss(&mut self.guardian).await;
    }

    /// Asks until the server answers or is gone.
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
            // Asked any earlier, it would note each refusal in its log as fatal.
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
    let doorway = site.doorway(&site.cluster)?;
    let path = site.data_dir.join(START_LOG);
    let start_log =
        File::create(&path).map_err(|source| Error::File { doing: "write", path, source })?;
    let more = if site.options.durable { DURABLE } else { NOT_DURABLE };
    let mut command = site.command("postgres");
    command
        .arg("-D")
        .arg(&doorway.path)
        .args(["-p", &PORT.to_string(), "-k"])
        .arg(socket_directory(site))
        .args(SETTINGS.iter().chain(more).flat_map(|setting| ["-c", setting]))
        .stdout(Stdio::null())
        .stderr(start_log);
    site.spawn(&mut command)
}

/// Relative to the cluster, in which the server works, if it can be: the account cannot use the
/// full name, and commas and quotes in it would have a meaning.
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
        // Fails only if the guardian was killed, and then it needs no dismissing.
        let _ = input.write_all(b"dismissed\n").await;
    }
    let _ = guardian.wait().await;
}

fn start_failed(site: &Site, source: io::Error) -> Error {
    Error::Start { cluster: site.cluster.clone(), source }
}

/// The last the server said: where it begins to speak, or in its own log once that was open.
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
