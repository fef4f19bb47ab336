//! The bytes of attachments: received into an unnamed file, then stored in an object store under
//! their digest. Events, file names and permissions are elsewhere.

mod settings;
mod spool;
mod store;

use std::error::Error as StdError;

pub use settings::{Place, Settings};
pub use spool::{Content, Spooled};
pub use store::{Object, Objects, Piece, Store, Turn};

/// A failure, by what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The content has more bytes than allowed; nothing of it was stored.
    #[error("receiving more than {bytes_max} bytes")]
    TooLarge { bytes_max: u64 },
    /// The content ended early or could not be read; nothing of it was stored.
    #[error("receiving an attachment")]
    Broken(#[source] Box<dyn StdError + Send + Sync>),
    /// Too many are being received; nothing was read. Try again shortly.
    #[error("too many attachments are being received")]
    Overloaded,
    /// The store or the disk failed.
    #[error("{0}")]
    Unavailable(&'static str, #[source] Box<dyn StdError + Send + Sync>),
    /// The settings describe no store.
    #[error("opening the attachments' store: {0}")]
    Settings(String),
}

impl Error {
    /// A failure of the store or the disk, and what was being done.
    pub fn unavailable(
        doing: &'static str,
    ) -> impl Fn(Box<dyn StdError + Send + Sync>) -> Error + Copy {
        move |error| Error::Unavailable(doing, error)
    }
}
