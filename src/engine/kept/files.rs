//! The files of exports. They are operational state, written before the event that tells of them,
//! and swept when they have expired.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::store::{Doing, Error};

use crate::engine::Engine;

/// Size of the parts in which a file is read, in bytes.
pub const CHUNK_BYTES: i64 = 1 << 20;

impl Engine {
    /// Stores a file until `expires_at`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn keep_file(
        &self,
        id: Uuid,
        tenant: TenantId,
        content: &[u8],
        expires_at: DateTime<Utc>,
    ) -> Result<(), Error> {
        let sql = "
            insert into ops.export_files (export_id, tenant_id, content, expires_at)
            values ($1, $2, $3, $4)
            on conflict (export_id) do update
            set content = excluded.content, expires_at = excluded.expires_at";
        let client = self.connection().await?;
        let kept = client.execute(sql, &[&id, &tenant.0, &content, &expires_at]).await;
        kept.map(|_| ()).doing("keeping a file")
    }

    /// The size of a tenant's file, in bytes; None if it is gone.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn file_bytes(&self, id: Uuid, tenant: TenantId) -> Result<Option<i64>, Error> {
        let sql = "
            select octet_length(content)::bigint
            from ops.export_files
            where export_id = $1 and tenant_id = $2";
        let client = self.connection().await?;
        let row = client.query_opt(sql, &[&id, &tenant.0]).await.doing("looking for a file")?;
        Ok(row.map(|row| row.get(0)))
    }

    /// At most [`CHUNK_BYTES`] of a file from `offset` on, up to `end`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn file_chunk(&self, id: Uuid, offset: i64, end: i64) -> Result<Bytes, Error> {
        let count = (end - offset).clamp(0, CHUNK_BYTES);
        let sql = "
            select substring(content from $2::int for $3::int)
            from ops.export_files
            where export_id = $1";
        let from = i32::try_from(offset + 1).unwrap_or(i32::MAX);
        let count = i32::try_from(count).unwrap_or_default();
        let client = self.connection().await?;
        let row = client.query_opt(sql, &[&id, &from, &count]).await.doing("reading a file")?;
        Ok(row.map_or_else(Bytes::new, |row| row.get::<_, Vec<u8>>(0).into()))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn remove_file(&self, id: Uuid) -> Result<(), Error> {
        let client = self.connection().await?;
        let sql = "delete from ops.export_files where export_id = $1";
        let removed = client.execute(sql, &[&id]).await;
        removed.map(|_| ()).doing("removing a file")
    }
}
