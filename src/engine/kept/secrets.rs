//! Secrets of this installation, made when first needed. They are never logged or sent.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use deadpool_postgres::Pool;
use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use sha2::Sha256;
use uuid::Uuid;

use crate::domain::ids::{TenantId, ValueId};
use crate::domain::values::ValueKind;
use crate::store::{Doing, Error};

/// The secrets. Cheap to clone.
#[derive(Clone)]
pub struct Secrets {
    pool: Pool,
    known: Arc<RwLock<HashMap<String, [u8; 32]>>>,
}

impl Secrets {
    /// Reads through this pool.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn open(pool: Pool) -> Result<Secrets, Error> {
        Ok(Secrets { pool, known: Arc::default() })
    }

    /// The secret of this name; if there is none, the first process to need it makes it.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn get_or_make(&self, name: &str) -> Result<[u8; 32], Error> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        if let Some(secret) = known {
            return Ok(secret);
        }
        let mut made = [0_u8; 32];
        rand::rng().fill_bytes(&mut made);
        let client = self.pool.get().await?;
        let insert =
            "insert into ops.secrets (name, secret) values ($1, $2) on conflict do nothing";
        client.execute(insert, &[&name, &made.as_slice()]).await.doing("reading a secret")?;
        let select = "select secret from ops.secrets where name = $1";
        let row = client.query_one(select, &[&name]).await.doing("reading a secret")?;
        let secret: [u8; 32] = row
            .get::<_, Vec<u8>>(0)
            .try_into()
            .map_err(|_| Error::Corrupt("a secret has not 32 bytes".to_owned(), None))?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), secret);
        Ok(secret)
    }

    /// The ids of the sealing keys that may have sealed something here.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn sealing_keys(&self) -> Result<Vec<String>, Error> {
        let sql = "select key_id from ops.sealing_keys order by key_id";
        let rows = self
            .pool
            .get()
            .await?
            .query(sql, &[])
            .await
            .doing("reading the ids of sealing keys")?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Records that this key may seal from now on, and that those keys are given up.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn use_sealing_key(&self, id: &str, given_up: &[String]) -> Result<(), Error> {
        let sql = "
            with given_up as (
                delete from ops.sealing_keys
                where key_id = any($2) and key_id <> $1
            )
            insert into ops.sealing_keys (key_id) values ($1) on conflict do nothing";
        self.pool
            .get()
            .await?
            .execute(sql, &[&id, &given_up])
            .await
            .doing("writing the ids of sealing keys")?;
        Ok(())
    }

    /// The secret from which the ids of a tenant's shared values are derived.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Corrupt`].
    pub async fn value_ids(&self, tenant: TenantId) -> Result<ValueIds, Error> {
        Ok(ValueIds(self.get_or_make(&format!("tenant:{tenant}:values")).await?))
    }
}

/// Derives the ids of shared values: equal values have equal ids, and no value can be guessed from
/// its id.
#[derive(Clone)]
pub struct ValueIds([u8; 32]);

impl ValueIds {
    /// The id of this value.
    pub fn id(&self, kind: ValueKind, value: &str) -> ValueId {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("an HMAC takes a key of any length");
        mac.update(kind.name().as_bytes());
        mac.update(&[0]);
        mac.update(value.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut bytes = [0_u8; 16];
        bytes.copy_from_slice(&digest[..16]);
        ValueId(Uuid::new_v8(bytes))
    }
}
