//! The bytes of attachments: received into a file without a name, then kept in an object store
//! under their digest. Knows no event and no name that a user gave; never decides what may go.

mod settings;
mod spool;
mod store;

use std::error::Error as StdError;

pub use settings::{Place, Settings};
pub use spool::{Content, Spooled};
pub use store::{Object, Objects, Piece, Store, Turn};

/// A failure, told apart by what the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It has more bytes than allowed; nothing of it was kept.
    #[error("receiving more than {bytes_max} bytes")]
    TooLarge { bytes_max: u64 },
    /// It ended early or could not be read; nothing of it was kept.
    #[error("receiving an attachment")]
    Broken(#[source] Box<dyn StdError + Send + Sync>),
    /// Too many are being received; nothing was read. Try again shortly.
    #[error("too many attachments are being received")]
    Overloaded,
    /// The store or the disk did not do its part.
    #[error("{0}")]
    Unavailable(&'static str, #[source] Box<dyn StdError + Send + Sync>),
    /// The settings name no store.
    #[error("opening the attachments' store: {0}")]
    Settings(String),
}

impl Error {
    /// A failure of the store or the disk at what was being done.
    pub fn unavailable(
        doing: &'static str,
    ) -> impl Fn(Box<dyn StdError + Send + Sync>) -> Error + Copy {
        move |error| Error::Unavailable(doing, error)
    }
}
