//! What goes into the log and what comes out of it.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Error;

/// Most streams that one append may write.
const APPEND_STREAMS_MAX: usize = 128;
/// Most bytes of payloads in one append.
const APPEND_BYTES_MAX: usize = 1 << 20;
/// Longest name of an area, in bytes.
const AREA_BYTES_MAX: usize = 12;

/// The name of an area, stored inline so that keys of streams are cheap to copy and hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AreaName([u8; AREA_BYTES_MAX]);

impl AreaName {
    /// The area with this name; None if it is longer than 12 bytes.
    pub fn new(name: &str) -> Option<AreaName> {
        let mut bytes = [0; AREA_BYTES_MAX];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(AreaName(bytes))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(AREA_BYTES_MAX);
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }
}

impl fmt::Debug for AreaName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names a stream: one aggregate of one tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamKey {
    pub tenant_id: Uuid,
    pub area: AreaName,
    pub id: Uuid,
}

/// Some events of a stream: those after the version `after`, up to `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamRange {
    pub stream: StreamKey,
    pub after: i64,
    pub until: i64,
}

/// Which page of a stream.
#[derive(Clone, Copy, Debug)]
pub struct StreamPage<'a> {
    /// The positions, exclusive, between which the events lie.
    pub between: (i64, i64),
    /// Names of events; empty for all.
    pub names: &'a [String],
    pub ascending: bool,
    /// Most events.
    pub limit: i64,
}

/// Who acted, as whom, from where and why: the same for all events of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    pub request_id: Uuid,
    pub correlation_id: Uuid,
    pub session_id: Option<Uuid>,
    /// `profile`, `access_token`, `operator` or `system`.
    pub real_actor_kind: &'static str,
    pub real_actor_id: Uuid,
    /// The name of an operator or of a part of the system.
    pub real_actor_name: Option<String>,
    /// The same as the real actor, unless that acts as another.
    pub effective_actor_id: Uuid,
    /// The profiles that the actor acts as, outermost first.
    pub emulation: Vec<Uuid>,
    /// The grant of the innermost of these layers.
    pub grant_id: Option<Uuid>,
    /// The operation: `create`, `emulate`, `import`, and others.
    pub operation: &'static str,
    /// `http`, `mcp`, `cli` or `system`.
    pub channel: &'static str,
    /// `v5`, `crafter`, `history`, or `none`.
    pub face: &'static str,
    pub client_address: Option<String>,
    pub user_agent: Option<String>,
    pub reason: Option<String>,
}

impl Envelope {
    /// The envelope of an event that was read only for its fact.
    pub fn nobody() -> Envelope {
        Envelope {
            request_id: Uuid::nil(),
            correlation_id: Uuid::nil(),
            session_id: None,
            real_actor_kind: "",
            real_actor_id: Uuid::nil(),
            real_actor_name: None,
            effective_actor_id: Uuid::nil(),
            emulation: vec![],
            grant_id: None,
            operation: "",
            channel: "",
            face: "",
            client_address: None,
            user_agent: None,
            reason: None,
        }
    }
}

/// An event to be appended.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub id: Uuid,
    pub name: String,
    pub schema_version: i16,
    /// When it became true; None: when it is recorded.
    pub occurred_at: Option<DateTime<Utc>>,
    /// A JSON object.
    pub payload: String,
}

/// Events for one stream.
#[derive(Clone, Debug)]
pub struct StreamWrite {
    pub stream: StreamKey,
    /// The version the stream must have; 0: it must not exist.
    pub expected_version: i64,
    pub events: Vec<NewEvent>,
}

/// A stream that is not written but must still have this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    pub stream: StreamKey,
    pub version: i64,
}

/// Something that only one may hold at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// A 16-byte hash of what is claimed.
    pub claim: Uuid,
    pub kind: &'static str,
    pub tenant_id: Uuid,
    /// The holder: a profile, a session, a key.
    pub holder: Uuid,
    /// When it ends; None is never.
    pub expires_at: Option<DateTime<Utc>>,
}

/// How rows of a table of operational state are written.
#[derive(Debug, PartialEq, Eq)]
pub struct OperationalTable {
    /// One statement that writes all rows of `$1`, a JSON array of them.
    pub write: &'static str,
}

/// A row of operational state, written in the append's own transaction.
#[derive(Clone, Debug)]
pub struct OperationalRow {
    pub table: &'static OperationalTable,
    pub row: serde_json::Value,
}

/// One atomic change of the log: all of it happens, or nothing.
#[derive(Clone, Debug)]
pub struct Append {
    pub envelope: Arc<Envelope>,
    pub writes: Vec<StreamWrite>,
    pub guards: Vec<Guard>,
    pub takes: Vec<Claim>,
    pub releases: Vec<Uuid>,
    pub rows: Vec<OperationalRow>,
}

impl Append {
    /// Whether the log accepts so much at once.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn check_bounds(&self) -> Result<(), Error> {
        let events = self.writes.iter().flat_map(|write| &write.events);
        let bytes: usize = events.map(|event| event.payload.len()).sum();
        if self.writes.len() > APPEND_STREAMS_MAX {
            return Err(Error::TooLarge(format!("more than {APPEND_STREAMS_MAX} streams")));
        }
        if bytes > APPEND_BYTES_MAX {
            return Err(Error::TooLarge(format!(
                "more than {} MiB of events",
                APPEND_BYTES_MAX >> 20
            )));
        }
        if self.writes.iter().all(|write| write.events.is_empty()) {
            return Err(Error::TooLarge("no event".to_owned()));
        }
        Ok(())
    }
}

/// The result of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    pub first_position: i64,
    pub last_position: i64,
    pub recorded_at: DateTime<Utc>,
}

/// An event in the log.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub position: i64,
    pub event_id: Uuid,
    pub stream: StreamKey,
    pub version: i64,
    pub name: String,
    pub schema_version: i16,
    pub recorded_at: DateTime<Utc>,
    pub occurred_at: DateTime<Utc>,
    pub envelope: Arc<Envelope>,
    pub payload: String,
}

/// The priority of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Somebody waits for it.
    Caller,
    /// It follows from other events, and comes after all callers.
    Reaction,
}
