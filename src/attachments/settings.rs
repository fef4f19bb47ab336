//! Where attachments are stored and how many are moved at once. The environment's variables are
//! passed in.

use std::path::{Path, PathBuf};

use super::Error;

/// Uploads being received at once, by default: each may take up one file's bytes of disk.
const SPOOLS_MAX: usize = 256;
/// Contents in memory at once on their way into the store, by default.
const SENDS_MAX: usize = 4;

/// Where the objects are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder on this machine. It is made if it is missing.
    Folder(PathBuf),
    /// A bucket of S3 or of a compatible service, and a prefix in it, which may be empty.
    Bucket { bucket: String, prefix: String },
}

impl Place {
    /// Reads `s3://bucket/prefix`, `file:///folder`, or the path of a folder.
    ///
    /// # Errors
    /// [`Error::Settings`] for another scheme or a bucket without a name.
    pub fn parse(text: &str) -> Result<Place, Error> {
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(Error::Settings(format!("{text} names no bucket")));
            }
            let prefix = prefix.trim_matches('/').to_owned();
            return Ok(Place::Bucket { bucket: bucket.to_owned(), prefix });
        }
        let path = text.strip_prefix("file://").unwrap_or(text);
        if path.is_empty() || path.contains("://") {
            let wanted = "give a folder, file:///folder or s3://bucket/prefix";
            return Err(Error::Settings(format!("{text} is no place for them; {wanted}")));
        }
        Ok(Place::Folder(path.into()))
    }
}

/// The settings of a store.
#[derive(Clone, Debug)]
pub struct Settings {
    pub place: Place,
    /// For S3: names and values of the environment. Those that begin with `AWS_` are used
    /// (`AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT`, `AWS_ALLOW_HTTP`, ...).
    pub environment: Vec<(String, String)>,
    /// A folder on a disk, not in memory, for contents being received. It is made if it is missing.
    pub spool_folder: PathBuf,
    /// Uploads being received at once; more are refused.
    pub spools_max: usize,
    /// Contents in memory at once on their way into the store; more wait.
    pub sends_max: usize,
}

impl Settings {
    /// The settings for a data directory: its folder `attachments`, unless another place is given.
    ///
    /// # Errors
    /// [`Error::Settings`].
    pub fn new(data_dir: &Path, place: Option<&str>) -> Result<Settings, Error> {
        let place = match place {
            Some(text) => Place::parse(text)?,
            None => Place::Folder(data_dir.join("attachments")),
        };
        Ok(Settings {
            place,
            environment: Vec::new(),
            spool_folder: data_dir.join("spool"),
            spools_max: SPOOLS_MAX,
            sends_max: SENDS_MAX,
        })
    }
}
