//! The errors of the History API: RFC 9457, `application/problem+json`.

use axum::http::HeaderValue;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::people::failure::{Failure, InvalidField};

/// A failure in the form of this API.
pub struct Problem(pub Failure);

/// The body of every answer that is no success (contract 0.6).
#[derive(Serialize, ToSchema)]
pub struct ProblemDetails {
    /// `urn:dossier:problem:` and the code.
    pub r#type: String,
    /// The name of the status.
    pub title: &'static str,
    pub status: u16,
    /// One sentence for people.
    pub detail: String,
    /// The stable code, for programs.
    pub code: &'static str,
    /// Every mistake of the request, if mistakes are the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<ProblemError>>,
}

/// A mistake in a request.
#[derive(Serialize, ToSchema)]
pub struct ProblemError {
    /// Its place, as in `["query", "limit"]`.
    #[schema(value_type = Vec<String>)]
    pub location: Vec<Value>,
    /// What is wrong, for people.
    pub message: String,
}

impl From<InvalidField> for ProblemError {
    fn from(field: InvalidField) -> Self {
        ProblemError { location: field.location, message: field.message }
    }
}

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
        let (status, code, detail) = (self.0.status(), self.0.code(), self.0.to_string());
        let retry_after = self.0.retry_after();
        let errors = match self.0 {
            Failure::Invalid(fields) => Some(fields.into_iter().map(ProblemError::from).collect()),
            _ => None,
        };
        let body = ProblemDetails {
            r#type: format!("urn:dossier:problem:{code}"),
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail,
            code,
            errors,
        };
        let body = serde_json::to_string(&body).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
