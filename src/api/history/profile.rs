//! GET /api/v1/profiles/{id}/history: what happened to a person. Shown to that person, to those
//! who may edit them, and to auditors.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::{Actor, reading_actor};
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::domain::permission::{can_edit, has_access};
use crate::domain::profile::Profile;

use super::error::Problem;
use super::types::{Asked, EventPage, PageParameters};

/// The events of a profile, deleted ones included.
#[utoipa::path(
    get,
    path = "/api/v1/profiles/{id}/history",
    operation_id = "get_profile_history",
    tag = "history",
    params(("id" = String, Path), PageParameters),
    responses((status = 200, body = EventPage), (status = 404))
)]
pub async fn profile_history(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    Asked(mut query): Asked,
    call: Call,
) -> Result<Answer, Problem> {
    let actor = reading_actor(&app, &call).await?;
    let id = id.ok().and_then(|Path(id)| id.parse::<Uuid>().ok());
    let id = id.ok_or(Failure::ProfileNotFound)?;
    let parameters = PageParameters::take(&mut query);
    query.finish()?;
    let range = parameters.range(&app, actor.tenant())?;
    may_see(&app, &actor, id).await?;
    let page = app.engine.profile_history(actor.tenant(), id, range).await?;
    Ok(actor.answer(&app, &EventPage::new(&app, actor.tenant(), page)?)?)
}

/// History contract 0.2.
async fn may_see(app: &App, actor: &Actor, id: Uuid) -> Result<(), Failure> {
    let profile = app.engine.load::<Profile>(actor.tenant(), id).await?;
    let facts = profile.state.last_known().ok_or(Failure::ProfileNotFound)?;
    if actor.is_auditor() {
        return Ok(());
    }
    let target = actor.standing_of(id, facts);
    if !has_access(&actor.effective, &target) {
        return Err(Failure::ProfileNotFound);
    }
    if !can_edit(&actor.effective, &target) {
        return Err(Failure::Forbidden("only who may edit a profile may read its history"));
    }
    Ok(())
}
