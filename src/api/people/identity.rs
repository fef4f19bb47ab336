//! Who calls: API key, bearer token, real actor, session (contract 1.2). If one of them cannot be
//! read, the request is refused.

use chrono::{DateTime, Duration, Utc};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::bearer::{self, Issuer, KeySource, TokenIssuer};
use crate::domain::claims::{self, Claim};
use crate::domain::ids::{ApiKeyId, ProfileId, SessionId, TenantId};
use crate::domain::session::{self, Session};
use crate::domain::{access, profile, tenant};
use crate::engine::Priority;
use crate::engine::kept::credentials::key_digest;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::{Change, CommandContext};
use crate::engine::write::halt::{Halt, Ordered};

use super::call::Call;
use super::failure::Failure;
use super::guests::guest;
use super::known::KnownKey;
use crate::api::app::App;

/// Longest API key, in bytes.
const API_KEY_BYTES_MAX: usize = 200;

/// The caller. What the caller may do is decided elsewhere.
#[derive(Clone, Debug)]
pub struct Identity {
    pub tenant: TenantId,
    pub real: ProfileId,
    pub session: SessionId,
    pub session_ends_at: DateTime<Utc>,
}

/// Finds the caller.
///
/// # Errors
/// 401 in the contract's order; [`Failure::ProfileNotFound`] for the token of a deleted profile;
/// 503 when something cannot be read.
pub async fn identify(app: &App, call: &Call) -> Result<Identity, Failure> {
    let key = call.api_key.as_deref().ok_or(Failure::MissingApiKey)?;
    let key = known_key(app, key).await?;
    app.engine.catch_up(false).await.map_err(|_| Failure::IdentityUnavailable)?;
    let access = app.engine.load::<access::Access>(key.tenant, key.id.0).await;
    let access = access.map_err(unavailable)?;
    if !access.state.is_valid(call.received_at) {
        return Err(Failure::InvalidApiKey);
    }
    let token = call.bearer.as_deref().ok_or(Failure::MissingToken)?;
    let catalogue = app.engine.catalogue(key.tenant).await.map_err(unavailable)?;
    let issuers = issuers(&catalogue);
    let token = app.verifier.verify(token, key.tenant.0, &issuers, call.received_at).await;
    let token = token.map_err(|refused| match refused {
        bearer::Refused::Invalid => Failure::InvalidToken,
        bearer::Refused::Unavailable => Failure::IdentityUnavailable,
    })?;
    let real = resolve(app, call, &catalogue, key.tenant, &token).await?;
    let token_session = token.session.as_deref().unwrap_or_default();
    let (session, session_ends_at) =
        open_session(app, call, key.tenant, real, token_session).await?;
    Ok(Identity { tenant: key.tenant, real, session, session_ends_at })
}

async fn known_key(app: &App, key: &str) -> Result<KnownKey, Failure> {
    if key.len() > API_KEY_BYTES_MAX {
        return Err(Failure::InvalidApiKey);
    }
    let digest = key_digest(key);
    if let Some(known) = app.known.keys.get(&digest) {
        let same: bool = known.hash.ct_eq(&digest).into();
        return if same { Ok(known) } else { Err(Failure::InvalidApiKey) };
    }
    let claim = claims::api_key(&digest);
    let held = app.engine.holder(claim).await.map_err(unavailable)?;
    let held = held.ok_or(Failure::InvalidApiKey)?;
    let hash = app.engine.api_key_hash(held.holder).await.map_err(unavailable)?;
    let hash = hash.ok_or(Failure::InvalidApiKey)?;
    let same: bool = hash.ct_eq(&digest).into();
    if !same {
        return Err(Failure::InvalidApiKey);
    }
    let known = KnownKey { tenant: TenantId(held.tenant_id), id: ApiKeyId(held.holder), hash };
    app.known.keys.insert(digest, known.clone());
    Ok(known)
}

/// The issuers in a tenant's catalogue.
fn issuers(catalogue: &tenant::Catalogue) -> Vec<Issuer> {
    let issuers = catalogue.issuers.iter().filter_map(|issuer| {
        let keys = match (&issuer.jwks_file, &issuer.jwks_url) {
            (Some(file), _) => KeySource::File(file.into()),
            (None, Some(url)) => KeySource::Url(url.clone()),
            (None, None) => return None,
        };
        let algorithms = issuer.algorithms.iter().filter_map(|name| algorithm(name)).collect();
        Some(Issuer {
            issuer: issuer.issuer.clone(),
            audience: issuer.audience.clone(),
            algorithms,
            keys,
        })
    });
    issuers.collect()
}

/// The algorithm with this JOSE name; None for one that is not accepted.
fn algorithm(name: &str) -> Option<bearer::Algorithm> {
    serde_json::from_value(name.into()).ok()
}

async fn resolve(
    app: &App,
    call: &Call,
    catalogue: &tenant::Catalogue,
    tenant: TenantId,
    token: &bearer::Claims,
) -> Result<ProfileId, Failure> {
    let named = match (&token.issuer, token.profile_id) {
        (TokenIssuer::Local, Some(id)) => Some(id),
        _ => None,
    };
    let id = match (named, &token.email) {
        (Some(id), _) => id,
        (None, Some(email)) if token.email_verified => {
            let claim = Claim::login_email(tenant, email).key;
            match app.engine.holder(claim).await.map_err(unavailable)? {
                Some(held) => held.holder,
                None if makes_guests(catalogue, &token.issuer) => {
                    let made = guest(&app.engine, tenant, email, call).await;
                    made.map_err(unavailable)?.ok_or(Failure::ProfileUnresolved)?.0
                }
                None => return Err(Failure::ProfileUnresolved),
            }
        }
        (None, _) => return Err(Failure::ProfileUnresolved),
    };
    let profile = app.engine.load::<profile::Profile>(tenant, id).await.map_err(unavailable)?;
    match &*profile.state {
        profile::State::Absent => Err(Failure::ProfileUnresolved),
        profile::State::Deleted(_) => Err(Failure::ProfileNotFound),
        profile::State::Live(_) => Ok(ProfileId(id)),
    }
}

fn makes_guests(catalogue: &tenant::Catalogue, by: &TokenIssuer) -> bool {
    let TokenIssuer::External(by) = by else { return false };
    catalogue.issuers.iter().any(|one| one.issuer == *by && one.auto_provision_guests)
}

/// The open session of this actor and token; a new one if there is none.
async fn open_session(
    app: &App,
    call: &Call,
    tenant: TenantId,
    real: ProfileId,
    token_session: &str,
) -> Result<(SessionId, DateTime<Utc>), Failure> {
    let known = (tenant, real, token_session.to_owned());
    if let Some(id) = app.known.sessions.get(&known) {
        let state = app.engine.load::<Session>(tenant, id.0).await.map_err(unavailable)?;
        if let Some(ends_at) = state.state.open_until(call.received_at) {
            return Ok((id, ends_at));
        }
    }
    let context = CommandContext {
        tenant,
        envelope: Arc::new(call.envelope_without_reason(real, "open_session")),
        area: "session",
        priority: Priority::Caller,
    };
    let opening = OpenSession { real, token_session, now: call.received_at };
    let opened = app.engine.execute(&context, &opening).await?;
    app.known.sessions.insert(known, opened.value.0);
    Ok(opened.value)
}

/// A session to be opened.
struct OpenSession<'a> {
    real: ProfileId,
    token_session: &'a str,
    now: DateTime<Utc>,
}

impl Change for OpenSession<'_> {
    type Done = (SessionId, DateTime<Utc>);
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<Self::Done, Halt<Failure>> {
        let (tenant, real) = (decision.tenant, self.real);
        let expires_at = self.now + Duration::hours(session::HOURS_MAX);
        let claim = Claim::session(tenant, real, self.token_session, expires_at);
        if let Some(held) = decision.engine.holder(claim.key).await? {
            let before = decision.load::<Session>(held.holder).await?;
            if let Some(ends_at) = before.state.open_until(self.now) {
                return Ok((SessionId(held.holder), ends_at));
            }
            let end = session::Command::EndSession { reason: "expired" };
            decision.order::<Session>(held.holder, (), end).await.or_refuse(refused)?;
            decision.release(claim.key);
        }
        let id = SessionId(Uuid::now_v7());
        let open = session::Command::OpenSession { real_actor: real, expires_at };
        decision.begin::<Session>(id.0, (), open).or_refuse(refused)?;
        decision.take(claim, id.0);
        Ok((id, expires_at))
    }
}

fn refused(_: session::Refusal) -> Failure {
    Failure::StreamConflict
}

/// Contract 1.1: 503 when the caller cannot be found out.
fn unavailable(error: crate::engine::Error) -> Failure {
    match Failure::from(error) {
        Failure::Unavailable => Failure::IdentityUnavailable,
        other => other,
    }
}
