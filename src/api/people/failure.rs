//! Why a request of a person fails: status, code and message. Profiles v5 and the History API send
//! them in different forms, each in its `error.rs`.

use axum::http::StatusCode;
use serde_json::Value;

use crate::api::bounds::{BODY_BYTES_MAX, BODY_TIME_MAX};
use crate::api::rejection::Rejection;
use crate::api::v5::ITEMS_MAX;
use crate::engine::Error;
use crate::engine::write::halt::Halt;

/// A field of a body that is invalid, for 422.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidField {
    /// Names and indexes from the body downwards.
    pub location: Vec<Value>,
    pub message: String,
    pub kind: &'static str,
}

/// A field of a draft with an unknown id or an impossible value, for 400.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    pub field: &'static str,
    pub message: String,
}

/// Why a request fails. The text is the message for people.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    #[error("the header X-Api-Key is missing")]
    MissingApiKey,
    #[error("the API key is not valid")]
    InvalidApiKey,
    #[error("authorization: Bearer <token> is missing")]
    MissingToken,
    #[error("the bearer token is not valid, or no longer valid")]
    InvalidToken,
    #[error("the token belongs to no profile")]
    ProfileUnresolved,
    #[error("{0}")]
    Forbidden(&'static str),
    #[error("the profile is not active")]
    ProfileInactive,
    #[error("this is not one of your departments")]
    DepartmentForbidden,
    #[error("profile not found")]
    ProfileNotFound,
    #[error("event not found")]
    EventNotFound,
    #[error("draft not found")]
    DraftNotFound,
    #[error("upload not found")]
    UploadNotFound,
    #[error("there is nothing at this path: the API is described at /docs")]
    RouteNotFound,
    #[error("this path does not take this method")]
    MethodNotAllowed,
    #[error("send Content-Type: application/json in UTF-8, plain or in gzip, deflate, br or zstd")]
    UnsupportedMediaType,
    #[error("the draft names an id that does not exist")]
    InvalidReference(Vec<FieldError>),
    #[error("a value is not allowed")]
    InvalidValue(Vec<FieldError>),
    /// With the id, the version and the form of the draft.
    #[error("the draft is at another version")]
    DraftVersionConflict(Value),
    #[error("other requests kept changing the same thing: nothing was changed, try again")]
    StreamConflict,
    #[error("the profile has another version than If-Match names: read it again")]
    PreconditionFailed,
    /// A position token of another tenant, or from before the log was restored.
    #[error("{0}")]
    InvalidPosition(String),
    /// A position token for a position after the end of the log.
    #[error("the position is after the end of the log")]
    PositionAhead,
    /// A time that is not over yet.
    #[error("this time is later than now: ask about a time that is over")]
    InTheFuture,
    #[error("the profile has fewer events than this version")]
    NoSuchVersion,
    #[error("the catalogue of that moment has no department with the key {0}")]
    NoSuchDepartment(String),
    #[error("the first moment is later than the second: exchange them")]
    RangeReversed,
    /// A question that takes longer than it may. The text says which filter would help.
    #[error("this question is too broad: {0}")]
    TooBroad(&'static str),
    /// A cursor of another list, of other filters, or none.
    #[error("this is no cursor of this list: send next_cursor with the filters of its page")]
    InvalidCursor,
    #[error("at most {ITEMS_MAX} items in one request")]
    BatchTooLarge,
    #[error("the request changes more than the log takes at once: send it in parts")]
    TooMuchAtOnce,
    #[error("the body is larger than {} MiB", BODY_BYTES_MAX >> 20)]
    BodyTooLarge,
    #[error("the body is incomplete: send the request again")]
    BodyBroken,
    #[error("the body did not arrive within {} s", BODY_TIME_MAX.as_secs())]
    BodyTimeout,
    #[error("send exactly one Host header")]
    HostUnclear,
    #[error("{0}")]
    ResultTooLarge(String),
    #[error("the request is invalid")]
    Invalid(Vec<InvalidField>),
    /// The idempotency key was used with another request.
    #[error("this Idempotency-Key was used for another request")]
    IdempotencyMismatch,
    #[error("your daily limit of requests is used up until 00:00 UTC")]
    RequestLimitExceeded { seconds_left: u64 },
    #[error("your credentials cannot be checked now: try again shortly")]
    IdentityUnavailable,
    #[error("the server is busy and accepted nothing: try again shortly")]
    Overloaded,
    #[error("the directory cannot be reached now: try again shortly")]
    Unavailable,
    #[error("the server failed: tell its operator this answer's X-Request-Id")]
    Internal,
}

impl Failure {
    /// Fails with [`Failure::Forbidden`] and this reason unless the condition is true.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    pub fn unless(permitted: bool, why: &'static str) -> Result<(), Failure> {
        if permitted { Ok(()) } else { Err(Failure::Forbidden(why)) }
    }

    /// The status of the answer (contract 1.1).
    pub fn status(&self) -> StatusCode {
        use StatusCode as S;
        match self {
            Failure::InvalidReference(_)
            | Failure::InvalidValue(_)
            | Failure::BodyBroken
            | Failure::HostUnclear => S::BAD_REQUEST,
            Failure::MissingApiKey
            | Failure::InvalidApiKey
            | Failure::MissingToken
            | Failure::InvalidToken
            | Failure::ProfileUnresolved => S::UNAUTHORIZED,
            Failure::Forbidden(_) | Failure::ProfileInactive | Failure::DepartmentForbidden => {
                S::FORBIDDEN
            }
            Failure::ProfileNotFound
            | Failure::EventNotFound
            | Failure::DraftNotFound
            | Failure::UploadNotFound
            | Failure::RouteNotFound => S::NOT_FOUND,
            Failure::MethodNotAllowed => S::METHOD_NOT_ALLOWED,
            Failure::BodyTimeout => S::REQUEST_TIMEOUT,
            Failure::DraftVersionConflict(_) | Failure::StreamConflict | Failure::PositionAhead => {
                S::CONFLICT
            }
            Failure::PreconditionFailed => S::PRECONDITION_FAILED,
            Failure::BatchTooLarge
            | Failure::TooMuchAtOnce
            | Failure::BodyTooLarge
            | Failure::ResultTooLarge(_) => S::PAYLOAD_TOO_LARGE,
            Failure::UnsupportedMediaType => S::UNSUPPORTED_MEDIA_TYPE,
            Failure::InvalidPosition(_)
            | Failure::InTheFuture
            | Failure::NoSuchVersion
            | Failure::NoSuchDepartment(_)
            | Failure::RangeReversed
            | Failure::TooBroad(_)
            | Failure::InvalidCursor
            | Failure::Invalid(_)
            | Failure::IdempotencyMismatch => S::UNPROCESSABLE_ENTITY,
            Failure::RequestLimitExceeded { .. } => S::TOO_MANY_REQUESTS,
            Failure::Internal => S::INTERNAL_SERVER_ERROR,
            Failure::IdentityUnavailable | Failure::Overloaded | Failure::Unavailable => {
                S::SERVICE_UNAVAILABLE
            }
        }
    }

    /// The stable code of the answer, for programs (contract 1.1).
    pub fn code(&self) -> &'static str {
        match self {
            Failure::MissingApiKey => "missing_api_key",
            Failure::InvalidApiKey => "invalid_api_key",
            Failure::MissingToken => "missing_token",
            Failure::InvalidToken => "invalid_token",
            Failure::ProfileUnresolved => "profile_unresolved",
            Failure::Forbidden(_) => "forbidden",
            Failure::ProfileInactive => "profile_inactive",
            Failure::DepartmentForbidden => "department_forbidden",
            Failure::ProfileNotFound => "profile_not_found",
            Failure::EventNotFound => "event_not_found",
            Failure::DraftNotFound => "draft_not_found",
            Failure::UploadNotFound => "upload_not_found",
            Failure::RouteNotFound => "not_found",
            Failure::MethodNotAllowed => "method_not_allowed",
            Failure::UnsupportedMediaType => "unsupported_media_type",
            Failure::InvalidReference(_) => "invalid_reference",
            Failure::InvalidValue(_) => "invalid_value",
            Failure::DraftVersionConflict(_) => "draft_version_conflict",
            Failure::StreamConflict => "stream_conflict",
            Failure::PreconditionFailed => "precondition_failed",
            Failure::InvalidPosition(_) => "invalid_position",
            Failure::PositionAhead => "position_ahead",
            Failure::InTheFuture => "in_the_future",
            Failure::NoSuchVersion => "no_such_version",
            Failure::NoSuchDepartment(_) => "no_such_department",
            Failure::RangeReversed => "range_reversed",
            Failure::TooBroad(_) => "too_broad",
            Failure::InvalidCursor => "invalid_cursor",
            Failure::BatchTooLarge | Failure::TooMuchAtOnce => "batch_too_large",
            Failure::BodyTooLarge => "body_too_large",
            Failure::BodyBroken => "body_broken",
            Failure::BodyTimeout => "body_timeout",
            Failure::HostUnclear => "host_unclear",
            Failure::ResultTooLarge(_) => "result_too_large",
            Failure::Invalid(_) => "invalid_request",
            Failure::IdempotencyMismatch => "idempotency_mismatch",
            Failure::RequestLimitExceeded { .. } => "request_limit_exceeded",
            Failure::IdentityUnavailable => "identity_unavailable",
            Failure::Overloaded => "overloaded",
            Failure::Unavailable => "unavailable",
            Failure::Internal => "internal",
        }
    }

    /// Seconds after which a client may try again.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Failure::RequestLimitExceeded { seconds_left } => Some(*seconds_left),
            Failure::IdentityUnavailable | Failure::Overloaded | Failure::Unavailable => Some(1),
            _ => None,
        }
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::RouteNotFound => Failure::RouteNotFound,
            Rejection::MethodNotAllowed => Failure::MethodNotAllowed,
            Rejection::UnsupportedCoding => Failure::UnsupportedMediaType,
            Rejection::BodyTooLarge => Failure::BodyTooLarge,
            Rejection::BodyBroken => Failure::BodyBroken,
            Rejection::BodyTimeout => Failure::BodyTimeout,
            Rejection::HostUnclear => Failure::HostUnclear,
            Rejection::Conflict => Failure::StreamConflict,
            Rejection::TooMuchAtOnce => Failure::TooMuchAtOnce,
            Rejection::Overloaded => Failure::Overloaded,
            Rejection::Unavailable => Failure::Unavailable,
            Rejection::Internal => Failure::Internal,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Rejection::from(error).into()
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
