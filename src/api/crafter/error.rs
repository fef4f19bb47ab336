//! The errors of the Crafter Profile API (contract 2): a code and a sentence and no other field,
//! since its clients refuse unknown fields. Internal causes are never told.

use std::fmt;

use axum::http::header::{CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::rejection::Rejection;
use crate::engine::Error;

/// The content type of every JSON answer of this face.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json;charset=UTF-8");
/// Seconds after which a client may try again when the server is busy.
const RETRY_AFTER_SECONDS: u64 = 1;
/// Longest message, in characters: some messages repeat what the caller sent.
const MESSAGE_CHARACTERS_MAX: usize = 300;

/// Contract 2: the codes that clients know, and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    AccessDenied,
    ActionDenied,
    NoSuchAccessTokenId,
    AccessTokenExists,
    NoSuchTenant,
    TenantExists,
    NoSuchProfile,
    ProfileExists,
    BadCredentials,
    DisabledProfile,
    NoSuchTicket,
    NoSuchPersistentLogin,
    NoSuchVerificationToken,
    InvalidEmailAddress,
    AttributeNotDefined,
    /// Published, never sent.
    AttributeAlreadyDefined,
    ParamDeserializationError,
    InvalidQuery,
    PermissionError,
    Other,
}

/// Contract 2: the body of every answer that is no success.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorDetails {
    /// The error for programs.
    pub error_code: ErrorCode,
    /// The error for people. Its wording may change.
    pub message: String,
}

/// Why a call fails.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// No access token, an unknown one, or one that has expired.
    AccessDenied,
    /// The management token is wrong.
    WrongManagementToken,
    /// Only a master token manages access tokens.
    NotMaster,
    /// The token's permissions do not include this action, given by its name.
    ActionDenied(&'static str),
    /// The attribute of this name may not be written or removed by the token's application.
    AttributeDenied(String),
    NoSuchAccessToken,
    AccessTokenExists,
    NoSuchTenant,
    TenantExists,
    NoSuchProfile,
    ProfileExists,
    /// Also the answer while the profile is locked, so that nobody learns that it exists.
    BadCredentials,
    DisabledProfile,
    NoSuchTicket,
    /// The ticket of a call is unknown or has ended: 400, which clients take for "logged out".
    TicketGone,
    NoSuchPersistentLogin,
    NoSuchVerificationToken,
    InvalidEmailAddress,
    /// The tenant defines no attribute of this name.
    AttributeNotDefined(String),
    /// The parameter of this name is no JSON object.
    NoJsonObject(String),
    /// The filter is invalid, for this reason.
    InvalidQuery(String),
    /// Permissions could not be read.
    PermissionError,
    /// A parameter, body or file is invalid, for this reason.
    Invalid(String),
    RouteNotFound,
    MethodNotAllowed,
    /// The requested part of a file lies outside the file, which has so many bytes.
    RangeOutside(u64),
    UnsupportedMediaType,
    BodyTooLarge,
    /// The body did not arrive in time.
    BodyTimeout,
    /// Other calls kept changing the same thing.
    Conflict,
    /// Too many requests are waiting; nothing was accepted.
    Overloaded,
    /// The directory cannot be reached now.
    Unavailable,
    /// A defect of the server.
    Internal,
}

impl Failure {
    /// For a parameter, body or file that is invalid.
    pub fn invalid(why: impl Into<String>) -> Failure {
        Failure::Invalid(why.into())
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        use StatusCode as S;
        match self {
            Failure::WrongManagementToken | Failure::BadCredentials => S::UNAUTHORIZED,
            Failure::AccessDenied
            | Failure::NotMaster
            | Failure::ActionDenied(_)
            | Failure::AttributeDenied(_)
            | Failure::DisabledProfile => S::FORBIDDEN,
            Failure::NoSuchAccessToken
            | Failure::NoSuchTenant
            | Failure::NoSuchProfile
            | Failure::NoSuchTicket
            | Failure::NoSuchPersistentLogin
            | Failure::NoSuchVerificationToken
            | Failure::RouteNotFound => S::NOT_FOUND,
            Failure::AccessTokenExists
            | Failure::TenantExists
            | Failure::ProfileExists
            | Failure::Conflict => S::CONFLICT,
            Failure::TicketGone
            | Failure::InvalidEmailAddress
            | Failure::AttributeNotDefined(_)
            | Failure::NoJsonObject(_)
            | Failure::InvalidQuery(_)
            | Failure::Invalid(_) => S::BAD_REQUEST,
            Failure::MethodNotAllowed => S::METHOD_NOT_ALLOWED,
            Failure::RangeOutside(_) => S::RANGE_NOT_SATISFIABLE,
            Failure::UnsupportedMediaType => S::UNSUPPORTED_MEDIA_TYPE,
            Failure::BodyTooLarge => S::PAYLOAD_TOO_LARGE,
            Failure::BodyTimeout => S::REQUEST_TIMEOUT,
            Failure::Overloaded | Failure::Unavailable => S::SERVICE_UNAVAILABLE,
            Failure::PermissionError | Failure::Internal => S::INTERNAL_SERVER_ERROR,
        }
    }

    /// The code of the answer.
    pub fn code(&self) -> ErrorCode {
        match self {
            Failure::AccessDenied | Failure::WrongManagementToken => ErrorCode::AccessDenied,
            Failure::NotMaster | Failure::ActionDenied(_) | Failure::AttributeDenied(_) => {
                ErrorCode::ActionDenied
            }
            Failure::NoSuchAccessToken => ErrorCode::NoSuchAccessTokenId,
            Failure::AccessTokenExists => ErrorCode::AccessTokenExists,
            Failure::NoSuchTenant => ErrorCode::NoSuchTenant,
            Failure::TenantExists => ErrorCode::TenantExists,
            Failure::NoSuchProfile => ErrorCode::NoSuchProfile,
            Failure::ProfileExists => ErrorCode::ProfileExists,
            Failure::BadCredentials => ErrorCode::BadCredentials,
            Failure::DisabledProfile => ErrorCode::DisabledProfile,
            Failure::NoSuchTicket | Failure::TicketGone => ErrorCode::NoSuchTicket,
            Failure::NoSuchPersistentLogin => ErrorCode::NoSuchPersistentLogin,
            Failure::NoSuchVerificationToken => ErrorCode::NoSuchVerificationToken,
            Failure::InvalidEmailAddress => ErrorCode::InvalidEmailAddress,
            Failure::AttributeNotDefined(_) => ErrorCode::AttributeNotDefined,
            Failure::NoJsonObject(_) => ErrorCode::ParamDeserializationError,
            Failure::InvalidQuery(_) => ErrorCode::InvalidQuery,
            Failure::PermissionError => ErrorCode::PermissionError,
            Failure::Invalid(_)
            | Failure::RouteNotFound
            | Failure::MethodNotAllowed
            | Failure::RangeOutside(_)
            | Failure::UnsupportedMediaType
            | Failure::BodyTooLarge
            | Failure::BodyTimeout
            | Failure::Conflict
            | Failure::Overloaded
            | Failure::Unavailable
            | Failure::Internal => ErrorCode::Other,
        }
    }

    /// Seconds after which a client may try again.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Failure::Overloaded | Failure::Unavailable => Some(RETRY_AFTER_SECONDS),
            _ => None,
        }
    }

    /// The body of the answer.
    pub fn details(&self) -> ErrorDetails {
        let message = self.to_string().chars().take(MESSAGE_CHARACTERS_MAX).collect();
        ErrorDetails { error_code: self.code(), message }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Failure::ActionDenied(action) => {
                return write!(f, "the access token's permissions do not include {action} here");
            }
            Failure::AttributeDenied(name) => {
                return write!(
                    f,
                    "attribute {name}: the application may not change it in this way"
                );
            }
            Failure::AttributeNotDefined(name) => {
                return write!(f, "attribute {name}: the tenant does not define it");
            }
            Failure::NoJsonObject(name) => {
                return write!(f, "parameter {name} is not a JSON object");
            }
            Failure::InvalidQuery(why) | Failure::Invalid(why) => why,
            Failure::AccessDenied => "accessTokenId is missing, unknown or expired",
            Failure::WrongManagementToken => "the management token is not valid",
            Failure::NotMaster => "only a master access token manages access tokens",
            Failure::NoSuchAccessToken => "there is no such access token",
            Failure::AccessTokenExists => "an access token with this id exists",
            Failure::NoSuchTenant => "there is no such tenant",
            Failure::TenantExists => "a tenant with this name exists",
            Failure::NoSuchProfile => "there is no such profile",
            Failure::ProfileExists => "the tenant has a profile with this username",
            Failure::BadCredentials => "username and password do not match",
            Failure::DisabledProfile => "the profile is disabled",
            Failure::NoSuchTicket | Failure::TicketGone => {
                "there is no such ticket, or it has ended"
            }
            Failure::NoSuchPersistentLogin => "there is no such persistent login, or it has ended",
            Failure::NoSuchVerificationToken => {
                "there is no such verification token, or it has ended"
            }
            Failure::InvalidEmailAddress => "the e-mail address is not valid",
            Failure::PermissionError => "permissions cannot be evaluated",
            Failure::RouteNotFound => {
                "there is nothing at this path: the API is described at /docs"
            }
            Failure::MethodNotAllowed => "this path does not take this method",
            Failure::RangeOutside(_) => "the range lies outside the file",
            Failure::UnsupportedMediaType => "the body has another content type than expected",
            Failure::BodyTooLarge => "the body is too large",
            Failure::BodyTimeout => "the body did not arrive in time: send the request again",
            Failure::Conflict => {
                "other requests kept changing the same thing: nothing was changed, try again"
            }
            Failure::Overloaded => "the server is busy and accepted nothing: try again shortly",
            Failure::Unavailable => "the directory cannot be reached now: try again shortly",
            Failure::Internal => "a defect; see the log under the request id",
        };
        f.write_str(text)
    }
}

impl std::error::Error for Failure {}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::RouteNotFound => Failure::RouteNotFound,
            Rejection::MethodNotAllowed => Failure::MethodNotAllowed,
            Rejection::UnsupportedCoding => Failure::UnsupportedMediaType,
            Rejection::BodyTooLarge => Failure::BodyTooLarge,
            Rejection::BodyBroken => {
                Failure::invalid("the body is incomplete: send the request again")
            }
            Rejection::BodyTimeout => Failure::BodyTimeout,
            Rejection::HostUnclear => Failure::invalid("send exactly one Host header"),
            Rejection::Conflict => Failure::Conflict,
            Rejection::TooMuchAtOnce => {
                Failure::invalid("the request changes more than the log takes at once")
            }
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

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self.details())
            .expect("a code and a text are always representable as JSON");
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, JSON);
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Failure::RangeOutside(bytes) = self
            && let Ok(of) = HeaderValue::from_str(&format!("bytes */{bytes}"))
        {
            headers.insert(CONTENT_RANGE, of);
        }
        response
    }
}
