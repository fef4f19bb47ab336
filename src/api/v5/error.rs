//! The errors of Profiles v5 (contract 1.1): one form for 422, one for everything else.

use axum::http::HeaderValue;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::api::people::failure::{Failure, FieldError};

impl IntoResponse for Failure {
    /// The form of v5. The History API has its own.
    fn into_response(self) -> Response {
        let (status, code, detail) = (self.status(), self.code(), self.to_string());
        let retry_after = self.retry_after();
        let body = match self {
            Failure::Invalid(fields) => {
                let detail: Vec<Value> = fields
                    .into_iter()
                    .map(|field| {
                        json!({"loc": field.location, "msg": field.message, "type": field.kind})
                    })
                    .collect();
                json!({ "detail": detail })
            }
            Failure::InvalidReference(errors) | Failure::InvalidValue(errors) => {
                json!({"detail": detail, "code": code, "errors": fields(errors)})
            }
            Failure::DraftVersionConflict(Value::Object(mut state)) => {
                state.insert("detail".to_owned(), detail.into());
                state.insert("code".to_owned(), code.into());
                Value::Object(state)
            }
            _ => json!({"detail": detail, "code": code}),
        };
        let mut response = (status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

fn fields(errors: Vec<FieldError>) -> Vec<Value> {
    errors
        .into_iter()
        .map(|error| json!({"field": error.field, "message": error.message}))
        .collect()
}
