//! How a profile's events change the row of its attachments.

use tokio_postgres::types::Json;

use crate::domain::profile::{Attachment, Event};
use crate::domain::{Event as AnyEvent, Occurred};
use crate::projections::Key;

use super::Row;

pub fn key(event: &Occurred) -> Option<Key> {
    match &event.event {
        AnyEvent::Profile(Event::AttachmentStored(_) | Event::ProfileDeleted {}) => {
            Some((event.tenant_id.0, event.stream_id))
        }
        _ => None,
    }
}

pub fn evolve(row: Option<Row>, occurred: &Occurred) -> Option<Row> {
    match &occurred.event {
        AnyEvent::Profile(Event::AttachmentStored(attachment)) => {
            Some(with(row, occurred, attachment.clone()))
        }
        AnyEvent::Profile(Event::ProfileDeleted {}) => None,
        _ => row,
    }
}

/// Contract 4.9: a file of the same name replaces the one before.
fn with(row: Option<Row>, occurred: &Occurred, attachment: Attachment) -> Row {
    let mut attachments = row.map(|row| row.attachments.0).unwrap_or_default();
    match attachments.iter_mut().find(|one| one.name == attachment.name) {
        Some(one) => *one = attachment,
        None => attachments.push(attachment),
    }
    let mut digests: Vec<_> = attachments.iter().map(|one| one.digest.0.to_vec()).collect();
    digests.sort_unstable();
    digests.dedup();
    Row {
        tenant_id: occurred.tenant_id.0,
        id: occurred.stream_id,
        version: occurred.version,
        attachments: Json(attachments),
        digests,
    }
}
