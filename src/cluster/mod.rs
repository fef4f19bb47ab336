//! The embedded database: a private PostgreSQL cluster in the data directory.
//!
//! ```text
//! data/                 0700, belongs to whoever runs dossier
//!   dossier.lock        locked while a process owns the directory; its id, where its socket is
//!   start.log           what the server said before its own log was open
//!   postgres/           0700, belongs to the account the server runs as; the socket lies here
//!     data/             the cluster
//!     log/              the server's log, the newest few files
//! ```
//!
//! The server binaries are those of the machine. One process owns a data directory at a time. It
//! takes over what a killed owner left running, restarts the server when it dies, and has a
//! guardian process that shuts the server down if the owner is killed.
//!
//! Nothing is downloaded, no network port is opened, no server runs as root, no cluster is upgraded
//! or deleted, and nothing is written outside the data directory, except a private folder in `/tmp`
//! if the data directory cannot hold a socket.

mod account;
mod binaries;
mod create;
mod lock;
mod postmaster;
mod site;
mod supervise;
mod takeover;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tracing::info;

use crate::cluster::lock::{Holder, Lock};
use crate::cluster::site::Site;

/// The name of the database.
pub const DATABASE: &str = "dossier";
/// The role that owns the database and its schemas: for migrations and rebuilding.
pub const OWNER: &str = "dossier_owner";
/// The role of the running server, with the rights that the owner grants.
pub const APP: &str = "dossier_app";
/// The role that may do everything: for the cluster itself, and for tests that make databases.
pub const SUPERUSER: &str = "postgres";

/// Only a part of the socket's file name: no TCP port is opened.
const PORT: u16 = 5432;
const CONNECT_SECONDS_MAX: Duration = Duration::from_secs(5);
/// How long a command waits for an owner that is making or recovering its cluster.
const ATTACH_SECONDS_MAX: Duration = Duration::from_secs(60);
const ATTACH_POLL: Duration = Duration::from_millis(20);
const DROP_SECONDS_MAX: Duration = Duration::from_secs(2);
const DROP_POLL: Duration = Duration::from_millis(5);

/// How a cluster is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether committed data survives any crash. Without this the server is faster and smaller:
    /// for tests only.
    pub durable: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { durable: true }
    }
}

/// The state of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// The server's process; None while it is being restarted.
    pub postmaster: Option<u32>,
    /// How often it died and was started again.
    pub restarts: u64,
}

/// A running cluster and the data directory that it owns. End it with [`Cluster::stop`].
#[derive(Debug)]
pub struct Cluster {
    site: Arc<Site>,
    lock: Lock,
    health: watch::Receiver<Health>,
    next_start: watch::Receiver<Option<tokio::time::Instant>>,
    supervisor: Option<Supervisor>,
}

#[derive(Debug)]
struct Supervisor {
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

/// How to connect to the cluster of another process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The owner, if it is known.
    pub pid: Option<u32>,
    socket_directory: PathBuf,
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "no PostgreSQL server of version {} or later is installed here: install one, for example \
         with \"apt-get install postgresql\", or name the folder with its binaries in {}",
        binaries::MAJOR_MIN,
        binaries::FOLDER_VARIABLE
    )]
    NoBinaries,
    #[error(
        "{} names {folder}, which has no usable \"postgres\" and \"initdb\" of version {} or later",
        binaries::FOLDER_VARIABLE,
        binaries::MAJOR_MIN
    )]
    BadFolder { folder: PathBuf },
    #[error(
        "the data directory {data_dir} is of PostgreSQL {made}, but only PostgreSQL {found} is \
         installed here: with {}=FOLDER naming binaries of version {made} run \"dossier export-log \
         FILE\", then \"dossier import-log FILE\" in a fresh data directory",
        binaries::FOLDER_VARIABLE
    )]
    WrongVersion { data_dir: PathBuf, made: u32, found: String },
    #[error(
        "the data directory {data_dir} is in use by {}: stop that first, or name another one",
        process(.pid)
    )]
    AlreadyRunning { data_dir: PathBuf, pid: Option<u32> },
    #[error(
        "the data directory {data_dir} is in use by {}, whose database is not ready yet",
        process(.pid)
    )]
    NotReady { data_dir: PathBuf, pid: Option<u32> },
    #[error(
        "{path} belongs to {owner}, but this runs as {ours}: run it as {owner}, or name another \
             data directory"
    )]
    ForeignOwner { path: PathBuf, owner: String, ours: String },
    #[error(
        "{path} belongs to root, as whom PostgreSQL refuses to run: run \"chown -R {account} \
             {path}\""
    )]
    RootOwned { path: PathBuf, account: String },
    #[error(
        "PostgreSQL refuses to run as root, and there is neither a user \"postgres\" nor a user \
             \"nobody\" to run it as: add one, or start this as another user"
    )]
    NoAccount,
    #[error(
        "started as root, the embedded database needs Linux with /proc: start this as another \
             user"
    )]
    RootWithoutProc,
    #[error("process {pid} uses the cluster {cluster} and does not end: stop it first")]
    Occupied { cluster: PathBuf, pid: i32 },
    #[error("could not {doing} {path}")]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("could not run {program} as {account}")]
    Run { program: PathBuf, account: String, source: io::Error },
    #[error("could not make a new cluster with initdb")]
    Create { source: io::Error },
    #[error("could not start PostgreSQL on {cluster}")]
    Start { cluster: PathBuf, source: io::Error },
    #[error("could not {doing} in the embedded database")]
    Database { doing: &'static str, source: tokio_postgres::Error },
}

impl Cluster {
    /// Takes the data directory, makes what is missing and starts the server.
    ///
    /// # Errors
    ///
    /// Another process owns the directory, or the server cannot be started there. Nothing keeps
    /// running then.
    pub async fn start(data_dir: &Path, options: Options) -> Result<Cluster, Error> {
        let began = Instant::now();
        let data_dir = site::prepare(data_dir)?;
        let (lock, left_behind) = lock::acquire(&data_dir).await?;
        let site = site::choose(data_dir, options).await?;
        takeover::clear(&site.cluster).await?;
        if let Some(path) = left_behind {
            site::discard_socket_directory(path);
        }
        create::discard_unfinished(&site.home);
        if !site.cluster.exists() {
            create::initialise(&site).await?;
        }
        let site = Arc::new(site::settle_socket(site)?);
        let socket_directory = &site.socket_directory.path;
        let postmaster = postmaster::start_with_retries(&site).await?;
        let provisioned = create::provision(socket_directory).await;
        if let Err(error) = provisioned.and_then(|()| lock.announce(socket_directory)) {
            postmaster.shut_down().await;
            return Err(error);
        }
        let (stop, stopped) = oneshot::channel();
        let (sender, health) = watch::channel(Health { postmaster: postmaster.pid(), restarts: 0 });
        let (next, next_start) = watch::channel(None);
        let told = supervise::Told { health: sender, next_start: next };
        let task = tokio::spawn(supervise::supervise(site.clone(), postmaster, told, stopped));
        let milliseconds = began.elapsed().as_millis();
        info!(
            milliseconds,
            major = site.binaries.major,
            "PostgreSQL {} runs in {}, started in {milliseconds} ms",
            site.binaries.major,
            site.data_dir.display()
        );
        Ok(Cluster { site, lock, health, next_start, supervisor: Some(Supervisor { task, stop }) })
    }

    /// How to connect to the database as a role of this cluster, such as [`APP`].
    pub fn config(&self, role: &str) -> tokio_postgres::Config {
        config(&self.site.socket_directory.path, role)
    }

    /// The server's state, now and later.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// When the server is to be started again, while it is down.
    pub fn next_start(&self) -> watch::Receiver<Option<tokio::time::Instant>> {
        self.next_start.clone()
    }

    /// Ends all connections, shuts the server down and releases the data directory.
    ///
    /// # Errors
    ///
    /// A process of the cluster did not end even when killed.
    pub async fn stop(mut self) -> Result<(), Error> {
        if let Some(Supervisor { task, stop }) = self.supervisor.take() {
            // Both fail only if the task has ended already, which is all that is wanted.
            let _ = stop.send(());
            let _ = task.await;
        }
        // A server in the middle of a restart was abandoned, so it is ended here.
        takeover::clear(&self.site.cluster).await?;
        self.lock.withdraw()?;
        info!("PostgreSQL in {} stopped", self.site.data_dir.display());
        Ok(())
    }
}

impl Drop for Cluster {
    /// For panics and early returns: starts to shut the server down and waits for it briefly, so
    /// that a data directory can be removed. The next start does what is left.
    fn drop(&mut self) {
        let Some(Supervisor { task, .. }) = self.supervisor.take() else {
            return;
        };
        task.abort();
        let Some(pid) = self.health.borrow().postmaster else {
            return;
        };
        takeover::signal(pid.cast_signed(), Signal::SIGINT);
        let deadline = Instant::now() + DROP_SECONDS_MAX;
        while takeover::is_claimed(&self.site.cluster) && Instant::now() < deadline {
            #[expect(clippy::disallowed_methods, reason = "a drop cannot await")]
            std::thread::sleep(DROP_POLL);
        }
    }
}

impl Attached {
    /// How to connect to the database as a role of this cluster, such as [`OWNER`].
    pub fn config(&self, role: &str) -> tokio_postgres::Config {
        config(&self.socket_directory, role)
    }
}

/// Whether a cluster was ever made in this data directory.
pub fn is_in(data_dir: &Path) -> bool {
    site::cluster_of(data_dir).exists()
}

/// The cluster of a data directory that another process owns; None if there is no owner: then the
/// caller may start it.
///
/// # Errors
///
/// The owner is not ready in time, or the directory cannot be read.
pub async fn attach(data_dir: &Path) -> Result<Option<Attached>, Error> {
    let deadline = Instant::now() + ATTACH_SECONDS_MAX;
    loop {
        match lock::holder(data_dir)? {
            None => return Ok(None),
            Some(Holder { pid, socket_directory: Some(socket_directory) }) => {
                return Ok(Some(Attached { pid, socket_directory }));
            }
            Some(Holder { pid, socket_directory: None }) if Instant::now() > deadline => {
                return Err(Error::NotReady { data_dir: data_dir.to_owned(), pid });
            }
            Some(_) => tokio::time::sleep(ATTACH_POLL).await,
        }
    }
}

/// No password: whoever can enter the socket's folder (its owner and root) can read the cluster's
/// files as well, so a password stored beside them would protect nothing.
fn config(socket_directory: &Path, role: &str) -> tokio_postgres::Config {
    let mut config = tokio_postgres::Config::new();
    config
        .host_path(socket_directory)
        .port(PORT)
        .user(role)
        .dbname(DATABASE)
        .application_name("dossier")
        .connect_timeout(CONNECT_SECONDS_MAX);
    config
}

fn process(pid: &Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}
