//! The errors of the History API: RFC 9457, `application/problem+json`.

use axum::http::HeaderValue;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::api::failure::Failure;

/// A failure in this face's form.
pub struct Problem(pub Failure);

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Problem(failure)
    }
}

impl From<crate::engine::Error> for Problem {
    fn from(error: crate::engine::Error) -> Self {
        Problem(error.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, code, detail) = self.0.describe();
        let retry_after = self.0.retry_after();
        let mut body = json!({
            "type": format!("urn:dossier:problem:{code}"),
            "title": status.canonical_reason().unwrap_or_default(),
            "status": status.as_u16(),
            "detail": detail,
            "code": code,
        });
        if let Failure::Invalid(fields) = self.0 {
            let errors: Vec<Value> = fields
                .into_iter()
                .map(|field| json!({"location": field.location, "message": field.message}))
                .collect();
            body["errors"] = errors.into();
        }
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
