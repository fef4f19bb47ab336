//! Receives a content into an unnamed file and hashes it. The file disappears with its handle,
//! however the process ends, so nothing is left to clean up. One chunk is in memory at a time.

use std::error::Error as StdError;
use std::io::SeekFrom;
use std::path::Path;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use md5::Md5;
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::sync::OwnedSemaphorePermit;

use crate::domain::attachment::Digest;

use super::Error;

/// Most bytes that a file buffers before it writes them.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// What identifies a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its address in the store.
    pub digest: Digest,
    /// For clients that check it: lower case hexadecimal. Nothing here relies on it.
    pub md5: String,
    pub bytes: u64,
}

/// A content that was received and is not stored yet.
pub struct Spooled {
    pub content: Content,
    file: File,
    _place: OwnedSemaphorePermit,
}

impl Spooled {
    /// Receives a content of at most `bytes_max` bytes into `folder`.
    pub(super) async fn receive<S, E>(
        folder: &Path,
        place: OwnedSemaphorePermit,
        chunks: S,
        bytes_max: u64,
    ) -> Result<Spooled, Error>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let failed =
            |error: std::io::Error| Error::Unavailable("spooling an attachment", error.into());
        let folder = folder.to_owned();
        let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder)).await;
        let made = made.unwrap_or_else(|stopped| Err(stopped.into()));
        let mut file = File::from_std(made.map_err(failed)?);
        file.set_max_buf_size(WRITE_BYTES_MAX);
        let (mut sha256, mut md5, mut bytes) = (Sha256::new(), Md5::new(), 0_u64);
        let mut chunks = std::pin::pin!(chunks);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| Error::Broken(error.into()))?;
            bytes += chunk.len() as u64;
            if bytes > bytes_max {
                return Err(Error::TooLarge { bytes_max });
            }
            sha256.update(&chunk);
            md5.update(&chunk);
            file.write_all(&chunk).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
        let digest = Digest(sha256.finalize().into());
        let md5 = md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Spooled { content: Content { digest, md5, bytes }, file, _place: place })
    }

    /// The whole content, in memory.
    pub(super) async fn read(&mut self) -> Result<Bytes, std::io::Error> {
        self.file.seek(SeekFrom::Start(0)).await?;
        let length = usize::try_from(self.content.bytes).map_err(std::io::Error::other)?;
        let mut content = Vec::with_capacity(length);
        self.file.read_to_end(&mut content).await?;
        if content.len() != length {
            return Err(std::io::Error::other("the spooled file has another length"));
        }
        Ok(content.into())
    }
}
