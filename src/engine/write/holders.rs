//! Who holds which claims. Decisions take and release them; here they are read.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::domain::claims::Claim;
use crate::domain::ids::TenantId;
use crate::store::{Claim as Held, Claimed, Error, keep_claim};

use crate::engine::Engine;

/// A claim that an order needs and another stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collision {
    /// The stream that needs it.
    pub stream_id: Uuid,
    pub kind: &'static str,
    /// Its holder, or the stream that an earlier order of the same decision gives it to.
    pub holder: Uuid,
}

/// A claim as the log stores it.
pub(super) fn held(claim: Claim, holder: Uuid) -> Held {
    Held {
        claim: claim.key,
        kind: claim.kind,
        tenant_id: claim.tenant.0,
        holder,
        expires_at: claim.expires_at,
    }
}

/// The holders that a decision has asked for.
#[derive(Default)]
pub(super) struct Asked {
    keys: HashSet<Uuid>,
    held: HashMap<Uuid, Claimed>,
}

impl Asked {
    /// The holders of these claims and of all claims asked for before; claims without a holder are
    /// not in the answer. New ones are asked for by one query at most.
    pub async fn holders(
        &mut self,
        engine: &Engine,
        keys: &[Uuid],
    ) -> Result<&HashMap<Uuid, Claimed>, Error> {
        let new: Vec<Uuid> = keys.iter().copied().filter(|key| self.keys.insert(*key)).collect();
        if !new.is_empty() {
            self.held.extend(engine.holders(&new).await?);
        }
        Ok(&self.held)
    }
}

impl Engine {
    /// Who holds the claim of this key.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn holder(&self, key: Uuid) -> Result<Option<Claimed>, Error> {
        Ok(self.reader.claims(&[key]).await?.remove(&key))
    }

    /// The holders of these claims; claims without a holder are not in the answer.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn holders(&self, keys: &[Uuid]) -> Result<HashMap<Uuid, Claimed>, Error> {
        self.reader.claims(keys).await
    }

    /// The claims of a kind in a tenant, with their holders, the first 10,000 by holder; for kinds
    /// that are listed (names of tenants and API keys, access tokens).
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn claimed(&self, tenant: TenantId, kind: &str) -> Result<Vec<(Uuid, Uuid)>, Error> {
        self.reader.claimed(tenant.0, kind).await
    }

    /// Stores a claim without an event; an existing claim stays as it is.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn keep_claim(&self, claim: Claim, holder: Uuid) -> Result<(), Error> {
        keep_claim(&*self.connection().await?, &held(claim, holder)).await
    }
}
