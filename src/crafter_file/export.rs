//! An exported database: a folder of mongoexport files, or one of them. Files are opened one after
//! the other and never written. Other collections are named and ignored.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use super::problem::{Line, Problem};
use super::read::{Entry, Reading};
use super::records::Collection;

/// Bytes read from a file at once.
const BUFFER_BYTES: usize = 1 << 18;

/// The records of an export, tenants first, profiles last. Ends after a failure to read: profiles
/// need their tenants.
pub struct Export {
    waiting: VecDeque<ExportFile>,
    current: Option<Reading<BufReader<File>>>,
    bytes_done: u64,
    bytes_total: u64,
    warnings: Vec<String>,
    left_out: Vec<String>,
}

#[derive(Clone, Debug)]
struct ExportFile {
    collection: Collection,
    path: PathBuf,
}

/// Why a path is not accepted as an export.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("reading {path}")]
    Unread { path: String, source: io::Error },
    #[error(
        "{0} has no accesstoken.json, tenant.json or profile.json, and no DATABASE.profile.json"
    )]
    Nothing(String),
    #[error("{folder}: both {first} and {second} hold the collection {collection}")]
    Twice { folder: String, collection: &'static str, first: String, second: String },
}

impl Export {
    /// The export at a path: a folder, or one file named after its collection.
    ///
    /// # Errors
    /// It cannot be read, holds nothing known, or holds a collection twice.
    pub fn open(path: &Path) -> Result<Export, Unusable> {
        let unread = |path: &Path| {
            let path = path.display().to_string();
            |source| Unusable::Unread { path, source }
        };
        let (files, left_out) = files(path).map_err(unread(path))?;
        if files.is_empty() {
            return Err(Unusable::Nothing(path.display().to_string()));
        }
        let mut bytes_total = 0;
        for file in &files {
            bytes_total += file.path.metadata().map_err(unread(&file.path))?.len();
        }
        let twice = files.windows(2).find(|pair| pair[0].collection == pair[1].collection);
        if let Some([first, second]) = twice {
            return Err(Unusable::Twice {
                folder: path.display().to_string(),
                collection: first.collection.name(),
                first: name(&first.path),
                second: name(&second.path),
            });
        }
        let waiting = files.into();
        Ok(Export {
            waiting,
            current: None,
            bytes_done: 0,
            bytes_total,
            warnings: vec![],
            left_out,
        })
    }

    /// Size of all files that are read, in bytes.
    pub fn bytes_total(&self) -> u64 {
        self.bytes_total
    }

    /// Bytes read so far from all files.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_done + self.current.as_ref().map_or(0, Reading::bytes_read)
    }

    /// A warning for each field left out; complete once all records are read.
    pub fn warnings(&self) -> Vec<String> {
        let current = self.current.iter().flat_map(|reading| reading.unknown_fields().warnings());
        self.warnings.iter().cloned().chain(current).collect()
    }

    /// Names of the folder's other `.json` files, such as tickets and attachments.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    fn finish_file(&mut self) {
        let Some(reading) = self.current.take() else { return };
        self.bytes_done += reading.bytes_read();
        self.warnings.extend(reading.unknown_fields().warnings());
        if reading.failed() {
            self.waiting.clear();
        }
    }
}

impl Iterator for Export {
    type Item = Result<Entry, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.current.as_mut().and_then(Iterator::next) {
                return Some(item);
            }
            self.finish_file();
            let file = self.waiting.pop_front()?;
            let name = name(&file.path);
            match File::open(&file.path) {
                Ok(opened) => {
                    let source = BufReader::with_capacity(BUFFER_BYTES, opened);
                    self.current = Some(Reading::new(file.collection, &name, source));
                }
                Err(error) => {
                    self.waiting.clear();
                    let line = Line { file: name.into(), number: 1 };
                    return Some(Err(line.problem(format!("reading stopped here: {error}"))));
                }
            }
        }
    }
}

/// The collection that a file of this name holds: `profile.json` or `DATABASE.profile.json`.
pub fn collection_of(name: &str) -> Option<Collection> {
    let name = name.to_ascii_lowercase();
    let stem = name.strip_suffix(".json")?;
    let collection = match stem.split_once('.') {
        Some(("", _)) => return None,
        Some((_, collection)) => collection,
        None => stem,
    };
    Collection::ALL.into_iter().find(|one| one.name() == collection)
}

/// The files of an export in reading order, and the names of those that are ignored.
fn files(path: &Path) -> io::Result<(Vec<ExportFile>, Vec<String>)> {
    if !path.metadata()?.is_dir() {
        let collection = collection_of(&name(path));
        let file = collection.map(|collection| ExportFile { collection, path: path.to_owned() });
        return Ok((file.into_iter().collect(), Vec::new()));
    }
    let (mut files, mut left_out) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        if !path.is_file() {
            continue;
        }
        let name = name(&path);
        match collection_of(&name) {
            Some(collection) => files.push(ExportFile { collection, path }),
            None if name.ends_with(".json") => left_out.push(name),
            None => {}
        }
    }
    files.sort_by(|one, other| (one.collection, &one.path).cmp(&(other.collection, &other.path)));
    left_out.sort();
    Ok((files, left_out))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
