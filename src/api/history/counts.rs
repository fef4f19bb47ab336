//! GET /api/v1/counts: how many profiles the tenant has, by role, department and activity. Only
//! auditors may ask, since the counters count every profile.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::app::App;
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::engine::Doing;
use crate::projections::profile_counts;

use super::error::Problem;
use super::events::auditor;
use super::page::Asked;

/// One counter.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileCount {
    /// `profile`, `active`, `role` or `department`.
    pub dimension: String,
    /// The role, the department or the flag.
    pub key: String,
    pub profiles: i64,
}

/// The counters of a tenant.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileCounts {
    pub counts: Vec<ProfileCount>,
}

/// The counters that are not zero.
#[utoipa::path(
    get,
    path = "/api/v1/counts",
    operation_id = "get_profile_counts",
    tag = "history",
    responses((status = 200, body = ProfileCounts))
)]
pub async fn counts(
    State(app): State<Arc<App>>,
    Asked(query): Asked,
    call: Call,
) -> Result<Answer, Problem> {
    let actor = auditor(&app, &call).await?;
    query.finish()?;
    let client = app.engine.connection().await?;
    let rows = profile_counts::read::of_tenant(&client, actor.tenant().0)
        .await
        .doing("reading counters")?;
    let counts = rows.into_iter().map(|row| ProfileCount {
        dimension: row.dimension,
        key: row.key,
        profiles: row.profiles,
    });
    Ok(actor.answer(&app, &ProfileCounts { counts: counts.collect() })?.validated(&call))
}
