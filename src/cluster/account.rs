//! The account that runs the server: the current one, or, since PostgreSQL refuses root, an
//! unprivileged account of the machine.
//!
//! Files that belong to others are never given away: the account that made a cluster keeps it.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;
use std::process::Stdio;

use nix::unistd::{AccessFlags, Gid, Uid, User, access, getegid, geteuid};
use tokio::process::Command;

use crate::cluster::Error;

/// Tried in this order; the first that exists is used.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// `initdb` runs this shell too, so it is fixed.
pub const SHELL: &str = "/bin/sh";

/// The account that owns the cluster and runs its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub name: String,
    /// Whether this process is root and starts programs as the account.
    pub dropped: bool,
    uid: Uid,
    gid: Gid,
}

/// Refuses a data directory that belongs to others.
pub fn check_owner(data_dir: &Path) -> Result<(), Error> {
    let failed = |source| Error::File { doing: "look at", path: data_dir.to_owned(), source };
    let owner = Uid::from_raw(fs::metadata(data_dir).map_err(failed)?.uid());
    // In another user's folder, links could lead root to anything on the machine. Other users may
    // use any folder that they can write, such as a volume of root and their group.
    let ours = match geteuid() {
        me if me.is_root() => owner.is_root(),
        me => owner == me || access(data_dir, AccessFlags::W_OK | AccessFlags::X_OK).is_ok(),
    };
    if ours { Ok(()) } else { Err(foreign(data_dir, owner)) }
}

/// The account for a cluster, whether the cluster exists or not.
pub fn choose(home: &Path, cluster: &Path) -> Result<Account, Error> {
    let me = geteuid();
    if !me.is_root() {
        return match owner(home)? {
            Some((owner, _)) if owner != me => Err(foreign(home, owner)),
            _ => Ok(Account { name: name(me), dropped: false, uid: me, gid: getegid() }),
        };
    }
    if !Path::new("/proc/self/fd").exists() {
        return Err(Error::RootWithoutProc);
    }
    let default = UNPRIVILEGED.iter().find_map(|name| User::from_name(name).ok().flatten());
    let Some((owner, group)) = owner(cluster)? else {
        return default.map(unprivileged).ok_or(Error::NoAccount);
    };
    if owner.is_root() {
        let account = default.ok_or(Error::NoAccount)?.name;
        return Err(Error::RootOwned { path: cluster.to_owned(), account });
    }
    // Not simply the default: an account "postgres" may have been added after the cluster.
    Ok(Account { name: name(owner), dropped: true, uid: owner, gid: group })
}

impl Account {
    /// Makes a program run as the account, without root's groups.
    pub fn run(&self, command: &mut Command) {
        if self.dropped {
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
        }
    }

    /// Checks that programs can be run as the account: root in a container may lack that right, and
    /// the error would then seem to be the program's.
    pub async fn check_can_run(&self) -> Result<(), Error> {
        if !self.dropped {
            return Ok(());
        }
        let mut command = Command::new(SHELL);
        command.args(["-c", ":"]).current_dir("/").stdin(Stdio::null());
        self.run(&mut command);
        let outcome = command.status().await;
        outcome.map(drop).map_err(|source| Error::Run {
            program: SHELL.into(),
            account: self.name.clone(),
            source,
        })
    }

    /// Gives a folder of ours to the account.
    pub fn give(&self, path: &Path) -> Result<(), Error> {
        if !self.dropped {
            return Ok(());
        }
        lchown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw())).map_err(|source| {
            Error::File { doing: "hand to the database's account", path: path.to_owned(), source }
        })
    }
}

fn unprivileged(user: User) -> Account {
    Account { name: user.name, dropped: true, uid: user.uid, gid: user.gid }
}

fn owner(path: &Path) -> Result<Option<(Uid, Gid)>, Error> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some((Uid::from_raw(found.uid()), Gid::from_raw(found.gid())))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::File { doing: "look at", path: path.to_owned(), source }),
    }
}

fn foreign(path: &Path, owner: Uid) -> Error {
    Error::ForeignOwner { path: path.to_owned(), owner: name(owner), ours: name(geteuid()) }
}

fn name(uid: Uid) -> String {
    let known = User::from_uid(uid).ok().flatten();
    known.map_or_else(|| format!("user {uid}"), |user| user.name)
}
