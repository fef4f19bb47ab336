//! One owner for each data directory: an advisory lock, which the kernel releases when its holder
//! ends in any way, on a file that names the owner.
//!
//! The file is never removed: a second file in its place could be locked as well.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cluster::Error;

const NAME: &str = "dossier.lock";
/// A process that only looks who the owner is holds a shared lock for a moment: so try again.
const ATTEMPTS_MAX: u32 = 10;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(10);

/// The data directory belongs to this process while this value exists.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

/// What an owner tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub pid: Option<u32>,
    /// Set once its database can be used.
    pub socket_directory: Option<PathBuf>,
}

/// Takes the lock; also returns the socket directory that a killed owner could not remove.
pub async fn acquire(data_dir: &Path) -> Result<(Lock, Option<PathBuf>), Error> {
    let path = data_dir.join(NAME);
    let failed = |source| Error::File { doing: "lock", path: path.clone(), source };
    for _ in 0..ATTEMPTS_MAX {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, &path) => {
                let left_behind = read(&file).map_err(failed)?.socket_directory;
                let lock = Lock { file, path };
                lock.write(format!("{}\n", std::process::id()).as_bytes())?;
                return Ok((lock, left_behind));
            }
            Ok(()) | Err(TryLockError::WouldBlock) => tokio::time::sleep(ATTEMPT_PAUSE).await,
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
    let pid = holder(data_dir)?.and_then(|holder| holder.pid);
    Err(Error::AlreadyRunning { data_dir: data_dir.to_owned(), pid })
}

/// The owner of the data directory, if there is one.
pub fn holder(data_dir: &Path) -> Result<Option<Holder>, Error> {
    let path = data_dir.join(NAME);
    let failed = |source| Error::File { doing: "look at", path: path.clone(), source };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(source)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => read(&file).map(Some).map_err(failed),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

impl Lock {
    /// Tells others that the database can be used, and where its socket is.
    pub fn announce(&self, socket_directory: &Path) -> Result<(), Error> {
        let mut text = format!("{}\n", std::process::id()).into_bytes();
        text.extend_from_slice(socket_directory.as_os_str().as_bytes());
        text.push(b'\n');
        self.write(&text)
    }

    /// Clears the file, so that the next owner has nothing to clean up.
    pub fn withdraw(&self) -> Result<(), Error> {
        self.write(b"")
    }

    fn write(&self, text: &[u8]) -> Result<(), Error> {
        let written = self.file.set_len(0).and_then(|()| self.file.write_all_at(text, 0));
        written.map_err(|source| Error::File { doing: "write", path: self.path.clone(), source })
    }
}

/// Two lines, each with an end, since the owner may be writing them. Paths may contain line ends,
/// so the second line reaches to the last one.
fn read(mut file: &File) -> io::Result<Holder> {
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    let pid = std::str::from_utf8(first).ok().and_then(|digits| digits.parse().ok());
    let socket = rest.strip_prefix(b"\n").and_then(|rest| rest.strip_suffix(b"\n"));
    let socket_directory = socket.map(|path| PathBuf::from(OsStr::from_bytes(path)));
    Ok(Holder { pid, socket_directory })
}

/// Whether the locked file is still the one that others find.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(ours), Ok(theirs)) = (file.metadata(), path.metadata()) else {
        return false;
    };
    (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino())
}
