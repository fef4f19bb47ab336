//! How an export's events change its row.

use crate::domain::export::Event;
use crate::domain::{Event as AnyEvent, Occurred};
use crate::projections::Key;

use super::Row;

pub fn key(event: &Occurred) -> Option<Key> {
    matches!(event.event, AnyEvent::Export(_)).then_some((event.tenant_id.0, event.stream_id))
}

pub fn fold(row: Option<Row>, occurred: &Occurred) -> Option<Row> {
    let AnyEvent::Export(event) = &occurred.event else { return row };
    if row.as_ref().is_some_and(|row| row.version >= occurred.version) {
        return row;
    }
    match event {
        Event::ExportMade { owner, file_name, row_count, .. } => Some(Row {
            tenant_id: occurred.tenant_id.0,
            id: occurred.stream_id,
            version: occurred.version,
            owner_id: owner.0,
            file_name: file_name.clone(),
            row_count: *row_count,
            made_at: occurred.occurred_at,
            downloads: 0,
        }),
        Event::ExportDownloaded {} => {
            let row = row?;
            Some(Row { version: occurred.version, downloads: row.downloads + 1, ..row })
        }
        Event::ExportPurged {} => None,
    }
}
