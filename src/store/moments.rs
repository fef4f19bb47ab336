//! Reads where the log stood at a time.

use chrono::{DateTime, Utc};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::Error;
use super::read::Reader;
use super::transaction::LOCK;
use super::types::StreamKey;

impl Reader {
    /// The last position recorded at or before `instant`; None if that time is not over yet.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn last_position_until(&self, instant: DateTime<Utc>) -> Result<Option<i64>, Error> {
        let sql = "select log.last_position_until($1, $2)";
        let rows = self.query(sql, &[&instant, &LOCK], "finding a moment").await?;
        Ok(rows.first().and_then(|row| row.get(0)))
    }

    /// The first position recorded at `instant` or later; one past the head if there is none.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn first_position_since(&self, instant: DateTime<Utc>) -> Result<i64, Error> {
        let sql = "select log.first_position_since($1)";
        let rows = self.query(sql, &[&instant], "finding a moment").await?;
        Ok(rows.first().map_or(0, |row| row.get(0)))
    }

    /// A tenant's last event up to `position`: its position, and when it was recorded.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn last_event_until(
        &self,
        tenant: Uuid,
        position: i64,
    ) -> Result<Option<(i64, DateTime<Utc>)>, Error> {
        let sql = "
            select position, recorded_at
            from log.events
            where tenant_id = $1 and position <= $2
            order by position desc
            limit 1";
        let rows = self.query(sql, &[&tenant, &position], "finding a moment").await?;
        Ok(rows.first().map(|row| (row.get(0), row.get(1))))
    }

    /// How many events each stream had at `position`, in the given order.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn versions_at(
        &self,
        streams: &[StreamKey],
        position: i64,
    ) -> Result<Vec<i64>, Error> {
        let sql = "
            select log.version_at(tenant_id, area, stream_id, $4)
            from unnest($1::uuid[], $2::text[], $3::uuid[])
                with ordinality as wanted (tenant_id, area, stream_id, ordinal)
            order by ordinal";
        let (tenants, areas, ids) = super::read::key_columns(streams.iter());
        let parameters: [&(dyn ToSql + Sync); 4] = [&tenants, &areas, &ids, &position];
        let rows = self.query(sql, &parameters, "finding versions").await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Whether one of the first events of a stream, up to `version`, became true at another time
    /// than it was recorded.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn is_dated_back(&self, stream: StreamKey, version: i64) -> Result<bool, Error> {
        let sql = "
            select exists (
                select 1
                from log.events
                where tenant_id = $1 and area = $2 and stream_id = $3 and version <= $4
                    and occurred_at <> recorded_at
            )";
        let area = stream.area;
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&stream.tenant_id, &area.as_str(), &stream.id, &version];
        let rows = self.query(sql, &parameters, "looking for events dated back").await?;
        Ok(rows.first().is_some_and(|row| row.get(0)))
    }
}
