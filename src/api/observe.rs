//! What surrounds every request: its id, its bounds, its log line, its metrics. Neither log nor
//! metrics hold a path, a query, a secret or an e-mail address: routes are templates.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HOST,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::histogram;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::app::App;
use super::call::BODY_BYTES_MAX;
use super::crafter::{self, FACE as CRAFTER};
use super::failure::Failure;
use super::history::Problem;

/// Longest work on a request.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);

/// Longest work on a request that brings a file.
const UPLOAD_TIME_MAX: Duration = Duration::from_secs(120);
/// How the path of such a request ends.
const UPLOAD: &str = "/uploadAttachment";

/// Size from which on a body is a large one.
const LARGE_BYTES: u64 = 64 << 10;
/// Longest wait for others with large bodies.
const LARGE_WAIT_MAX: Duration = Duration::from_secs(2);

/// Longest wait for a body.
const BODY_TIME_MAX: Duration = Duration::from_secs(10);

/// The content codings that bodies of requests may have.
const CODINGS: &str = "gzip, deflate, br, zstd";

/// The id under which a request is on record, in the log and in its answer.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(pub Uuid);

/// Surrounds a request.
pub async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let given = request.headers().get("x-request-id");
    let given = given.and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let id: Uuid = given.unwrap_or_else(Uuid::now_v7);
    request.extensions_mut().insert(RequestId(id));
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("unmatched", MatchedPath::as_str).to_owned();
    let face = face(&route);
    let method = method(request.method());
    let mut response = bounded(&app, face, request, next).await;
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("x-request-id", id);
    }
    if face != "none" {
        keep_private(response.headers_mut());
    }
    let status = response.status();
    let elapsed = started.elapsed();
    histogram!(
        "dossier_http_request_duration_seconds",
        "face" => face,
        "route" => route.clone(),
        "method" => method,
        "status" => status.as_u16().to_string(),
    )
    .record(elapsed);
    let (milliseconds, code) = (elapsed.as_secs_f64() * 1e3, status.as_u16());
    if status.is_server_error() {
        tracing::error!(request.id = %id, face, method, route, status = code, milliseconds,
            "{method} {route} answered {code}");
    } else {
        tracing::info!(request.id = %id, face, method, route, status = code, milliseconds,
            "{method} {route} answered {code}");
    }
    response
}

/// What answers of faces hold is personal: nobody keeps it unasked, or takes it for something else.
fn keep_private(headers: &mut HeaderMap) {
    let caching = if headers.contains_key(ETAG) { "private, no-cache" } else { "no-store" };
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static(caching));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// Refuses HTTP/1.1 without `Host` or with several (RFC 9112 3.2). HTTP/2 names it otherwise.
pub async fn with_host(request: Request, next: Next) -> Response {
    let hosts = request.headers().get_all(HOST).iter().count();
    match request.version() {
        Version::HTTP_11 if hosts != 1 => refuse(face(request.uri().path()), Failure::HostUnclear),
        _ => next.run(request).await,
    }
}

async fn bounded(app: &App, face: &'static str, request: Request, next: Next) -> Response {
    if face == "none" {
        return next.run(request).await;
    }
    // Nobody is waited for who has not even shown a key; no place is taken while a body dawdles.
    if face != CRAFTER && !request.headers().contains_key("x-api-key") {
        return refuse(face, Failure::MissingApiKey);
    }
    // What could be unpacked has lost this header.
    let packed = request.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    if packed {
        let mut response = refuse(face, Failure::UnsupportedMediaType);
        response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(CODINGS));
        return response;
    }
    // A file is too large for that: it is received as it comes, by the handler.
    let file = request.uri().path().ends_with(UPLOAD) && face == CRAFTER;
    let (request, _body) = match file {
        true => (request, None),
        false => match with_body(app, request).await {
            Ok(read) => read,
            Err(failure) => return refuse(face, failure),
        },
    };
    let Ok(_permit) = app.requests.clone().try_acquire_owned() else {
        return refuse(face, Failure::Overloaded);
    };
    if app.engine.is_overloaded() {
        return refuse(face, Failure::Overloaded);
    }
    let _turn = match request.body().size_hint().exact() {
        Some(bytes) if bytes > LARGE_BYTES && !file => {
            let turn = app.large_requests.clone().acquire_owned();
            match tokio::time::timeout(LARGE_WAIT_MAX, turn).await {
                Ok(turn) => turn.ok(),
                Err(_) => return refuse(face, Failure::Overloaded),
            }
        }
        _ => None,
    };
    let time_max = if file { UPLOAD_TIME_MAX } else { REQUEST_TIME_MAX };
    match tokio::time::timeout(time_max, next.run(request)).await {
        Ok(response) => response,
        Err(_) => refuse(face, Failure::Unavailable),
    }
}

/// The request with its body in memory, within its bounds of size and time, and a place among the
/// large ones if it is one of them, or may become one.
async fn with_body(
    app: &App,
    request: Request,
) -> Result<(Request, Option<OwnedSemaphorePermit>), Failure> {
    let (parts, body) = request.into_parts();
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok((Request::from_parts(parts, Body::empty()), None));
    }
    let told = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let told = told.and_then(|length| length.parse::<u64>().ok());
    if told.is_some_and(|length| length > BODY_BYTES_MAX as u64) {
        return Err(Failure::BodyTooLarge);
    }
    let place = match body.size_hint().exact() {
        Some(..=LARGE_BYTES) => None,
        Some(_) | None => {
            let place = app.large_bodies.clone().try_acquire_owned();
            Some(place.map_err(|_| Failure::Overloaded)?)
        }
    };
    let limited = http_body_util::Limited::new(body, BODY_BYTES_MAX);
    let read = http_body_util::BodyExt::collect(limited);
    match tokio::time::timeout(BODY_TIME_MAX, read).await {
        Ok(Ok(read)) => Ok((Request::from_parts(parts, Body::from(read.to_bytes())), place)),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Failure::BodyTooLarge)
        }
        Ok(Err(_)) => Err(Failure::BodyBroken),
        Err(_) => Err(Failure::BodyTimeout),
    }
}

/// A failure in the form of its face.
pub fn refuse(face: &str, failure: Failure) -> Response {
    match face {
        "history" => Problem(failure).into_response(),
        CRAFTER => crafter::error::Failure::from(failure).into_response(),
        _ => failure.into_response(),
    }
}

/// The face that a route belongs to.
pub fn face(route: &str) -> &'static str {
    if route.starts_with("/api/v5/") || route.starts_with("/uploads/") {
        "v5"
    } else if route.starts_with("/api/v1/") {
        "history"
    } else if route.starts_with(crafter::path::ROOT) {
        CRAFTER
    } else {
        "none"
    }
}

/// The method, of a bounded set.
fn method(method: &axum::http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// What a panic is answered with.
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    let mut response = Failure::Internal.into_response();
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
