//! A multipart request with one file among its parts: text fields first, then the file, whichever
//! order they come in. Decides nothing of who may send it; holds little of it in memory.
//!
//! Fields before the file are there before any of its bytes are read, so that who sends it can be
//! checked first. What comes after the file is read once the file lies on disk.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, BodyDataStream};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use futures_util::{Stream, stream};
use multer::{Constraints, Field, Multipart, SizeLimit};

use crate::engine::attachments::{Error as StoreError, Spooled, Store};

/// The part that holds the file.
const FILE_PART: &str = "attachment";
/// Most parts of one request.
const PARTS_MAX: usize = 32;
/// Longest text field, in bytes.
const FIELD_BYTES_MAX: u64 = 16 << 10;
/// Most bytes that the parser is given at once.
const PIECE_BYTES_MAX: usize = 32 << 10;
/// Most bytes that are read without a part being found or moving on.
const UNUSED_BYTES_MAX: u64 = 64 << 10;

/// Text fields by name; of several with one name the first.
pub type Fields = BTreeMap<String, String>;

/// Why a request is no upload.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("the request is not multipart/form-data with a boundary")]
    NotMultipart,
    #[error("the request has more than {bytes_max} bytes")]
    TooLarge { bytes_max: u64 },
    #[error("the request has no file part, or more than one")]
    NotOneFile(Fields),
    #[error("reading the parts of the request")]
    Malformed(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("receiving the file")]
    Store(#[source] StoreError),
}

/// An upload, read up to its file.
pub struct Upload {
    fields: Fields,
    parts: Parts,
    file: Field<'static>,
}

/// An upload, read to its end.
pub struct Received {
    pub fields: Fields,
    /// What the file part says the file is called. Nothing is checked.
    pub file_name: Option<String>,
    pub file: Spooled,
}

impl Upload {
    /// Reads the text fields before the file. The whole request has at most `bytes_max` bytes.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub async fn open(
        headers: &HeaderMap,
        body: Body,
        bytes_max: u64,
    ) -> Result<Upload, Unreadable> {
        let mut parts = Parts::new(headers, body, bytes_max)?;
        let mut fields = Fields::new();
        match parts.next_file(&mut fields).await? {
            Some(file) => Ok(Upload { fields, parts, file }),
            None => Err(Unreadable::NotOneFile(fields)),
        }
    }

    /// The text fields that came before the file.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Receives the file, then reads what follows it.
    ///
    /// # Errors
    /// [`Unreadable`]; nothing of the file is left.
    pub async fn receive(self, store: &Store) -> Result<Received, Unreadable> {
        let Upload { mut fields, mut parts, file } = self;
        let file_name = file.file_name().map(str::to_owned);
        let chunks = stream::unfold((file, parts.unused.clone()), |(mut file, unused)| async {
            let chunk = next_chunk(&mut file, &unused).await.transpose();
            chunk.map(|chunk| (chunk, (file, unused)))
        });
        let spooled = store.spool(chunks, parts.bytes_max).await;
        let file = spooled.map_err(|error| parts.failed(error))?;
        match parts.next_file(&mut fields).await? {
            None => Ok(Received { fields, file_name, file }),
            Some(_) => Err(Unreadable::NotOneFile(fields)),
        }
    }
}

/// The parts of a request.
struct Parts {
    parts: Multipart<'static>,
    unused: Arc<AtomicU64>,
    left: usize,
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
        let bounds = SizeLimit::new()
            .whole_stream(bytes_max)
            .per_field(FIELD_BYTES_MAX)
            .for_field(FILE_PART, bytes_max);
        let constraints = Constraints::new().size_limit(bounds);
        let parts = Multipart::with_constraints(body, boundary, constraints);
        Ok(Parts { parts, unused, left: PARTS_MAX, bytes_max })
    }

    /// The next file part, text fields before it put into `fields`; None at the end.
    async fn next_file(
        &mut self,
        fields: &mut Fields,
    ) -> Result<Option<Field<'static>>, Unreadable> {
        loop {
            self.unused.store(0, Ordering::Relaxed);
            let part = self.parts.next_field().await.map_err(|error| self.malformed(error))?;
            let Some(mut part) = part else { return Ok(None) };
            self.left = self.left.checked_sub(1).ok_or_else(|| {
                Unreadable::Malformed(format!("more than {PARTS_MAX} parts").into())
            })?;
            let Some(name) = part.name().map(str::to_owned) else { continue };
            if name == FILE_PART {
                return Ok(Some(part));
            }
            if part.file_name().is_some() {
                let what = format!("a file where none belongs: the part {FILE_PART} is the file");
                return Err(Unreadable::Malformed(what.into()));
            }
            let mut text = Vec::new();
            while let Some(chunk) =
                next_chunk(&mut part, &self.unused).await.map_err(|error| self.malformed(error))?
            {
                text.extend_from_slice(&chunk);
            }
            let text = String::from_utf8(text);
            let text = text.map_err(|error| Unreadable::Malformed(error.into()))?;
            fields.entry(name).or_insert(text);
        }
    }

    fn malformed(&self, error: multer::Error) -> Unreadable {
        match error {
            multer::Error::StreamSizeExceeded { .. } => {
                Unreadable::TooLarge { bytes_max: self.bytes_max }
            }
            error => Unreadable::Malformed(error.into()),
        }
    }

    fn failed(&self, error: StoreError) -> Unreadable {
        match error {
            StoreError::TooLarge { bytes_max } => Unreadable::TooLarge { bytes_max },
            StoreError::Broken(error) => match error.downcast::<multer::Error>() {
                Ok(error) => self.malformed(*error),
                Err(error) => Unreadable::Malformed(error),
            },
            error => Unreadable::Store(error),
        }
    }
}

/// The next bytes of a part; None at its end.
async fn next_chunk(
    part: &mut Field<'static>,
    unused: &AtomicU64,
) -> Result<Option<Bytes>, multer::Error> {
    unused.store(0, Ordering::Relaxed);
    part.chunk().await
}

/// A body that gives a small piece each time it is asked. The parser copies all that it is given
/// before it looks at any of it, which could be the whole request.
struct Paced {
    body: BodyDataStream,
    /// Of the last frame, what was not given yet.
    rest: Bytes,
    /// Bytes given since the parser last got somewhere.
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
