//! A multipart request with one file: text fields first, then the file, in whatever order they
//! come. Little of it is in memory. Who may send it is decided elsewhere.
//!
//! The fields before the file are read before any byte of the file, so that the caller can be
//! checked first. Parts after the file are read once the file is on disk.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, BodyDataStream};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use bytes::Bytes;
use futures_util::{Stream, stream};
use multer::{Constraints, Field, Multipart, SizeLimit};

use crate::engine::kept::attachments::{Error as StoreError, Spooled, Store};

/// The part that holds the file.
const FILE_PART: &str = "attachment";
/// Most parts of one multipart request.
const PARTS_MAX: usize = 32;
/// Longest text field of a multipart request, in bytes.
const FIELD_BYTES_MAX: usize = 16 << 10;
/// Most bytes that the parser is given at once.
const PIECE_BYTES_MAX: usize = 32 << 10;
/// Most bytes that are read while no part is found and none continues.
const UNUSED_BYTES_MAX: u64 = 64 << 10;

/// Text fields by name; if a name repeats, the first.
pub type Fields = BTreeMap<String, String>;

/// Why a request is not accepted as an upload.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("the request is not multipart/form-data with a boundary")]
    NotMultipart,
    #[error("the request has more than {bytes_max} bytes")]
    TooLarge { bytes_max: u64 },
    #[error("the part {FILE_PART} of the request is the file: there is to be one")]
    NotOneFile,
    #[error("the part {0} of the request holds a file: only the part {FILE_PART} may")]
    Misplaced(String),
    #[error("part {number} of the request is unreadable")]
    Malformed {
        number: usize,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("receiving the file")]
    Store(#[source] StoreError),
}

/// A refused request with the text fields read so far: they may contain the access token.
pub struct Refused {
    pub fields: Fields,
    pub why: Unreadable,
}

/// An upload whose file comes next.
pub struct Upload {
    fields: Fields,
    parts: Parts,
    file: Field<'static>,
}

/// An upload that was read completely.
pub struct Received {
    pub fields: Fields,
    /// The file name in the file's part, unchecked.
    pub file_name: Option<String>,
    pub file: Spooled,
}

impl Upload {
    /// Reads the text fields before the file. The whole request has at most `bytes_max` bytes.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn open(headers: &HeaderMap, body: Body, bytes_max: u64) -> Result<Upload, Refused> {
        let mut fields = Fields::new();
        let why = match Parts::new(headers, body, bytes_max) {
            Err(why) => why,
            Ok(mut parts) => match parts.next_file(&mut fields).await {
                Ok(Some(file)) => return Ok(Upload { fields, parts, file }),
                Ok(None) => Unreadable::NotOneFile,
                Err(why) => why,
            },
        };
        Err(Refused { fields, why })
    }

    /// The text fields that came before the file.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Receives the file, then reads what follows it.
    ///
    /// # Errors
    /// [`Unreadable`]; the bytes received so far are removed.
    pub async fn receive(self, store: &Store) -> Result<Received, Unreadable> {
        let Upload { mut fields, mut parts, file } = self;
        let file_name = disposition(&file).file_name;
        let chunks = stream::unfold((file, parts.unused.clone()), |(mut file, unused)| async {
            let chunk = next_chunk(&mut file, &unused).await.transpose();
            chunk.map(|chunk| (chunk, (file, unused)))
        });
        let spooled = store.spool(chunks, parts.bytes_max).await;
        let file = spooled.map_err(|error| parts.failed(error))?;
        match parts.next_file(&mut fields).await? {
            None => Ok(Received { fields, file_name, file }),
            Some(_) => Err(Unreadable::NotOneFile),
        }
    }
}

/// The parts of a request.
struct Parts {
    parts: Multipart<'static>,
    unused: Arc<AtomicU64>,
    /// How many have begun.
    begun: usize,
    bytes_max: u64,
}

impl Parts {
    fn new(headers: &HeaderMap, body: Body, bytes_max: u64) -> Result<Parts, Unreadable> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let boundary = content_type.and_then(|text| multer::parse_boundary(text).ok());
        let boundary = boundary.ok_or(Unreadable::NotMultipart)?;
        let unused = Arc::new(AtomicU64::new(0));
        let body = Paced {
            body: body.into_data_stream(),
            rest: Bytes::new(),
            unused: unused.clone(),
            resting: false,
        };
        let bounds = SizeLimit::new().whole_stream(bytes_max);
        let constraints = Constraints::new().size_limit(bounds);
        let parts = Multipart::with_constraints(body, boundary, constraints);
        Ok(Parts { parts, unused, begun: 0, bytes_max })
    }

    /// The next file part; text fields before it are put into `fields`. None at the end. A file in
    /// the wrong place is told once all fields are read.
    async fn next_file(
        &mut self,
        fields: &mut Fields,
    ) -> Result<Option<Field<'static>>, Unreadable> {
        let mut misplaced = None;
        loop {
            self.unused.store(0, Ordering::Relaxed);
            self.begun += 1;
            let part = self.parts.next_field().await.map_err(|error| self.malformed(error))?;
            let Some(mut part) = part else {
                return misplaced.map_or(Ok(None), |name| Err(Unreadable::Misplaced(name)));
            };
            if self.begun > PARTS_MAX {
                return Err(self.unreadable(format!("more than {PARTS_MAX} parts")));
            }
            let Disposition { name, file_name } = disposition(&part);
            let Some(name) = name else { continue };
            if name == FILE_PART && misplaced.is_none() {
                return Ok(Some(part));
            }
            if file_name.is_some() {
                misplaced.get_or_insert(name);
                continue;
            }
            let mut text = Vec::new();
            while let Some(chunk) =
                next_chunk(&mut part, &self.unused).await.map_err(|error| self.malformed(error))?
            {
                text.extend_from_slice(&chunk);
                if text.len() > FIELD_BYTES_MAX {
                    return Err(self.unreadable(format!("over {FIELD_BYTES_MAX} bytes of text")));
                }
            }
            let text = String::from_utf8(text).map_err(|error| self.unreadable(error))?;
            fields.entry(name).or_insert(text);
        }
    }

    fn unreadable(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Unreadable {
        Unreadable::Malformed { number: self.begun, source: error.into() }
    }

    fn malformed(&self, error: multer::Error) -> Unreadable {
        match error {
            multer::Error::StreamSizeExceeded { .. } => {
                Unreadable::TooLarge { bytes_max: self.bytes_max }
            }
            error => self.unreadable(error),
        }
    }

    fn failed(&self, error: StoreError) -> Unreadable {
        match error {
            StoreError::TooLarge { bytes_max } => Unreadable::TooLarge { bytes_max },
            StoreError::Broken(error) => match error.downcast::<multer::Error>() {
                Ok(error) => self.malformed(*error),
                Err(error) => self.unreadable(error),
            },
            error => Unreadable::Store(error),
        }
    }
}

/// The name of a part and its file name.
#[derive(Default)]
struct Disposition {
    name: Option<String>,
    file_name: Option<String>,
}

/// RFC 2183: parameters of `Content-Disposition`, whose names are of any case (RFC 2045).
fn disposition(part: &Field<'_>) -> Disposition {
    let mut found = Disposition::default();
    let header = part.headers().get(CONTENT_DISPOSITION);
    let header = header.map(|value| String::from_utf8_lossy(value.as_bytes())).unwrap_or_default();
    let mut rest = header.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = value_of(after.trim_start());
        let place = match name.trim().to_ascii_lowercase().as_str() {
            "name" => Some(&mut found.name),
            "filename" => Some(&mut found.file_name),
            _ => None,
        };
        if let Some(place) = place {
            place.get_or_insert(value);
        }
        rest = after.split_once(';').map_or("", |(_, rest)| rest);
    }
    found
}

/// The value of a parameter at the start of a text, quoted or not, and the rest of the text.
/// Browsers escape only quotes: a backslash before another character is a backslash.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return (text[..end].trim_end().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' if characters.peek().is_some_and(|(_, next)| *next == '"') => {
                characters.next();
                value.push('"');
            }
            other => value.push(other),
        }
    }
    (value, "")
}

/// The next bytes of a part; None at its end.
async fn next_chunk(
    part: &mut Field<'static>,
    unused: &AtomicU64,
) -> Result<Option<Bytes>, multer::Error> {
    unused.store(0, Ordering::Relaxed);
    part.chunk().await
}

/// Gives the parser a body in small pieces. The parser copies all that it is given before it looks
/// at it, which could be the whole request.
struct Paced {
    body: BodyDataStream,
    /// What is left of the last frame.
    rest: Bytes,
    /// Bytes given since the parser last made progress.
    unused: Arc<AtomicU64>,
    resting: bool,
}

impl Stream for Paced {
    type Item = Result<Bytes, Box<dyn std::error::Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.resting) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.unused.load(Ordering::Relaxed) > UNUSED_BYTES_MAX {
            return Poll::Ready(Some(Err("text or headers of a part are too long".into())));
        }
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_next(context)) {
                Some(Ok(frame)) => self.rest = frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => return Poll::Ready(None),
            }
        }
        let length = self.rest.len().min(PIECE_BYTES_MAX);
        let piece = self.rest.split_to(length);
        self.resting = true;
        self.unused.fetch_add(piece.len() as u64, Ordering::Relaxed);
        Poll::Ready(Some(Ok(piece)))
    }
}
