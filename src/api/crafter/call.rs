//! A call: its parameters, its body, and the application that makes it. Without a valid access
//! token nothing else is answered (contract 2: route and method, token, parameters, service).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, RawPathParams, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, request};
use chrono::{DateTime, SubsecRound, Utc};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::bounds::BODY_BYTES_MAX;
use crate::api::circumstances::{Circumstances, RealActor};
use crate::api::face::Face;
use crate::domain::access::{Access, AccessToken};
use crate::domain::claims::Bearer;
use crate::domain::ids::INSTALLATION;
use crate::engine::Envelope;

use super::body;
use super::error::Failure;
use super::parameters::{Given, Parameters};
use super::selector::Selector;

/// The application that calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The stream of the access token.
    pub id: Uuid,
    pub token: AccessToken,
}

/// A call.
pub struct Call {
    pub caller: Caller,
    pub parameters: Parameters,
    pub selector: Option<Selector>,
    pub received_at: DateTime<Utc>,
    request: Circumstances,
    path: Vec<(String, String)>,
    content_type: Option<String>,
    body: Bytes,
}

impl FromRequest<Arc<App>> for Call {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Call, Failure> {
        let (mut parts, body) = request.into_parts();
        let path = path_parameters(&mut parts).await;
        let content_type = parts.headers.get(CONTENT_TYPE);
        let content_type =
            content_type.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let body =
            axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| Failure::BodyTooLarge)?;
        let form = if parts.method == Method::POST { &body[..] } else { b"" };
        let given = Given::read(parts.uri.query(), content_type.as_deref(), form);
        let mut call = Call::checked(app, Circumstances::of(&parts), given, path).await?;
        call.content_type = content_type;
        call.body = body;
        Ok(call)
    }
}

/// The values in the path, by name.
///
/// # Errors
/// [`Failure::Invalid`] for what is no UTF-8 or holds a NUL.
pub async fn path_parameters(parts: &mut request::Parts) -> Result<Vec<(String, String)>, Failure> {
    use axum::extract::FromRequestParts;
    let unreadable = || Failure::invalid("the path is not UTF-8");
    let path = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| unreadable())?;
    let path: Vec<_> =
        path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if path.iter().any(|(_, value)| value.contains('\0')) {
        return Err(Failure::invalid("the path holds a NUL character"));
    }
    Ok(path)
}

impl Call {
    /// Reads the parameters and checks their access token.
    ///
    /// # Errors
    /// [`Failure::AccessDenied`]; [`Failure::Unavailable`] when the token cannot be checked;
    /// [`Failure::Invalid`] for the parameters or the path.
    pub async fn checked(
        app: &App,
        request: Circumstances,
        given: Given,
        path: Result<Vec<(String, String)>, Failure>,
    ) -> Result<Call, Failure> {
        // To the precision of the database, so that a replay gives the same time.
        let received_at = Utc::now().trunc_subsecs(6);
        app.engine.catch_up(true).await?;
        let caller = identify(app, given.token.as_deref(), received_at).await?;
        let (parameters, path) = (given.parameters?, path?);
        let selector = Selector::of(&parameters)?;
        // Checked before anything is done: a call whose answer cannot be given changes nothing.
        parameters.attribute_to_return()?;
        let (content_type, body) = (None, Bytes::new());
        Ok(Call { caller, parameters, selector, received_at, request, path, content_type, body })
    }

    /// A value in the path.
    pub fn path(&self, name: &str) -> &str {
        let found = self.path.iter().find(|(one, _)| one == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// The object in the body.
    ///
    /// # Errors
    /// [`Failure::UnsupportedMediaType`], [`Failure::Invalid`].
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        body::object(self.content_type.as_deref(), &self.body)
    }

    /// The list of objects in the body.
    ///
    /// # Errors
    /// As [`Call::body`].
    pub fn bodies<T: DeserializeOwned>(&self) -> Result<Vec<T>, Failure> {
        body::objects(self.content_type.as_deref(), &self.body)
    }

    /// The envelope of what the application does.
    pub fn envelope(&self, operation: &'static str) -> Envelope {
        let (id, name) = (self.caller.id, self.caller.token.application.clone());
        let by = RealActor { kind: "access_token", id, name };
        self.request.envelope(Face::CrafterProfile, by, operation)
    }
}

/// Contract 4.1: the access token with this id, if it is valid now.
async fn identify(app: &App, id: Option<&str>, now: DateTime<Utc>) -> Result<Caller, Failure> {
    let id = id.filter(|id| !id.is_empty()).ok_or(Failure::AccessDenied)?;
    // Asked again if it was deleted: another may have been issued with the same id.
    for _ in 0..2 {
        let found = app.applications.found(&app.engine, Bearer::AccessToken, id).await?;
        let (_, stream) = found.ok_or(Failure::AccessDenied)?;
        let state = app.engine.load::<Access>(INSTALLATION, stream).await?.state;
        if let Some(token) = state.valid_token(now) {
            return Ok(Caller { id: stream, token: token.clone() });
        }
        app.applications.forget(Bearer::AccessToken, id);
    }
    Err(Failure::AccessDenied)
}
