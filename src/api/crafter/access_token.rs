//! `/api/1/access_token` (contract 1, 4.1). Only a master token manages access tokens. An id is
//! found by its digest and stored sealed, so that it can be listed.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use uuid::Uuid;

use crate::api::app::App;
use crate::domain::access::{self, Access, Command};
use crate::domain::claims::Bearer;
use crate::domain::ids::INSTALLATION;
use crate::engine::write::access_tokens;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::Change;
use crate::engine::write::halt::{Halt, Ordered};

use super::answer::{Answer, bean, empty};
use super::call::Call;
use super::error::Failure;
use super::selector::Bean;
use super::types::access_token::AccessToken;
use super::write::{Kind, write};

/// Longest id of an access token, in bytes.
const ID_BYTES_MAX: usize = 200;

/// Issues an access token.
#[utoipa::path(
    post,
    path = "/api/1/access_token/create",
    operation_id = "crafter_create_access_token",
    tag = "crafter",
    request_body = AccessToken,
    responses((status = 200, body = AccessToken))
)]
pub async fn create(State(app): State<Arc<App>>, call: Call) -> Answer {
    let wanted: AccessToken = call.body()?;
    call.caller.is_master()?;
    let given = wanted.id.clone().filter(|id| !id.is_empty());
    let id = given.unwrap_or_else(|| Uuid::new_v4().to_string());
    if id.len() > ID_BYTES_MAX {
        let most = format!("an access token's id has at most {ID_BYTES_MAX} bytes");
        return Err(Failure::invalid(most));
    }
    let token = of_wire(&wanted);
    issue(&app, &call, &id, token).await?;
    bean(&call, Bean::AccessToken, &AccessToken { id: Some(id), ..wanted })
}

async fn issue(
    app: &App,
    call: &Call,
    id: &str,
    token: access::AccessToken,
) -> Result<(), Failure> {
    let stream = Uuid::now_v7();
    let sealed = access_tokens::seal(&app.applications.sealing, stream, id);
    let kind = Kind { area: "access", operation: "create_access_token" };
    write(app, call, INSTALLATION, kind, &Issue { stream, id, sealed, token }).await
}

struct Issue<'a> {
    stream: Uuid,
    id: &'a str,
    sealed: Vec<u8>,
    token: access::AccessToken,
}

impl Change for Issue<'_> {
    type Done = ();
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<(), Halt<Failure>> {
        let Issue { stream, id, sealed, token } = self;
        match access_tokens::issue(decision, *stream, id, sealed, token.clone()).await? {
            true => Ok(()),
            false => Err(Failure::AccessTokenExists.into()),
        }
    }
}

/// An access token.
#[utoipa::path(
    get,
    path = "/api/1/access_token/{id}",
    operation_id = "crafter_get_access_token",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = AccessToken), (status = 404))
)]
pub async fn get(State(app): State<Arc<App>>, call: Call) -> Answer {
    call.caller.is_master()?;
    let id = call.path("id");
    // Not from the cache: another server may have deleted it and issued another with the same id.
    app.applications.forget(Bearer::AccessToken, id);
    let found = app.applications.found(&app.engine, Bearer::AccessToken, id).await?;
    let (_, stream) = found.ok_or(Failure::NoSuchAccessToken)?;
    let state = app.engine.load::<Access>(INSTALLATION, stream).await?.state;
    let access::State::Token(token) = &*state else { return Err(Failure::NoSuchAccessToken) };
    bean(&call, Bean::AccessToken, &to_wire(token, id.to_owned()))
}

/// Every access token, the first issued first.
#[utoipa::path(
    get,
    path = "/api/1/access_token/all",
    operation_id = "crafter_get_access_tokens",
    tag = "crafter",
    responses((status = 200, body = Vec<AccessToken>))
)]
pub async fn all(State(app): State<Arc<App>>, call: Call) -> Answer {
    call.caller.is_master()?;
    bean(&call, Bean::AccessToken, &tokens(&app).await?)
}

async fn tokens(app: &App) -> Result<Vec<AccessToken>, Failure> {
    let held = app.engine.claimed(INSTALLATION, Bearer::AccessToken.kind()).await?;
    // Such ids contain the time of issue.
    let streams: Vec<Uuid> = held.into_iter().map(|(_, holder)| holder).collect();
    let states = app.engine.load_all::<Access>(INSTALLATION, &streams).await?;
    let sealed = app.engine.sealed_secrets(INSTALLATION, &streams).await?;
    let mut sealed = sealed.into_iter().peekable();
    let mut tokens = Vec::new();
    for (stream, state) in streams.into_iter().zip(states) {
        let Some((_, secret)) = sealed.next_if(|(holder, _)| *holder == stream) else { continue };
        let access::State::Token(token) = &*state.state else { continue };
        let id = match app.applications.sealing.unseal(&access_tokens::sealed_for(stream), &secret)
        {
            Ok(id) => id,
            Err(error) => {
                // A token that cannot be shown is left out of the list. It works as before.
                tracing::error!(error = %error, "an access token's id stays sealed: {error}");
                continue;
            }
        };
        let id = String::from_utf8_lossy(&id).into_owned();
        tokens.push(to_wire(token, id));
    }
    Ok(tokens)
}

/// Deletes an access token. If there is none, nothing changes.
#[utoipa::path(
    post,
    path = "/api/1/access_token/{id}/delete",
    operation_id = "crafter_delete_access_token",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200))
)]
pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Response, Failure> {
    call.caller.is_master()?;
    let id = call.path("id").to_owned();
    app.applications.forget(Bearer::AccessToken, &id);
    let found = app.applications.found(&app.engine, Bearer::AccessToken, &id).await?;
    let Some((_, stream)) = found else { return empty() };
    let kind = Kind { area: "access", operation: "delete_access_token" };
    write(&app, &call, INSTALLATION, kind, &Delete { stream, id: &id }).await?;
    app.applications.forget(Bearer::AccessToken, &id);
    empty()
}

struct Delete<'a> {
    stream: Uuid,
    id: &'a str,
}

impl Change for Delete<'_> {
    type Done = ();
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<(), Halt<Failure>> {
        let deleted = decision.order::<Access>(self.stream, (), Command::DeleteAccessToken).await;
        if !deleted.or_refuse(|_| Failure::Internal)?.is_empty() {
            decision.release(Bearer::AccessToken.claim(self.id));
        }
        Ok(())
    }
}

fn of_wire(token: &AccessToken) -> access::AccessToken {
    let permissions = token.tenant_permissions.clone();
    access::AccessToken {
        application: token.application.clone(),
        master: token.master,
        tenant_permissions: permissions.map(|some| some.into_iter().map(Into::into).collect()),
        expires_at: token.expires_on,
    }
}

fn to_wire(token: &access::AccessToken, id: String) -> AccessToken {
    let permissions = token.tenant_permissions.clone();
    AccessToken {
        application: token.application.clone(),
        master: token.master,
        tenant_permissions: permissions.map(|some| some.into_iter().map(Into::into).collect()),
        expires_on: token.expires_at,
        id: Some(id),
    }
}
