//! An answer as data, so that it can be stored and sent again.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::call::Call;
use super::failure::Failure;
use crate::api::range::is_held;

/// A JSON answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// 200 with this body.
    ///
    /// # Errors
    /// [`Failure::Internal`] for a body that cannot be JSON, which no type here is.
    pub fn ok(body: &impl Serialize) -> Result<Answer, Failure> {
        let body = serde_json::to_string(body).map_err(|_| Failure::Internal)?;
        Ok(Answer { status: StatusCode::OK, headers: HeaderMap::new(), body })
    }

    /// With an entity tag of its body; 304 without a body for a caller that has this answer.
    pub fn validated(self, call: &Call) -> Answer {
        let mut hash = DefaultHasher::new();
        self.body.hash(&mut hash);
        let etag = format!("\"{:016x}\"", hash.finish());
        let held = call.if_none_match.as_deref().is_some_and(|held| is_held(held, &etag));
        let answer = self.with("etag", &etag).with("cache-control", "private, no-cache");
        match held {
            true => Answer { status: StatusCode::NOT_MODIFIED, body: String::new(), ..answer },
            false => answer,
        }
    }

    /// Adds a header.
    pub fn with(mut self, name: &'static str, value: impl AsRef<str>) -> Answer {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().entry(CONTENT_TYPE).or_insert(json);
        response
    }
}
