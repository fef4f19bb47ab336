//! How the bytes of an attachment are sent: with their stored type, and so that no browser runs
//! them as part of this site.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::domain::attachment::{Digest, Kind, may_run_in_browser};
use crate::engine::kept::attachments::Piece;

/// Answers with a content, or with a part of it (206). `name` has no extension.
pub fn answer(name: &str, content_type: &str, digest: Digest, piece: Piece) -> Response {
    let (range, bytes_total) = (piece.range, piece.bytes_total);
    let mut response = Response::new(Body::from_stream(piece.chunks));
    let whole = range == (0..bytes_total);
    *response.status_mut() = if whole { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, (range.end - range.start).into());
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let nothing = HeaderValue::from_static("default-src 'none'; sandbox");
    headers.insert(CONTENT_SECURITY_POLICY, nothing);
    let mut set = |header, value: String| match HeaderValue::from_str(&value) {
        Ok(value) => headers.insert(header, value),
        Err(_) => None,
    };
    set(CONTENT_TYPE, content_type.to_owned());
    set(ETAG, etag(digest));
    if !whole {
        set(CONTENT_RANGE, format!("bytes {}-{}/{bytes_total}", range.start, range.end - 1));
    }
    if may_run_in_browser(content_type) {
        set(CONTENT_DISPOSITION, disposition(name, content_type));
    }
    response
}

/// The entity tag of a content: its digest.
pub fn etag(digest: Digest) -> String {
    format!("\"{digest}\"")
}

/// The header for a download with this name: in ASCII for old clients, then exactly (RFC 6266).
fn disposition(name: &str, content_type: &str) -> String {
    let extension = Kind::named(content_type).map_or("bin", Kind::extension);
    let plain = |c: char| if is_plain(c) || c == ' ' { c } else { '_' };
    let plain: String = name.chars().map(plain).collect();
    let mut exact = String::new();
    for byte in name.bytes() {
        let c = char::from(byte);
        if is_plain(c) {
            exact.push(c);
        } else {
            // Writing into a string cannot fail.
            let _ = write!(exact, "%{byte:02X}");
        }
    }
    format!("attachment; filename=\"{plain}.{extension}\"; filename*=UTF-8''{exact}.{extension}")
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}
