//! Where a cluster is, which account owns it, and how its programs run.
//!
//! Links in the folders of the server's account are never followed, and the mode of a folder that
//! existed before is never changed.

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
/// The environment variables that the server's programs see. Others, such as `PGPORT`, would change
/// settings.
const ENVIRONMENT: [&str; 2] = ["PATH", "LD_LIBRARY_PATH"];

/// What is fixed while a cluster runs.
#[derive(Debug)]
pub struct Site {
    pub data_dir: PathBuf,
    /// The folder of the server's account.
    pub home: PathBuf,
    pub cluster: PathBuf,
    pub socket_directory: SocketDirectory,
    pub account: Account,
    pub binaries: Binaries,
    pub options: Options,
}

/// Where the socket is. If it is a folder outside the data directory, it is removed with this.
#[derive(Debug)]
pub struct SocketDirectory {
    pub path: PathBuf,
    outside: bool,
}

/// A folder by a name that the server's account can use.
#[derive(Debug)]
pub struct ReachableFolder {
    pub path: PathBuf,
    /// Open until the program runs and has inherited it.
    _folder: Option<File>,
}

/// Makes the data directory if there is none, and returns its full name.
pub fn prepare(data_dir: &Path) -> Result<PathBuf, Error> {
    make_folder(data_dir, true)?;
    account::check_owner(data_dir)?;
    fs::canonicalize(data_dir).map_err(|source| Error::File {
        doing: "resolve",
        path: data_dir.to_owned(),
        source,
    })
}

/// Decides which account runs what, and where. The data directory must be locked by now.
pub async fn choose(data_dir: PathBuf, options: Options) -> Result<Site, Error> {
    let home = home_of(&data_dir);
    let cluster = cluster_of(&data_dir);
    let account = account::choose(&home, &cluster)?;
    make_folder(&home, false)?;
    account.give(&home)?;
    account.check_can_run().await?;
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

/// Chooses the place of the socket. For a cluster that no process runs.
///
/// The path of a socket may have about a hundred bytes, and some file systems (shared and network
/// folders) have no sockets. Binding one shows both.
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

/// Removes the socket folder of a killed owner, if it is outside the data directory.
pub fn discard_socket_directory(path: PathBuf) {
    let outside = path.as_os_str().as_encoded_bytes().starts_with(OUTSIDE.as_bytes());
    drop(SocketDirectory { path, outside });
}

/// Removes a file, if there is one.
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
        // Errors are ignored, since anyone may have cleaned /tmp: what stays is private and empty.
        for name in socket_files() {
            let _ = fs::remove_file(self.path.join(name));
        }
        let _ = fs::remove_dir(&self.path);
    }
}

impl Site {
    /// A program of the server, or another by its full name, to run as the server's account and
    /// apart from the terminal.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(self.binaries.folder.join(program));
        command
            .env_clear()
            .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, env::var_os(name)?))))
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null())
            // Ctrl-C reaches every process in the terminal's group: the server must end later than
            // its owner's work.
            .process_group(0);
        self.account.run(&mut command);
        command
    }

    /// A name for a folder of the account, which its programs can use.
    ///
    /// The data directory is private to root in this case, as may be the folders above it
    /// (`/root`): the account cannot enter them. A descriptor that it inherits leads there, and no
    /// mode has to be changed.
    pub fn reachable_folder(&self, folder: &Path) -> Result<ReachableFolder, Error> {
        if !self.account.dropped {
            return Ok(ReachableFolder { path: folder.to_owned(), _folder: None });
        }
        let open = File::open(folder).and_then(|file| {
            fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty()))?;
            Ok(file)
        });
        let file =
            open.map_err(|source| Error::File { doing: "open", path: folder.to_owned(), source })?;
        let path = format!("/proc/self/fd/{}", file.as_raw_fd()).into();
        Ok(ReachableFolder { path, _folder: Some(file) })
    }

    /// Runs a program in the background.
    pub fn spawn(&self, command: &mut Command) -> Result<Child, Error> {
        command.spawn().map_err(|source| {
            let program: &OsStr = command.as_std().get_program();
            Error::Run { program: program.into(), account: self.account.name.clone(), source }
        })
    }
}

/// The files that a server makes in the folder of its socket, the socket first.
fn socket_files() -> [String; 2] {
    [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")]
}

/// The PostgreSQL version that made a cluster; None if there is no cluster.
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
