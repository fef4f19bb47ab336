//! Persistent logins (contract 4.6): an application remembers a person. The application itself
//! compares the token, so the token is stored sealed, not hashed.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::api::app::App;
use crate::api::crafter::answer::{Answer, bean, empty};
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find;
use crate::api::crafter::selector::Bean;
use crate::api::crafter::types::session::PersistentLogin;
use crate::api::crafter::write::{Kind, write};
use crate::domain::claims::Bearer;
use crate::domain::entitlement::TenantAction;
use crate::domain::ids::{ProfileId, TenantId};
use crate::domain::object_id::shown;
use crate::domain::session::{self, Session};
use crate::engine::kept::credentials::sealed_secret;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::Change;
use crate::engine::write::halt::{Halt, Ordered};
use crate::sealing::context;

use super::ticket::{end, named, still_open};

/// What the seal of a token is bound to.
const SEALED_FOR: &str = "persistent_login";

/// A persistent login that is valid now.
struct Remembered {
    tenant: TenantId,
    /// The name of its tenant, which may be deleted.
    name: String,
    stream: Uuid,
    profile: ProfileId,
    remembered_at: DateTime<Utc>,
}

impl Remembered {
    fn shown(&self, id: Uuid, token: Uuid) -> PersistentLogin {
        PersistentLogin {
            tenant: self.name.clone(),
            profile_id: shown(self.profile.0),
            token,
            timestamp: self.remembered_at,
            id,
        }
    }
}

async fn remembered(app: &App, call: &Call) -> Result<(Uuid, Remembered), Failure> {
    let none = || Failure::NoSuchPersistentLogin;
    let id = call.path("id");
    let found = app.applications.found(&app.engine, Bearer::RememberedLogIn, id).await?;
    let (tenant, stream) = found.ok_or_else(none)?;
    let state = app.engine.load::<Session>(tenant, stream).await?.state;
    match *state {
        session::State::Remembered { profile, remembered_at, expires_at }
            if call.received_at < expires_at =>
        {
            let name = find::lasting_name(app, tenant).await?;
            call.caller.may(&name, TenantAction::ManageTickets)?;
            let id = id.parse().map_err(|_| none())?;
            Ok((id, Remembered { tenant, name, stream, profile, remembered_at }))
        }
        _ => Err(none()),
    }
}

/// Remembers a log-in.
#[utoipa::path(
    post,
    path = "/api/1/authentication/persistent_login/create",
    operation_id = "crafter_create_persistent_login",
    tag = "crafter",
    responses(
        (status = 200, body = PersistentLogin),
        (status = 404),
    )
)]
pub async fn create(State(app): State<Arc<App>>, call: Call) -> Answer {
    let found = named(&app, &call).await?;
    let (id, token) = (Uuid::new_v4(), Uuid::new_v4());
    let stream = Bearer::RememberedLogIn.claim(&id.to_string());
    let (tenant, profile) = (found.tenant.id, found.id);
    let life = Duration::seconds(app.applications.settings.persistent_login_seconds_max);
    let expires_at = call.received_at + life;
    let sealed = seal(&app, tenant, stream, token);
    let kind = Kind { area: "session", operation: "create_persistent_login" };
    let new = Remember { profile, stream, expires_at, sealed: &sealed };
    write(&app, &call, tenant, kind, &new).await?;
    let state = app.engine.load::<Session>(tenant, stream).await?.state;
    let session::State::Remembered { remembered_at, .. } = *state else {
        return Err(Failure::NoSuchPersistentLogin);
    };
    let name = found.tenant.name.clone();
    let remembered = Remembered { tenant, name, stream, profile, remembered_at };
    bean(&call, Bean::PersistentLogin, &remembered.shown(id, token))
}

struct Remember<'a> {
    profile: ProfileId,
    stream: Uuid,
    expires_at: DateTime<Utc>,
    sealed: &'a [u8],
}

impl Change for Remember<'_> {
    type Done = ();
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<(), Halt<Failure>> {
        let Remember { profile, stream, expires_at, sealed } = *self;
        still_open(decision, profile).await?;
        let command = session::Command::RememberLogIn { profile, expires_at };
        decision.begin::<Session>(stream, (), command).or_refuse(|_| Failure::Internal)?;
        decision.row(sealed_secret(decision.tenant, stream, sealed));
        Ok(())
    }
}

/// A persistent login with its token.
#[utoipa::path(
    get,
    path = "/api/1/authentication/persistent_login/{id}",
    operation_id = "crafter_get_persistent_login",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = PersistentLogin), (status = 404))
)]
pub async fn get(State(app): State<Arc<App>>, call: Call) -> Answer {
    let (id, found) = remembered(&app, &call).await?;
    let sealed = app.engine.sealed_secrets(found.tenant, &[found.stream]).await?;
    let (_, sealed) = sealed.first().ok_or(Failure::NoSuchPersistentLogin)?;
    let context = context(found.tenant.0, found.stream, SEALED_FOR);
    let token = app.applications.sealing.unseal(&context, sealed).map_err(|error| {
        tracing::error!(error = %error, "a persistent login's token stays sealed: {error}");
        Failure::Internal
    })?;
    let token = Uuid::from_slice(&token).map_err(|_| Failure::Internal)?;
    bean(&call, Bean::PersistentLogin, &found.shown(id, token))
}

/// Replaces the token of a persistent login.
#[utoipa::path(
    post,
    path = "/api/1/authentication/persistent_login/{id}/refresh_token",
    operation_id = "crafter_refresh_persistent_login",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = PersistentLogin), (status = 404))
)]
pub async fn refresh_token(State(app): State<Arc<App>>, call: Call) -> Answer {
    let (id, found) = remembered(&app, &call).await?;
    let token = Uuid::new_v4();
    let sealed = seal(&app, found.tenant, found.stream, token);
    let kind = Kind { area: "session", operation: "refresh_persistent_login" };
    let rotation = Rotate { stream: found.stream, sealed: &sealed };
    write(&app, &call, found.tenant, kind, &rotation).await?;
    bean(&call, Bean::PersistentLogin, &found.shown(id, token))
}

struct Rotate<'a> {
    stream: Uuid,
    sealed: &'a [u8],
}

impl Change for Rotate<'_> {
    type Done = ();
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<(), Halt<Failure>> {
        let command = session::Command::RotateToken;
        let rotated = decision.order::<Session>(self.stream, (), command).await;
        if rotated.or_refuse(|_| Failure::NoSuchPersistentLogin)?.is_empty() {
            return Err(Failure::NoSuchPersistentLogin.into());
        }
        decision.row(sealed_secret(decision.tenant, self.stream, self.sealed));
        Ok(())
    }
}

/// Forgets a persistent login. If there is none, nothing changes.
#[utoipa::path(
    post,
    path = "/api/1/authentication/persistent_login/{id}/delete",
    operation_id = "crafter_delete_persistent_login",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200))
)]
pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Answer {
    let (_, found) = match remembered(&app, &call).await {
        Err(Failure::NoSuchPersistentLogin) => return empty(),
        found => found?,
    };
    let (bearer, operation) = (Bearer::RememberedLogIn, "delete_persistent_login");
    end(&app, &call, found.tenant, found.stream, bearer, operation).await?;
    empty()
}

fn seal(app: &App, tenant: TenantId, stream: Uuid, token: Uuid) -> Vec<u8> {
    app.applications.sealing.seal(&context(tenant.0, stream, SEALED_FOR), token.as_bytes())
}
