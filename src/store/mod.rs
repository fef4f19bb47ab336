//! The log: appending events, reading streams, following the head. Areas and their rules are
//! unknown here, and an event is never changed.

mod admit;
mod append;
mod appending;
mod batch;
mod claims;
mod connect;
mod epoch;
mod error;
mod facts;
mod migrate;
mod moments;
mod outcome;
mod read;
mod token;
mod transaction;
mod transfer;
mod types;

pub use append::{Appender, AppenderSettings, CHANNEL, Feed};
pub use claims::{Claimed, ENDED_CLAIMS, keep_claim};
pub use connect::{Database, Listener, within};
pub use epoch::{begin_epoch, raise_epoch};
pub use error::{Doing, Error};
pub use migrate::{GRANTED_ROLE, migrate};
pub use read::Reader;
pub use token::{PositionToken, TokenError, TokenKey};
pub use transfer::{Import, LogTable, Snapshot};
pub use types::{
    Append, Appended, AreaName, Claim, Envelope, Guard, NewEvent, OperationalRow, OperationalTable,
    Priority, Recorded, StreamKey, StreamPage, StreamRange, StreamWrite,
};
