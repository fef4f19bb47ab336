//! Issues API keys: random, shown once, kept as a hash.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::api::identity::key_digest;
use crate::domain::access::{Access, Command, State, decide};
use crate::domain::ids::{ApiKeyId, TenantId};
use crate::engine::execute::{Halt, Order};
use crate::engine::{Engine, OperationalRow, Priority, claims, idempotency};

use super::open::operator;

/// A new key's text.
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
    let order = Order {
        tenant,
        envelope: Arc::new(operator("apply")),
        area: "access",
        priority: Priority::Caller,
    };
    let digest = key_digest(key);
    let id = ApiKeyId(Uuid::now_v7());
    let executed = engine
        .execute(&order, |decision| {
            let name = name.to_owned();
            Box::pin(async move {
                let claim = claims::api_key_name(tenant, &name);
                if decision.engine.reader.claims(&[claim]).await?.contains_key(&claim) {
                    return Ok::<bool, Halt<crate::domain::access::Refusal>>(false);
                }
                let command = Command::IssueApiKey { name: name.clone(), expires_at };
                let events = decide(&State::Absent, command).map_err(Halt::Refused)?;
                decision.append::<Access>(id.0, events, None)?;
                decision.take(claims::take_api_key_name(tenant, &name, id));
                decision.take(claims::take_api_key(tenant, &digest, id));
                let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                decision.row(OperationalRow {
                    table: &idempotency::API_KEY_HASHES,
                    row: serde_json::json!({
                        "api_key_id": id,
                        "tenant_id": tenant,
                        "hash": format!("\\x{hash}"),
                    }),
                });
                Ok(true)
            })
        })
        .await;
    failed(executed).map(|executed| executed.value)
}

/// Revokes a key; its name is free again.
///
/// # Errors
/// The log cannot be read or written.
pub async fn revoke_api_key(
    engine: &Engine,
    tenant: TenantId,
    id: Uuid,
    name_claim: Uuid,
) -> anyhow::Result<()> {
    let order = Order {
        tenant,
        envelope: Arc::new(operator("apply")),
        area: "access",
        priority: Priority::Caller,
    };
    let executed = engine
        .execute(&order, |decision| {
            Box::pin(async move {
                let key = decision.load::<Access>(id).await?;
                let events = decide(&key.state, Command::RevokeApiKey).map_err(Halt::Refused)?;
                decision.append::<Access>(id, events, None)?;
                decision.release(name_claim);
                Ok(())
            })
        })
        .await;
    failed(executed).map(|_| ())
}

/// A halt as the command line reports it.
///
/// # Errors
/// The halt.
pub fn failed<T, R: std::error::Error + Send + Sync + 'static>(
    executed: Result<T, Halt<R>>,
) -> anyhow::Result<T> {
    executed.map_err(|halt| match halt {
        Halt::Refused(refusal) => refusal.into(),
        Halt::Failed(error) => error.into(),
    })
}
