//! The headers that every endpoint declares, for the OpenAPI document. They are read in
//! `src/api/people`.

use chrono::{DateTime, Utc};
use utoipa::IntoParams;

/// Contract 1: headers that are optional in the schema of all 14 endpoints. Contract 1.2 says when
/// they are required.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct ActorHeaders {
    /// The API key of the instance. It permits to call and identifies no person.
    #[param(rename = "X-Api-Key")]
    pub x_api_key: Option<String>,
    /// `Bearer` and the caller's token.
    pub authorization: Option<String>,
    /// `true`, `1` or `yes`: what the request makes is marked as made over MCP.
    #[param(rename = "X-MCP")]
    pub x_mcp: Option<String>,
}

/// When the changes of a request became true (History contract 1).
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct OccurredAt {
    /// When the changes became true (RFC 3339), not later than now; for admins. They are recorded
    /// now all the same.
    #[param(rename = "Dossier-Occurred-At")]
    pub dossier_occurred_at: Option<DateTime<Utc>>,
}
