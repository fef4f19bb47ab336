//! Issues API keys: random, shown once, stored as a hash.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::access::{Access, Command, Refusal};
use crate::domain::claims::{API_KEY_NAME, Claim};
use crate::domain::ids::{ApiKeyId, TenantId};
use crate::engine::kept::credentials::{self, key_digest};
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::{Change, CommandContext};
use crate::engine::write::halt::Halt;
use crate::engine::{Engine, Priority};

use super::{failed, operator};

/// The text of a new key.
pub fn make_key() -> String {
    format!("dossier_{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

/// Issues `key` under this name; false when the tenant has a key of this name already.
///
/// # Errors
/// The log cannot be read or written.
pub async fn issue_api_key(
    engine: &Engine,
    tenant: TenantId,
    name: &str,
    expires_at: Option<DateTime<Utc>>,
    key: &str,
) -> anyhow::Result<bool> {
    let new = IssueApiKey { id: Uuid::now_v7(), name, expires_at, digest: key_digest(key) };
    failed(engine.execute(&context(tenant), &new).await).map(|executed| executed.value)
}

struct IssueApiKey<'a> {
    id: Uuid,
    name: &'a str,
    expires_at: Option<DateTime<Utc>>,
    digest: [u8; 32],
}

impl Change for IssueApiKey<'_> {
    /// Whether no key had the name.
    type Done = bool;
    type Refusal = Refusal;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<bool, Halt<Refusal>> {
        let IssueApiKey { id, name, expires_at, digest } = *self;
        let command = Command::IssueApiKey { name: name.to_owned(), expires_at };
        decision.begin::<Access>(id, (), command)?;
        if !decision.collisions(&[API_KEY_NAME]).await?.is_empty() {
            decision.take_back();
            return Ok(false);
        }
        let tenant = decision.tenant;
        decision.take(Claim::api_key(tenant, &digest), id);
        decision.row(credentials::api_key_hash(tenant, ApiKeyId(id), &digest));
        Ok(true)
    }
}

/// Revokes a key; its name becomes free.
///
/// # Errors
/// The log cannot be read or written.
pub async fn revoke_api_key(engine: &Engine, tenant: TenantId, id: Uuid) -> anyhow::Result<()> {
    let revoked = engine.order::<Access>(&context(tenant), id, (), Command::RevokeApiKey).await;
    failed(revoked).map(|_| ())
}

fn context(tenant: TenantId) -> CommandContext {
    let envelope = Arc::new(operator("apply"));
    CommandContext { tenant, envelope, area: "access", priority: Priority::Caller }
}
