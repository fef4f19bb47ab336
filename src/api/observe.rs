//! What surrounds every request: id, bounds, log line, metrics. Log lines and metrics never hold a
//! path, a query, a secret or an e-mail address: they name the route template.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, HOST,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Method, Version};
use axum::middleware::Next;
use axum::response::Response;
use metrics::histogram;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::app::App;
use super::bounds::{
    BODY_BYTES_MAX, BODY_TIME_MAX, LARGE_BYTES, LARGE_WAIT_MAX, REQUEST_TIME_MAX, UPLOAD_TIME_MAX,
};
use super::circumstances::RequestId;
use super::face::Face;
use super::rejection::Rejection;

/// The end of the path of requests that bring a file.
const UPLOAD: &str = "/uploadAttachment";

/// The content codings that bodies may have.
const CODINGS: &str = "gzip, deflate, br, zstd";

/// Handles a request within its bounds, and records it in log and metrics.
pub async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let given = request.headers().get("x-request-id");
    let given = given.and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let id: Uuid = given.unwrap_or_else(Uuid::now_v7);
    request.extensions_mut().insert(RequestId(id));
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("unmatched", MatchedPath::as_str).to_owned();
    let face = Face::of(&route);
    let method = method(request.method());
    let mut response = match face {
        Some(face) => bounded(&app, face, request, next).await,
        None => next.run(request).await,
    };
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("x-request-id", id);
    }
    if face.is_some() {
        keep_private(response.headers_mut());
    }
    let face = face.map_or("none", Face::name);
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

/// Answers are personal: unless a handler says otherwise, they are not cached, and their type is
/// not guessed.
fn keep_private(headers: &mut HeaderMap) {
    let caching = if headers.contains_key(ETAG) { "private, no-cache" } else { "no-store" };
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static(caching));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// Refuses HTTP/1.1 without `Host` or with several (RFC 9112 3.2). HTTP/2 names it otherwise.
pub async fn with_host(request: Request, next: Next) -> Response {
    let hosts = request.headers().get_all(HOST).iter().count();
    match request.version() {
        Version::HTTP_11 if hosts != 1 => {
            reject(Face::of(request.uri().path()), Rejection::HostUnclear)
        }
        _ => next.run(request).await,
    }
}

async fn bounded(app: &App, face: Face, request: Request, next: Next) -> Response {
    // Credentials come first: without them the body is not waited for. A place is taken only once
    // the body is there.
    if let Some(refused) = face.anonymous(request.headers()) {
        return refused;
    }
    // The layer that unpacks bodies removes this header, so a body that still has it was not
    // unpacked.
    let packed = request.headers().get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity");
    if packed {
        let mut response = face.reject(Rejection::UnsupportedCoding);
        response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(CODINGS));
        return response;
    }
    // A file may be larger than that: its handler receives it as a stream.
    let file = request.uri().path().ends_with(UPLOAD) && face == Face::CrafterProfile;
    let (request, _body) = match file {
        true => (request, None),
        false => match with_body(app, request).await {
            Ok(read) => read,
            Err(rejection) => return face.reject(rejection),
        },
    };
    let Ok(_permit) = app.requests.clone().try_acquire_owned() else {
        return face.reject(Rejection::Overloaded);
    };
    if app.engine.is_overloaded() {
        return face.reject(Rejection::Overloaded);
    }
    let _turn = match request.body().size_hint().exact() {
        Some(bytes) if bytes > LARGE_BYTES && !file => {
            let turn = app.large_requests.clone().acquire_owned();
            match tokio::time::timeout(LARGE_WAIT_MAX, turn).await {
                Ok(turn) => turn.ok(),
                Err(_) => return face.reject(Rejection::Overloaded),
            }
        }
        _ => None,
    };
    let time_max = if file { UPLOAD_TIME_MAX } else { REQUEST_TIME_MAX };
    match tokio::time::timeout(time_max, next.run(request)).await {
        Ok(response) => response,
        Err(_) => face.reject(Rejection::Unavailable),
    }
}

/// The request with its body in memory, within the bounds of size and time. A large body, or one
/// that may become large, takes one of the places for these.
async fn with_body(
    app: &App,
    request: Request,
) -> Result<(Request, Option<OwnedSemaphorePermit>), Rejection> {
    let (parts, body) = request.into_parts();
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok((Request::from_parts(parts, Body::empty()), None));
    }
    let told = parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let told = told.and_then(|length| length.parse::<u64>().ok());
    if told.is_some_and(|length| length > BODY_BYTES_MAX as u64) {
        return Err(Rejection::BodyTooLarge);
    }
    let place = match body.size_hint().exact() {
        Some(..=LARGE_BYTES) => None,
        Some(_) | None => {
            let place = app.large_bodies.clone().try_acquire_owned();
            Some(place.map_err(|_| Rejection::Overloaded)?)
        }
    };
    let limited = http_body_util::Limited::new(body, BODY_BYTES_MAX);
    let read = http_body_util::BodyExt::collect(limited);
    match tokio::time::timeout(BODY_TIME_MAX, read).await {
        Ok(Ok(read)) => Ok((Request::from_parts(parts, Body::from(read.to_bytes())), place)),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Rejection::BodyTooLarge)
        }
        Ok(Err(_)) => Err(Rejection::BodyBroken),
        Err(_) => Err(Rejection::BodyTimeout),
    }
}

/// A rejection in the form of the API that the request is for.
pub fn reject(face: Option<Face>, rejection: Rejection) -> Response {
    face.unwrap_or(Face::ProfilesV5).reject(rejection)
}

/// The method as a metric's label: one of a bounded set.
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

/// The answer after a panic.
pub fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    reject(None, Rejection::Internal)
}
