//! Where a cluster lies, whose it is, and how its programs are run there.
//!
//! It never follows what the server's account put into its folders, and never changes the
//! mode of a folder that was there before.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::mkdtemp;
use tokio::process::{Child, Command};
use tracing::debug;

use crate::cluster::account::{self, Account};
use crate::cluster::binaries::{self, Binaries};
use crate::cluster::{Error, Options, PORT};

/// Folders for the sockets of data directories that cannot hold one.
const OUTSIDE: &str = "/tmp/dossier-";
/// What the server's programs see of our environment. The rest stays out: `PGPORT` and its kind
/// would change settings behind our back.
const ENVIRONMENT: [&str; 2] = ["PATH", "LD_LIBRARY_PATH"];

/// All that is fixed while a cluster runs.
#[derive(Debug)]
pub struct Site {
    pub data_dir: PathBuf,
    /// Everything the server's account may touch.
    pub home: PathBuf,
    pub cluster: PathBuf,
    pub socket_directory: SocketDirectory,
    pub account: Account,
    pub binaries: Binaries,
    pub options: Options,
}

/// Where the socket lies. A folder of its own outside the data directory goes with this.
#[derive(Debug)]
pub struct SocketDirectory {
    pub path: PathBuf,
    outside: bool,
}

/// A folder by a name under which the server's account can reach it.
#[derive(Debug)]
pub struct Doorway {
    pub path: PathBuf,
    /// Open until the program runs and has inherited it.
    _folder: Option<File>,
}

/// Makes the data directory if there is none, and gives its full name.
pub fn prepare(data_dir: &Path) -> Result<PathBuf, Error> {
    make_folder(data_dir, true)?;
    account::check_owner(data_dir)?;
    fs::canonicalize(data_dir).map_err(|source| Error::File {
        doing: "resolve",
        path: data_dir.to_owned(),
        source,
    })
}

/// Decides who runs what where. The data directory must be ours by now.
pub async fn choose(data_dir: PathBuf, options: Options) -> Result<Site, Error> {
    let home = home_of(&data_dir);
    let cluster = cluster_of(&data_dir);
    let account = account::choose(&home, &cluster)?;
    make_folder(&home, false)?;
    account.give(&home)?;
    account.try_out().await?;
    let binaries = binaries::find(&data_dir, made_by(&cluster)?, &account).await?;
    let socket_directory = SocketDirectory { path: home.clone(), outside: false };
    Ok(Site { data_dir, home, cluster, socket_directory, account, binaries, options })
}

fn home_of(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres")
}

/// Where the cluster of a data directory is, if there is one.
pub fn cluster_of(data_dir: &Path) -> PathBuf {
    home_of(data_dir).join("data")
}

/// Settles where the socket lies. Only for a cluster that nobody runs.
///
/// The names of sockets have a limit of about a hundred bytes, and some file systems (of shared
/// and network folders) have no sockets at all. Binding one tells both.
pub fn settle_socket(site: Site) -> Result<Site, Error> {
    for name in socket_files() {
        remove_if_there(&site.home.join(name))?;
    }
    let socket = site.home.join(&socket_files()[0]);
    let Err(error) = UnixListener::bind(&socket) else {
        remove_if_there(&socket)?;
        return Ok(site);
    };
    let template = format!("{OUTSIDE}XXXXXX");
    let path = mkdtemp(template.as_str()).map_err(|errno| Error::File {
        doing: "make",
        path: template.into(),
        source: errno.into(),
    })?;
    debug!(%error, "the socket is in {}, the data directory cannot hold one", path.display());
    let socket_directory = SocketDirectory { path, outside: true };
    site.account.give(&socket_directory.path)?;
    Ok(Site { socket_directory, ..site })
}

/// Removes the socket's folder of an owner that was killed, if it was outside the data directory.
pub fn discard_socket_directory(path: PathBuf) {
    let outside = path.as_os_str().as_encoded_bytes().starts_with(OUTSIDE.as_bytes());
    drop(SocketDirectory { path, outside });
}

/// Removes a file, or does nothing if there is none.
pub fn remove_if_there(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::File { doing: "remove", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

impl Drop for SocketDirectory {
    fn drop(&mut self) {
        if !self.outside {
            return;
        }
        // Best effort, as anyone may have cleaned up /tmp: what stays is private and empty.
        for name in socket_files() {
            let _ = fs::remove_file(self.path.join(name));
        }
        let _ = fs::remove_dir(&self.path);
    }
}

impl Site {
    /// One of the server's programs, or any other by its full name, to run as the server's
    /// account and apart from our terminal.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(self.binaries.folder.join(program));
        command
            .env_clear()
            .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, env::var_os(name)?))))
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null())
            // Ctrl-C reaches every process of the terminal's group: the server is to end when we
            // have finished with it, not before.
            .process_group(0);
        self.account.run(&mut command);
        command
    }

    /// A name for a folder of the account's that its programs can use.
    ///
    /// The data directory is private to root then, and so may be the folders it is in (`/root`):
    /// the account cannot walk there. A descriptor it inherits takes it in, and no mode on the
    /// way has to be changed.
    pub fn doorway(&self, folder: &Path) -> Result<Doorway, Error> {
        if !self.account.dropped {
            return Ok(Doorway { path: folder.to_owned(), _folder: None });
        }
        let open = File::open(folder).and_then(|file| {
            fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty()))?;
            Ok(file)
        });
        let file =
            open.map_err(|source| Error::File { doing: "open", path: folder.to_owned(), source })?;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd()).into();
        Ok(Doorway { path, _folder: Some(file) })
    }

    /// Runs a program in the background.
    pub fn spawn(&self, command: &mut Command) -> Result<Child, Error> {
        command.spawn().map_err(|source| {
            let program: &OsStr = command.as_std().get_program();
            Error::Run { program: program.into(), account: self.account.name.clone(), source }
        })
    }
}

/// What a server makes in the folder of its socket, the socket first.
fn socket_files() -> [String; 2] {
    [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")]
}

/// The version of PostgreSQL a cluster was made by; none if there is no cluster.
fn made_by(cluster: &Path) -> Result<Option<u32>, Error> {
    if !cluster.exists() {
        return Ok(None);
    }
    let path = cluster.join("PG_VERSION");
    let version = fs::read_to_string(&path).and_then(|text| {
        binaries::number(&text).ok_or_else(|| io::Error::other("it does not hold a version"))
    });
    version.map(Some).map_err(|source| Error::File { doing: "read", path, source })
}

fn make_folder(path: &Path, recursive: bool) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).recursive(recursive).create(path) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::File { doing: "make", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
