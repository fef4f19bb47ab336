//! The headers every endpoint declares, for the OpenAPI document. Never read from here: the actor
//! is resolved elsewhere.

use utoipa::IntoParams;

/// Contract 1: headers that are optional in the schema of all 14 endpoints. Contract 1.2 says when
/// they are needed all the same.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub struct ActorHeaders {
    /// The API key of the instance. It entitles to call and identifies no person.
    #[param(rename = "X-Api-Key")]
    pub x_api_key: Option<String>,
    /// `Bearer` and the caller's token.
    pub authorization: Option<String>,
    /// `true`, `1` or `yes` marks what the request makes as made over MCP.
    #[param(rename = "X-MCP")]
    pub x_mcp: Option<String>,
}
