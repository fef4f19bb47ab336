//! GET /api/v1/profiles/{id}: what was known of a person at a moment, and what was true of them on
//! a day (History contract 1).

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::reading_actor;
use crate::api::people::answer::Answer;
use crate::api::people::call::{Call, instant};
use crate::api::people::failure::Failure;

use super::entry::Mark;
use super::error::Problem;
use super::facts::FactsShown;
use super::moment::{MomentParameters, MomentShown, token_of};
use super::page::Asked;
use super::query::Query;
use super::visible::visible_profile;

/// The day in the world that a request asks about.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ValidAt {
    /// What was true at this time (RFC 3339), as far as it was known at the moment.
    pub valid_at: Option<DateTime<Utc>>,
}

impl ValidAt {
    /// Takes it from a query.
    fn take(query: &mut Query) -> ValidAt {
        ValidAt { valid_at: query.one("valid_at", instant) }
    }
}

/// A profile at a moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileAtMoment {
    pub id: Uuid,
    /// `absent`, `live` or `deleted`.
    pub state: &'static str,
    /// How many of its events were taken into account.
    pub version: i64,
    pub moment: MomentShown,
    pub valid_at: Option<DateTime<Utc>>,
    /// Null while `absent`; the last known ones when `deleted`.
    pub facts: Option<FactsShown>,
    /// The last event that changed a field.
    pub last_change: Option<Mark>,
}

/// A profile at a moment. Before its registration it is `absent`.
#[utoipa::path(
    get,
    path = "/api/v1/profiles/{id}",
    operation_id = "get_profile_at_moment",
    tag = "history",
    params(("id" = String, Path), MomentParameters, ValidAt),
    responses(
        (status = 200, body = ProfileAtMoment),
        (status = 304, description = "As the ETag of If-None-Match"),
        (status = 404),
        (status = 409),
        (status = 422),
    )
)]
pub async fn profile(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    Asked(mut query): Asked,
    call: Call,
) -> Result<Answer, Problem> {
    let actor = reading_actor(&app, &call).await?;
    let id = visible_profile(&app, &actor, path).await?;
    let asked = MomentParameters::take(&mut query);
    let ValidAt { valid_at } = ValidAt::take(&mut query);
    query.finish()?;
    if valid_at.is_some_and(|valid_at| valid_at > call.received_at) {
        return Err(Failure::InTheFuture.into());
    }
    let moment = asked.find(&app, &actor, id).await?;
    let past = match valid_at {
        Some(valid_at) => app.engine.profile_valid_at(moment, id, valid_at).await?,
        None => app.engine.profile_at(moment, id).await?,
    };
    let last_change = match past.changed_version {
        0 => None,
        version => app.engine.profile_event(moment, id, version).await?,
    };
    let facts = match past.state.last_known() {
        None => None,
        Some(facts) => Some(FactsShown::new(facts, &*app.engine.catalogue_at(moment).await?)),
    };
    let shown = ProfileAtMoment {
        id,
        state: past.state.name(),
        version: past.version,
        moment: MomentShown::new(&app, &moment),
        valid_at,
        facts,
        last_change: last_change.map(|event| Mark::of(&app, &event)),
    };
    Ok(Answer::ok(&shown)?.with("dossier-position", token_of(&app, &moment)).validated(&call))
}
