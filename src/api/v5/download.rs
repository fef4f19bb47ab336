//! GET /uploads/{upload_id}/download (contract 4.13): the file of an export.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG,
};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::api::people::write::{Attempt, Endpoint, Kind, write};
use crate::api::range::{self, Asked};
use crate::domain::export::{Command, Export, HOURS_KEPT, State as ExportState};
use crate::engine::kept::files::CHUNK_BYTES;
use crate::engine::write::halt::{Halt, Ordered};

use super::types::headers::ActorHeaders;

/// The beginning of its paths.
pub const PREFIX: &str = "/uploads/";
/// The parameters of its paths.
pub const METHODS: &str = "GET";

/// Sends a file to the profile that it was made for, or to a superadmin, and records that.
#[utoipa::path(
    get,
    path = "/uploads/{upload_id}/download",
    operation_id = "download_upload",
    tag = "profiles",
    params(ActorHeaders, ("upload_id" = String, Path)),
    responses(
        (status = 200, content_type = "text/csv", body = String),
        (status = 206, content_type = "text/csv", body = String),
        (status = 404),
        (status = 416),
    )
)]
pub async fn download(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    mut call: Call,
) -> Result<Response, Failure> {
    if call.is_head {
        // HEAD is refused: it would be recorded as a download.
        return Ok(([(ALLOW, METHODS)], Failure::MethodNotAllowed).into_response());
    }
    // Each download is recorded; the answer is a file, which is not stored for an idempotency key.
    call.idempotency_key = None;
    let id = id.ok().and_then(|Path(id)| id.parse::<Uuid>().ok());
    let handed_out = write(&app, &call, &Download { id }).await?;
    let (file_name, bytes): (String, i64) =
        serde_json::from_str(&handed_out.body).map_err(|_| Failure::Internal)?;
    let id = id.ok_or(Failure::UploadNotFound)?;
    let (range, if_range) = (call.range.as_deref(), call.if_range.as_deref());
    let of = u64::try_from(bytes).unwrap_or_default();
    let asked = range::asked(range, if_range, &etag(id), of);
    Ok(file(app, id, &file_name, bytes, asked))
}

/// The download of this file; answers with its name and size.
struct Download {
    id: Option<Uuid>,
}

impl Endpoint for Download {
    const KIND: Kind = Kind { area: "export", operation: "download", exempt: false };
    type Input = ();

    fn input(&self, _: &Call) -> Result<(), Failure> {
        Ok(())
    }

    async fn decide(
        &self,
        attempt: &mut Attempt<'_, '_>,
        (): &(),
    ) -> Result<Answer, Halt<Failure>> {
        let (actor, decision) = (&attempt.actor, &mut attempt.decision);
        let id = self.id.ok_or(Failure::UploadNotFound)?;
        let export = decision.load::<Export>(id).await?.state;
        let ExportState::Made { file_name, made_at, .. } = &*export else {
            return Err(Failure::UploadNotFound.into());
        };
        if attempt.call.received_at >= *made_at + chrono::Duration::hours(HOURS_KEPT) {
            return Err(Failure::UploadNotFound.into());
        }
        let superadmin = actor.effective.is_superadmin();
        let command = Command::DownloadExport { by: actor.id(), superadmin };
        let handed_out = decision.order::<Export>(id, (), command).await;
        handed_out.or_refuse(|_| Failure::UploadNotFound)?;
        let bytes = decision.engine.file_bytes(id, actor.tenant()).await?;
        let bytes = bytes.ok_or(Failure::UploadNotFound)?;
        Ok(Answer::ok(&(file_name, bytes))?)
    }
}

/// A file never changes: its id is its entity tag.
fn etag(id: Uuid) -> String {
    format!("\"{id}\"")
}

fn file(app: Arc<App>, id: Uuid, file_name: &str, bytes: i64, asked: Asked) -> Response {
    let at = |position: u64| i64::try_from(position).unwrap_or(bytes);
    let (status, from, end) = match asked {
        Asked::Whole => (StatusCode::OK, 0, bytes),
        Asked::Part(part) => (StatusCode::PARTIAL_CONTENT, at(part.start), at(part.end)),
        Asked::Outside => {
            let of = format!("bytes */{bytes}");
            let body =
                r#"{"detail":"the range lies outside the file","code":"range_not_satisfiable"}"#;
            let headers = [(CONTENT_RANGE, of), (CONTENT_TYPE, "application/json".to_owned())];
            return (StatusCode::RANGE_NOT_SATISFIABLE, headers, body).into_response();
        }
    };
    let chunks = stream::try_unfold(from, move |at| {
        let app = app.clone();
        async move {
            if at >= end {
                return Ok(None);
            }
            let chunk = app.engine.file_chunk(id, at, end).await.map_err(std::io::Error::other)?;
            if chunk.is_empty() {
                return Err(std::io::Error::other("the file ended early"));
            }
            debug_assert!(chunk.len() as i64 <= CHUNK_BYTES);
            let next = at + chunk.len() as i64;
            Ok(Some((chunk, next)))
        }
    });
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{file_name}\"")),
        (CONTENT_LENGTH, (end - from).to_string()),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (ETAG, etag(id)),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    let mut response = (status, headers, Body::from_stream(chunks)).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let of = format!("bytes {from}-{}/{bytes}", end - 1);
        if let Ok(of) = of.parse() {
            response.headers_mut().insert(CONTENT_RANGE, of);
        }
    }
    response
}
