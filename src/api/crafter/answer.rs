//! Answers of this face: always 200, JSON with every field there, or nothing at all.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::call::Call;
use super::error::{Failure, JSON};
use super::selector::Bean;

/// What every handler answers with.
pub type Answer = Result<Response, Failure>;

/// 200 with a bean, or a list of them, and of each what the call's selector keeps.
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

/// 200 with no body and no content type (contract 0: deletes and the like).
pub fn empty() -> Answer {
    Ok(StatusCode::OK.into_response())
}
