//! Writes mails as `.eml` files if no server is set. Only the account of this process may read
//! them, since their links are secrets. Files are never removed.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, rename, set_permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{Failure, Mail, SettingsError};

/// A folder for mails.
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes the folder if it is missing.
    ///
    /// # Errors
    /// [`SettingsError::Folder`].
    pub fn open(path: PathBuf) -> Result<Folder, SettingsError> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .and_then(|()| set_permissions(&path, Permissions::from_mode(0o700)));
        match made {
            Ok(()) => Ok(Folder { path }),
            Err(source) => Err(SettingsError::Folder { folder: path, source }),
        }
    }

    /// Writes a mail and syncs it to disk. Writing it again replaces the file.
    ///
    /// # Errors
    /// [`Failure::Passing`].
    pub async fn write(&self, mail: &Mail, bytes: Vec<u8>) -> Result<(), Failure> {
        let folder = self.path.clone();
        let name = format!("{}-{}.eml", mail.kind.name(), mail.id);
        let written = tokio::task::spawn_blocking(move || write(&folder, &name, &bytes)).await;
        let written = written.unwrap_or_else(|ended| Err(io::Error::other(ended)));
        written.map_err(|error| Failure::Passing(format!("writing a mail to its file: {error}")))
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    // Written under another name and renamed, so that readers never see half a mail.
    let begun = folder.join(format!(".{name}"));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&begun)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rename(&begun, folder.join(name))?;
    File::open(folder)?.sync_all()
}
