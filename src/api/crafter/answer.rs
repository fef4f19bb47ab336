//! Answers of this API: always 200, with JSON in which no field is missing, or with no body.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::call::Call;
use super::error::{Failure, JSON};
use super::selector::Bean;

/// The result of every handler.
pub type Answer = Result<Response, Failure>;

/// 200 with a bean or a list of beans, each with the fields that the call's selector keeps.
pub fn bean(call: &Call, bean: Bean, value: &impl Serialize) -> Answer {
    let Some(selector) = &call.selector else { return json(value) };
    let value = serde_json::to_value(value).map_err(|_| Failure::Internal)?;
    json(&selector.kept(bean, value))
}

/// 200 with a value.
pub fn json(value: &impl Serialize) -> Answer {
    let body = serde_json::to_string(value).map_err(|_| Failure::Internal)?;
    Ok((StatusCode::OK, [(CONTENT_TYPE, JSON)], body).into_response())
}

/// 200 with no body and no content type (contract 0: deletes and similar calls).
pub fn empty() -> Answer {
    Ok(StatusCode::OK.into_response())
}
