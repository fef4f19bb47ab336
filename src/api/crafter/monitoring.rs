//! `/api/1/monitoring` (contract 1): called with the management token, without an access token.

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use subtle::ConstantTimeEq;

use crate::api::app::App;
use crate::system::{MemoryInfo, StatusInfo, VersionInfo};

use super::answer::{Answer, json};
use super::error::Failure;
use super::parameters::Parameters;

/// Fails unless the call brings the management token.
pub struct Management;

impl FromRequestParts<Arc<App>> for Management {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let parameters = Parameters::read(parts.uri.query(), None, b"")?;
        let token = parameters.first("token");
        let token = token.ok_or_else(|| Failure::invalid("parameter token is required"))?;
        let right = &app.applications.settings.management_token;
        match token.as_bytes().ct_eq(right.as_bytes()).into() {
            true => Ok(Management),
            false => Err(Failure::WrongManagementToken),
        }
    }
}

/// Memory of this process and its machine.
#[utoipa::path(
    get,
    path = "/api/1/monitoring/memory",
    operation_id = "crafter_get_memory",
    tag = "monitoring",
    responses((status = 200, body = MemoryInfo))
)]
pub async fn memory(_: Management) -> Answer {
    json(&MemoryInfo::now())
}

/// How long this process has been running.
#[utoipa::path(
    get,
    path = "/api/1/monitoring/status",
    operation_id = "crafter_get_status",
    tag = "monitoring",
    responses((status = 200, body = StatusInfo))
)]
pub async fn status(State(app): State<Arc<App>>, _: Management) -> Answer {
    json(&app.applications.started.status())
}

/// What this program is.
#[utoipa::path(
    get,
    path = "/api/1/monitoring/version",
    operation_id = "crafter_get_version",
    tag = "monitoring",
    responses((status = 200, body = VersionInfo))
)]
pub async fn version(_: Management) -> Answer {
    json(&VersionInfo::this())
}
