//! Whose history a caller may see (History contract 0.2).

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::Actor;
use crate::api::people::failure::Failure;
use crate::domain::permission::{can_edit, has_access};
use crate::domain::profile::Profile;

/// The profile that a path names, if the actor may see its history: the person, who may edit it,
/// and auditors.
///
/// # Errors
/// [`Failure::ProfileNotFound`] also for a profile that the actor may not know of;
/// [`Failure::Forbidden`] for others.
pub async fn visible_profile(
    app: &App,
    actor: &Actor,
    path: Result<Path<String>, PathRejection>,
) -> Result<Uuid, Failure> {
    let id = path.ok().and_then(|Path(id)| id.parse::<Uuid>().ok());
    let id = id.ok_or(Failure::ProfileNotFound)?;
    let profile = app.engine.load::<Profile>(actor.tenant(), id).await?;
    let facts = profile.state.last_known().ok_or(Failure::ProfileNotFound)?;
    if actor.is_auditor() {
        return Ok(id);
    }
    let target = actor.standing_of(id, facts);
    if !has_access(&actor.effective, &target) {
        return Err(Failure::ProfileNotFound);
    }
    Failure::unless(
        can_edit(&actor.effective, &target),
        "only who may edit a profile may read its history",
    )?;
    Ok(id)
}
