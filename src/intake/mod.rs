//! Data that an operator brings in: catalogues, people, another directory's data. It becomes
//! ordinary orders, recorded as the operator's.

pub mod api_keys;
pub mod catalogue;
pub mod crafter;
pub mod crafter_seed;
pub mod made_up;
pub mod people;
pub mod person;

use anyhow::Context;
use uuid::Uuid;

use crate::domain::ids::{TenantId, derived};
use crate::engine::write::halt::Halt;
use crate::engine::{Engine, Envelope};

/// The tenant of this name.
///
/// # Errors
/// There is none, or it cannot be read.
pub async fn tenant_named(engine: &Engine, tenant: &str) -> anyhow::Result<TenantId> {
    let known = engine.tenant_named(tenant).await?;
    known.with_context(|| format!("there is no tenant {tenant:?}: make it with `dossier apply`"))
}

/// The actor of an operator's orders: the name of the account that runs the program.
pub fn operator(operation: &'static str) -> Envelope {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten();
    let name = user.map_or_else(|| nix::unistd::getuid().to_string(), |user| user.name);
    let id = derived(&[b"operator", name.as_bytes()]);
    let request = Uuid::now_v7();
    Envelope {
        request_id: request,
        correlation_id: request,
        session_id: None,
        real_actor_kind: "operator",
        real_actor_id: id,
        real_actor_name: Some(name),
        effective_actor_id: id,
        emulation: vec![],
        grant_id: None,
        operation,
        channel: "cli",
        face: "none",
        client_address: None,
        user_agent: None,
        reason: None,
    }
}

/// A halt as an error for the operator.
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
