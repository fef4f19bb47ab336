//! Which API a request is for, and how that API says no.

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
    /// The API that this path belongs to, or a template of paths; None for what is there beside
    /// all of them.
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

    /// Its name on record and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Face::ProfilesV5 => "v5",
            Face::History => "history",
            Face::CrafterProfile => "crafter",
        }
    }

    /// A rejection in its form.
    pub fn reject(self, rejection: Rejection) -> Response {
        match self {
            Face::CrafterProfile => crafter::error::Failure::from(rejection).into_response(),
            Face::ProfilesV5 | Face::History => self.refuse(rejection.into()),
        }
    }

    /// What a request is answered that does not even say who calls; None when it does. The clients
    /// of Crafter Profile may say it in their bodies, so it cannot be told here.
    pub fn anonymous(self, headers: &HeaderMap) -> Option<Response> {
        let anonymous = self != Face::CrafterProfile && !headers.contains_key("x-api-key");
        anonymous.then(|| self.refuse(Failure::MissingApiKey))
    }

    /// A failure in the form of one of the faces that people call.
    pub fn refuse(self, failure: Failure) -> Response {
        match self {
            Face::History => Problem(failure).into_response(),
            Face::ProfilesV5 | Face::CrafterProfile => failure.into_response(),
        }
    }
}
