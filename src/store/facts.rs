//! Reads the log for folding: events, with only those parts of the envelope that folds use.

use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::Error;
use super::read::{Reader, area, interned};
use super::types::{AreaName, Envelope, Recorded, StreamKey};

impl Reader {
    /// At most `limit` events of one tenant and area after (stream, version), in that order, for
    /// folding: without actors and circumstances.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn facts_by_stream(
        &self,
        tenant_id: Uuid,
        area: AreaName,
        after: (Uuid, i64),
        limit: i64,
    ) -> Result<Vec<Recorded>, Error> {
        let sql = "
            select
                position, event_id, stream_id, version, name, schema_version, recorded_at,
                occurred_at, payload::text
            from log.events
            where tenant_id = $1 and area = $2 and (stream_id, version) > ($3, $4)
            order by stream_id, version
            limit $5";
        let parameters: [&(dyn ToSql + Sync); 5] =
            [&tenant_id, &area.as_str(), &after.0, &after.1, &limit];
        let rows = self.query(sql, &parameters, "reading streams in order").await?;
        let nobody = Arc::new(Envelope::nobody());
        let facts = rows.iter().map(|row| Recorded {
            position: row.get(0),
            event_id: row.get(1),
            stream: StreamKey { tenant_id, area, id: row.get(2) },
            version: row.get(3),
            name: row.get(4),
            schema_version: row.get(5),
            recorded_at: row.get(6),
            occurred_at: row.get(7),
            envelope: nobody.clone(),
            payload: row.get(8),
        });
        Ok(facts.collect())
    }

    /// At most `limit` events of one tenant at positions after `after` up to `until`, in order, for
    /// folding: of the envelope only what events are found by.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn facts_by_position(
        &self,
        tenant_id: Uuid,
        after: i64,
        until: i64,
        limit: i64,
    ) -> Result<Vec<Recorded>, Error> {
        let sql = "
            select
                position, event_id, area, stream_id, version, name, schema_version, recorded_at,
                occurred_at, payload::text, real_actor_id, effective_actor_id, operation,
                request_id, correlation_id, session_id, emulation, grant_id, channel, face
            from log.events
            where tenant_id = $1 and position > $2 and position <= $3
            order by position
            limit $4";
        let parameters: [&(dyn ToSql + Sync); 4] = [&tenant_id, &after, &until, &limit];
        let rows = self.query(sql, &parameters, "reading a tenant in order").await?;
        let fact = |row: &Row| {
            Ok(Recorded {
                position: row.get(0),
                event_id: row.get(1),
                stream: StreamKey { tenant_id, area: area(row.get(2))?, id: row.get(3) },
                version: row.get(4),
                name: row.get(5),
                schema_version: row.get(6),
                recorded_at: row.get(7),
                occurred_at: row.get(8),
                payload: row.get(9),
                envelope: Arc::new(Envelope {
                    real_actor_id: row.get(10),
                    effective_actor_id: row.get(11),
                    operation: interned(row.get(12)),
                    request_id: row.get(13),
                    correlation_id: row.get(14),
                    session_id: row.get(15),
                    emulation: row.get::<_, Option<Vec<Uuid>>>(16).unwrap_or_default(),
                    grant_id: row.get(17),
                    channel: interned(row.get(18)),
                    face: interned(row.get(19)),
                    ..Envelope::nobody()
                }),
            })
        };
        rows.iter().map(fact).collect()
    }
}
