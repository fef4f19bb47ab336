//! The stored form of what applications and people log in with: hashes of passwords and API keys,
//! and sealed secrets. Plain secrets never arrive here.

use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::ids::{ApiKeyId, ProfileId, TenantId};
use crate::store::{Doing, Error, OperationalRow, OperationalTable};

use crate::engine::Engine;

/// Hashes of passwords.
static CREDENTIALS: OperationalTable = OperationalTable {
    write: "insert into ops.credentials
        select * from json_populate_recordset(null::ops.credentials, $1)
        on conflict (tenant_id, profile_id) do update set password = excluded.password",
};

/// Hashes of API keys.
static API_KEY_HASHES: OperationalTable = OperationalTable {
    write: "insert into ops.api_key_hashes
        select * from json_populate_recordset(null::ops.api_key_hashes, $1)",
};

/// Sealed secrets.
static SEALED_SECRETS: OperationalTable = OperationalTable {
    write: "insert into ops.sealed_secrets
        select * from json_populate_recordset(null::ops.sealed_secrets, $1)
        on conflict (tenant_id, holder) do update set sealed = excluded.sealed",
};

/// The row that stores a profile's password hash.
pub fn password(tenant: TenantId, profile: ProfileId, hash: &str) -> OperationalRow {
    let row = json!({ "tenant_id": tenant, "profile_id": profile, "password": hash });
    OperationalRow { table: &CREDENTIALS, row }
}

/// The digest by which an API key is found.
pub fn key_digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// The row that stores the SHA-256 of an API key.
pub fn api_key_hash(tenant: TenantId, api_key: ApiKeyId, hash: &[u8; 32]) -> OperationalRow {
    let hash = hexadecimal(hash);
    let row = json!({ "api_key_id": api_key, "tenant_id": tenant, "hash": hash });
    OperationalRow { table: &API_KEY_HASHES, row }
}

/// The row that stores the sealed secret of this holder.
pub fn sealed_secret(tenant: TenantId, holder: Uuid, sealed: &[u8]) -> OperationalRow {
    let row = json!({ "tenant_id": tenant, "holder": holder, "sealed": hexadecimal(sealed) });
    OperationalRow { table: &SEALED_SECRETS, row }
}

/// Bytes in the JSON form of a `bytea` column.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    std::iter::once("\\x".to_owned()).chain(digits).collect()
}

impl Engine {
    /// The SHA-256 of an API key.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn api_key_hash(&self, api_key_id: Uuid) -> Result<Option<[u8; 32]>, Error> {
        let sql = "select hash from ops.api_key_hashes where api_key_id = $1";
        let client = self.connection().await?;
        let statement = client.prepare_cached(sql).await.doing("reading a hash")?;
        let row = client.query_opt(&statement, &[&api_key_id]).await.doing("reading a hash")?;
        Ok(row.and_then(|row| row.get::<_, Vec<u8>>(0).try_into().ok()))
    }

    /// The hash of a profile's password; None if it has none.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn password_of(
        &self,
        tenant: TenantId,
        profile: ProfileId,
    ) -> Result<Option<String>, Error> {
        let client = self.connection().await?;
        let sql = "select password from ops.credentials where tenant_id = $1 and profile_id = $2";
        let statement = client.prepare_cached(sql).await.doing("reading a password")?;
        let row = client
            .query_opt(&statement, &[&tenant.0, &profile.0])
            .await
            .doing("reading a password")?;
        Ok(row.map(|row| row.get(0)))
    }

    /// The sealed secrets of these holders, in the given order; holders without one are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn sealed_secrets(
        &self,
        tenant: TenantId,
        holders: &[Uuid],
    ) -> Result<Vec<(Uuid, Vec<u8>)>, Error> {
        let client = self.connection().await?;
        let sql = "
            select sealed_secrets.holder, sealed_secrets.sealed
            from unnest($2::uuid[]) with ordinality as wanted (holder, ordinal)
            join ops.sealed_secrets
                on sealed_secrets.tenant_id = $1 and sealed_secrets.holder = wanted.holder
            order by wanted.ordinal";
        let statement = client.prepare_cached(sql).await.doing("reading sealed secrets")?;
        let rows = client
            .query(&statement, &[&tenant.0, &holders])
            .await
            .doing("reading sealed secrets")?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// Removes the password of a deleted profile.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget_password(&self, tenant: TenantId, profile: ProfileId) -> Result<(), Error> {
        let client = self.connection().await?;
        let sql = "delete from ops.credentials where tenant_id = $1 and profile_id = $2";
        let forgotten = client.execute(sql, &[&tenant.0, &profile.0]).await;
        forgotten.map(|_| ()).doing("forgetting a password")
    }

    /// Removes a sealed secret.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget_secret(&self, tenant: TenantId, holder: Uuid) -> Result<(), Error> {
        let client = self.connection().await?;
        let sql = "delete from ops.sealed_secrets where tenant_id = $1 and holder = $2";
        let forgotten = client.execute(sql, &[&tenant.0, &holder]).await;
        forgotten.map(|_| ()).doing("forgetting a secret")
    }
}
