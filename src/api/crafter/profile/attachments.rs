//! Files of a profile (contract 1, 4.9): received as a stream, stored by content, and served so
//! that no browser runs them.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::{ETAG, IF_NONE_MATCH, IF_RANGE, RANGE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse;

use crate::api::app::App;
use crate::api::bounds::BODY_BYTES_MAX;
use crate::api::circumstances::Circumstances;
use crate::api::crafter::answer::{Answer, bean, empty};
use crate::api::crafter::call::{Call, path_parameters};
use crate::api::crafter::content;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find::{self, FoundProfile};
use crate::api::crafter::parameters::{FORM, Given, TOKEN_PARAMETER, is_form};
use crate::api::crafter::selector::Bean;
use crate::api::crafter::shown;
use crate::api::crafter::types::profile::ProfileAttachment;
use crate::api::crafter::upload::{Fields, Refused, Unreadable, Upload};
use crate::api::range::{Asked, asked, is_held};
use crate::attachments::Error as StoreError;
use crate::domain::attachment::{Invalid, Named, parse_file_name};
use crate::domain::ids::AttachmentId;
use crate::domain::profile::{Attachment, Command};
use crate::engine::write::halt::Halt;
use crate::engine::write::mint;

use super::{Orders, ProfileChange, change};

/// Most files of one profile.
const ATTACHMENTS_MAX: usize = 100;

/// Stores a file under its name without the extension. It replaces a file of that name.
#[utoipa::path(
    post,
    path = "/api/1/profile/{id}/uploadAttachment",
    operation_id = "crafter_upload_attachment",
    tag = "crafter",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = ProfileAttachment),
        (status = 404),
    )
)]
pub async fn upload(State(app): State<Arc<App>>, request: Request) -> Answer {
    let (mut parts, body) = request.into_parts();
    let path = path_parameters(&mut parts).await;
    let query = parts.uri.query().map(str::to_owned);
    let query = query.as_deref();
    let by = async |fields: Fields| {
        let given = Given::of_multipart(query, fields);
        Call::checked(&app, Circumstances::of(&parts), given, path.clone()).await
    };
    if is_form(&parts.headers) {
        // A request without a file: its parameters are checked as always, then the missing file is
        // told.
        let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| Failure::BodyTooLarge)?;
        let given = Given::read(query, Some(FORM), &body);
        Call::checked(&app, Circumstances::of(&parts), given, path).await?;
        return Err(unreadable(Unreadable::NotOneFile));
    }
    let known = Given::read(query, None, b"").token.is_some();
    if known {
        // The caller is checked before the file is received.
        let call = by(Fields::new()).await?;
        find::managed(&app, &call, call.path("id")).await?;
    }
    let bytes_max = app.applications.settings.upload_bytes_max;
    let opened = match Upload::open(&parts.headers, body, bytes_max).await {
        Ok(opened) => opened,
        Err(Refused { fields, why }) => {
            // Contract 2: a caller without a valid token is told nothing else.
            if !known && !matches!(why, Unreadable::TooLarge { .. } | Unreadable::Store(_)) {
                by(fields).await?;
            }
            return Err(unreadable(why));
        }
    };
    let known = known || opened.fields().contains_key(TOKEN_PARAMETER);
    if opened.fields().contains_key(TOKEN_PARAMETER) {
        let call = by(opened.fields().clone()).await?;
        find::managed(&app, &call, call.path("id")).await?;
    }
    let received = match opened.receive(&app.applications.attachments).await {
        Ok(received) => received,
        Err(why) if known => return Err(unreadable(why)),
        Err(why) => return Err(by(Fields::new()).await.err().unwrap_or_else(|| unreadable(why))),
    };
    let call = by(received.fields).await?;
    let found = find::managed(&app, &call, call.path("id")).await?;
    let name = call.parameters.filled("filename")?.map(str::to_owned).or(received.file_name);
    let allowed = &app.applications.settings.attachment_kinds;
    let named = parse_file_name(&name.unwrap_or_default(), allowed);
    let Named { name, kind } = named.map_err(|invalid: Invalid| {
        Failure::invalid(format!("the file cannot be kept: {invalid}"))
    })?;
    has_room(&found, &name)?;
    let (engine, store) = (&app.engine, &app.applications.attachments);
    let kept = engine.keep_attachment(store, found.tenant.id, received.file).await;
    let kept = kept.map_err(failed)?;
    let new = Attachment {
        id: AttachmentId(mint::new_id()),
        name: name.clone().into(),
        content_type: kind.content_type().to_owned(),
        bytes: kept.bytes,
        md5: kept.md5,
        digest: kept.digest,
    };
    let after = change(&app, &call, &found, "upload_attachment", &Keep(new)).await?;
    let stored = attachment(&after, &name).ok_or(Failure::Internal)?;
    bean(&call, Bean::ProfileAttachment, &shown::attachment(stored))
}

/// Attaches a file. A file of the same name is replaced and keeps its id.
struct Keep(Attachment);

impl Orders for Keep {
    async fn give(&self, profile: &mut ProfileChange<'_, '_>) -> Result<(), Halt<Failure>> {
        let attachments = &profile.facts()?.attachments;
        let before = attachments.iter().find(|one| one.name == self.0.name);
        let id = before.map_or(self.0.id, |one| one.id);
        profile.order(Command::StoreAttachment(Attachment { id, ..self.0.clone() })).await
    }
}

/// The bytes of a file.
#[utoipa::path(
    get,
    path = "/api/1/profile/{id}/attachment/{name}",
    operation_id = "crafter_get_attachment",
    tag = "crafter",
    params(("id" = String, Path), ("name" = String, Path)),
    responses(
        (status = 200, content_type = "application/octet-stream", body = [u8]),
        (status = 206, content_type = "application/octet-stream", body = [u8]),
        (status = 304, description = "As the ETag of If-None-Match"),
        (status = 404),
        (status = 416),
    )
)]
pub async fn get(State(app): State<Arc<App>>, headers: HeaderMap, call: Call) -> Answer {
    let found = find::managed(&app, &call, call.path("id")).await?;
    let Some(stored) = attachment(&found, call.path("name")) else { return empty() };
    let given = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let etag = content::etag(stored.digest);
    if given(IF_NONE_MATCH).is_some_and(|held| is_held(held, &etag)) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag)]).into_response());
    }
    let range = match asked(given(RANGE), given(IF_RANGE), &etag, stored.bytes) {
        Asked::Whole => None,
        Asked::Part(range) => Some(range),
        Asked::Outside => return Err(Failure::RangeOutside(stored.bytes)),
    };
    let store = &app.applications.attachments;
    let piece = store.get(found.tenant.id, stored.digest, range).await.map_err(failed)?;
    match piece {
        Some(piece) => {
            Ok(content::answer(&stored.name.0, &stored.content_type, stored.digest, piece))
        }
        None => empty(),
    }
}

/// The details of a file.
#[utoipa::path(
    get,
    path = "/api/1/profile/{id}/attachment/{name}/details",
    operation_id = "crafter_get_attachment_details",
    tag = "crafter",
    params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = ProfileAttachment), (status = 404))
)]
pub async fn details(State(app): State<Arc<App>>, call: Call) -> Answer {
    let found = find::managed(&app, &call, call.path("id")).await?;
    let details = attachment(&found, call.path("name")).map(shown::attachment);
    bean(&call, Bean::ProfileAttachment, &details.unwrap_or_default())
}

/// The details of all files of a profile.
#[utoipa::path(
    get,
    path = "/api/1/profile/{id}/attachments",
    operation_id = "crafter_get_attachments",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = Vec<ProfileAttachment>), (status = 404))
)]
pub async fn list(State(app): State<Arc<App>>, call: Call) -> Answer {
    // Contract 1: the original takes the id from this path; both paths are served.
    let id = call.parameters.filled("profileId")?.unwrap_or(call.path("id"));
    let found = find::managed(&app, &call, id).await?;
    let attachments: Vec<_> = found.facts.attachments.iter().map(shown::attachment).collect();
    bean(&call, Bean::ProfileAttachment, &attachments)
}

fn attachment<'a>(found: &'a FoundProfile, name: &str) -> Option<&'a Attachment> {
    found.facts.attachments.iter().find(|one| one.name.0 == name)
}

fn unreadable(error: Unreadable) -> Failure {
    match error {
        Unreadable::NotMultipart => Failure::UnsupportedMediaType,
        Unreadable::TooLarge { .. } => Failure::BodyTooLarge,
        Unreadable::NotOneFile | Unreadable::Misplaced(_) | Unreadable::Malformed { .. } => {
            Failure::invalid(error.to_string())
        }
        Unreadable::Store(error) => failed(error),
    }
}

fn failed(error: StoreError) -> Failure {
    match error {
        StoreError::TooLarge { .. } => Failure::BodyTooLarge,
        StoreError::Broken(_) => Failure::invalid("the file did not arrive whole"),
        StoreError::Overloaded => Failure::Overloaded,
        error => {
            tracing::warn!(error = %error, "attachments: {error}");
            Failure::Unavailable
        }
    }
}

/// Fails unless the profile can have one more file, or has one of this name to be replaced.
fn has_room(found: &FoundProfile, name: &str) -> Result<(), Failure> {
    let attachments = &found.facts.attachments;
    let replaced = attachments.iter().any(|one| one.name.0 == name);
    if attachments.len() < ATTACHMENTS_MAX || replaced {
        return Ok(());
    }
    Err(Failure::invalid(format!("a profile has at most {ATTACHMENTS_MAX} attachments")))
}
