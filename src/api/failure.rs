//! Why a request is not answered as it wished. Each face gives these its own form.

use axum::http::StatusCode;
use serde_json::Value;

use crate::engine::Error;
use crate::engine::halt::Halt;

/// A field of a body that cannot be, for 422.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidField {
    /// Names and indexes from the body down.
    pub location: Vec<Value>,
    pub message: String,
    pub kind: &'static str,
}

/// A field of a draft that refers to nothing or has an impossible value, for 400.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    pub field: &'static str,
    pub message: String,
}

/// Why not.
#[derive(Clone, Debug)]
pub enum Failure {
    MissingApiKey,
    InvalidApiKey,
    MissingToken,
    InvalidToken,
    ProfileUnresolved,
    Forbidden(&'static str),
    ProfileInactive,
    DepartmentForbidden,
    ProfileNotFound,
    DraftNotFound,
    UploadNotFound,
    RouteNotFound,
    MethodNotAllowed,
    UnsupportedMediaType,
    InvalidReference(Vec<FieldError>),
    InvalidValue(Vec<FieldError>),
    /// With the draft's id, version and form.
    DraftVersionConflict(Value),
    StreamConflict,
    PreconditionFailed,
    /// A position token that is not this tenant's, or of an earlier life of the log.
    InvalidPosition(String),
    /// A position token from beyond the head.
    PositionAhead,
    BatchTooLarge,
    BodyTooLarge,
    /// It stopped amid, or is no HTTP.
    BodyBroken,
    BodyTimeout,
    /// HTTP/1.1 without `Host`, or with two (RFC 9112 3.2).
    HostUnclear,
    ResultTooLarge(String),
    Invalid(Vec<InvalidField>),
    /// The idempotency key was used for another request.
    IdempotencyMismatch,
    RequestLimitExceeded {
        seconds_left: u64,
    },
    IdentityUnavailable,
    Overloaded,
    Unavailable,
    Internal,
}

impl Failure {
    /// Status, stable code, and what to tell people.
    pub fn describe(&self) -> (StatusCode, &'static str, String) {
        use StatusCode as S;
        let (status, code, detail) = match self {
            Failure::MissingApiKey => (S::UNAUTHORIZED, "missing_api_key", "X-Api-Key is missing"),
            Failure::InvalidApiKey => {
                (S::UNAUTHORIZED, "invalid_api_key", "the API key is not valid")
            }
            Failure::MissingToken => {
                (S::UNAUTHORIZED, "missing_token", "authorization: Bearer <token> is missing")
            }
            Failure::InvalidToken => {
                (S::UNAUTHORIZED, "invalid_token", "the bearer token is not valid (any more)")
            }
            Failure::ProfileUnresolved => {
                (S::UNAUTHORIZED, "profile_unresolved", "the token belongs to no profile")
            }
            Failure::Forbidden(why) => (S::FORBIDDEN, "forbidden", *why),
            Failure::ProfileInactive => {
                (S::FORBIDDEN, "profile_inactive", "the profile is not active")
            }
            Failure::DepartmentForbidden => {
                (S::FORBIDDEN, "department_forbidden", "not one of your departments")
            }
            Failure::ProfileNotFound => (S::NOT_FOUND, "profile_not_found", "profile not found"),
            Failure::DraftNotFound => (S::NOT_FOUND, "draft_not_found", "draft not found"),
            Failure::UploadNotFound => (S::NOT_FOUND, "upload_not_found", "upload not found"),
            Failure::RouteNotFound => (S::NOT_FOUND, "not_found", "there is nothing here"),
            Failure::MethodNotAllowed => {
                (S::METHOD_NOT_ALLOWED, "method_not_allowed", "method not allowed here")
            }
            Failure::UnsupportedMediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send Content-Type: application/json in UTF-8, plain or in gzip, deflate, br or zstd",
            ),
            Failure::InvalidReference(_) => {
                (S::BAD_REQUEST, "invalid_reference", "an id refers to nothing")
            }
            Failure::InvalidValue(_) => (S::BAD_REQUEST, "invalid_value", "a value is not allowed"),
            Failure::DraftVersionConflict(_) => {
                (S::CONFLICT, "draft_version_conflict", "the draft is at another version")
            }
            Failure::StreamConflict => (
                S::CONFLICT,
                "stream_conflict",
                "others kept changing this at the same time; nothing was changed, try again",
            ),
            Failure::PreconditionFailed => {
                (S::PRECONDITION_FAILED, "precondition_failed", "the profile is at another version")
            }
            Failure::InvalidPosition(why) => {
                return (S::UNPROCESSABLE_ENTITY, "invalid_position", why.clone());
            }
            Failure::PositionAhead => {
                (S::CONFLICT, "position_ahead", "the position lies beyond this log's head")
            }
            Failure::BatchTooLarge => {
                (S::PAYLOAD_TOO_LARGE, "batch_too_large", "at most 100 items in one request")
            }
            Failure::BodyTooLarge => {
                (S::PAYLOAD_TOO_LARGE, "body_too_large", "the body is larger than 1 MiB")
            }
            Failure::BodyBroken => (S::BAD_REQUEST, "body_broken", "the body did not arrive whole"),
            Failure::BodyTimeout => {
                (S::REQUEST_TIMEOUT, "body_timeout", "the body did not arrive in time")
            }
            Failure::HostUnclear => {
                (S::BAD_REQUEST, "host_unclear", "a request has one Host header")
            }
            Failure::ResultTooLarge(why) => {
                return (S::PAYLOAD_TOO_LARGE, "result_too_large", why.clone());
            }
            Failure::Invalid(_) => {
                (S::UNPROCESSABLE_ENTITY, "invalid_request", "the request is invalid")
            }
            Failure::IdempotencyMismatch => (
                S::UNPROCESSABLE_ENTITY,
                "idempotency_mismatch",
                "this Idempotency-Key was used for another request",
            ),
            Failure::RequestLimitExceeded { .. } => (
                S::TOO_MANY_REQUESTS,
                "request_limit_exceeded",
                "your requests of this UTC day are spent",
            ),
            Failure::IdentityUnavailable => (
                S::SERVICE_UNAVAILABLE,
                "identity_unavailable",
                "who you are cannot be established now",
            ),
            Failure::Overloaded => (
                S::SERVICE_UNAVAILABLE,
                "overloaded",
                "too much is waiting; nothing was accepted, try again shortly",
            ),
            Failure::Unavailable => {
                (S::SERVICE_UNAVAILABLE, "unavailable", "the directory cannot be reached now")
            }
            Failure::Internal => {
                (S::INTERNAL_SERVER_ERROR, "internal", "a defect; see the log under the request id")
            }
        };
        (status, code, detail.to_owned())
    }

    /// After how many seconds another try makes sense.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Failure::RequestLimitExceeded { seconds_left } => Some(*seconds_left),
            Failure::IdentityUnavailable | Failure::Overloaded | Failure::Unavailable => Some(1),
            _ => None,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match &error {
            Error::Conflict(_) | Error::ClaimTaken(_) => Failure::StreamConflict,
            Error::Overloaded => Failure::Overloaded,
            Error::TooLarge(_) => Failure::BatchTooLarge,
            Error::Unavailable(..) => {
                tracing::warn!(error = %chain(&error), "an outage: {}", chain(&error));
                Failure::Unavailable
            }
            Error::Corrupt(..) => {
                tracing::error!(error = %chain(&error), "a defect: {}", chain(&error));
                Failure::Internal
            }
        }
    }
}

impl From<Halt<Failure>> for Failure {
    fn from(halt: Halt<Failure>) -> Self {
        match halt {
            Halt::Refused(failure) => failure,
            Halt::Failed(error) => error.into(),
        }
    }
}

impl From<Failure> for Halt<Failure> {
    fn from(failure: Failure) -> Self {
        Halt::Refused(failure)
    }
}

/// An error and its causes, without the database's detail texts, which may hold values.
fn chain(error: &Error) -> String {
    match error {
        Error::Unavailable(_, Some(cause)) | Error::Corrupt(_, Some(cause)) => {
            match cause.as_db_error() {
                Some(cause) => format!("{error}: {} ({})", cause.message(), cause.code().code()),
                None => format!("{error}: {cause}"),
            }
        }
        _ => error.to_string(),
    }
}
