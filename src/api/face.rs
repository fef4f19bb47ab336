//! Which API a request is for, and how that API answers a rejection.

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::crafter;
use super::history::error::Problem;
use super::people::failure::Failure;
use super::rejection::Rejection;

/// An API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    ProfilesV5,
    History,
    CrafterProfile,
}

impl Face {
    /// The API that this path or route template belongs to; None for the paths beside all APIs.
    pub fn of(path: &str) -> Option<Face> {
        if path.starts_with("/api/v5/") || path.starts_with("/uploads/") {
            Some(Face::ProfilesV5)
        } else if path.starts_with("/api/v1/") {
            Some(Face::History)
        } else if path.starts_with(crafter::path::ROOT) {
            Some(Face::CrafterProfile)
        } else {
            None
        }
    }

    /// Its name in metrics and on record.
    pub const fn name(self) -> &'static str {
        match self {
            Face::ProfilesV5 => "v5",
            Face::History => "history",
            Face::CrafterProfile => "crafter",
        }
    }

    /// A rejection in the form of this API.
    pub fn reject(self, rejection: Rejection) -> Response {
        match self {
            Face::CrafterProfile => crafter::error::Failure::from(rejection).into_response(),
            Face::ProfilesV5 | Face::History => self.refuse(rejection.into()),
        }
    }

    /// The answer to a request without credentials; None if it has some. Clients of Crafter Profile
    /// may send them in the body, so they cannot be checked here.
    pub fn anonymous(self, headers: &HeaderMap) -> Option<Response> {
        let anonymous = self != Face::CrafterProfile && !headers.contains_key("x-api-key");
        anonymous.then(|| self.refuse(Failure::MissingApiKey))
    }

    /// A failure in the form of one of the two APIs that people call.
    pub fn refuse(self, failure: Failure) -> Response {
        match self {
            Face::History => Problem(failure).into_response(),
            Face::ProfilesV5 | Face::CrafterProfile => failure.into_response(),
        }
    }
}
