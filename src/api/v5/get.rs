//! POST /get (contract 4.2): one profile as an editable form.

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::people::actor::{Actor, reading_actor};
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::domain::draft::{self, Form};
use crate::domain::permission::{can_create, can_edit, has_access};
use crate::domain::profile::{Profile, State as ProfileState};
use crate::engine::Doing;
use crate::engine::states::Versioned;
use crate::engine::tags::Tag;
use crate::projections::shared_values;

use super::form::{of_profile, role_options, sections};
use super::tagged::Tagged;
use super::types::get::{GetProfileRequest, GetProfileResponse};
use super::types::headers::ActorHeaders;
use super::types::resource::ProfileRequestLimitResource;
use super::types::section::SUGGESTIONS_MAX;

/// A profile as a form, or the empty form of a new one. The answer's `Dossier-Version` is the
/// profile's version, for `If-Match` on update.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/get",
    operation_id = "get_profile",
    tag = "profiles",
    params(ActorHeaders),
    request_body = GetProfileRequest,
    responses(
        (status = 200, body = GetProfileResponse),
        (status = 304, description = "As the ETag of If-None-Match"),
        (status = 404),
    )
)]
pub async fn get(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    let actor = reading_actor(&app, &call).await?;
    let input = call.body::<GetProfileRequest>()?;
    let tagged = Tagged::new(&app, &call, &actor, &[Tag::Profiles, Tag::Drafts]);
    let target = match input.target_profile_id {
        Some(id) => {
            let target = app.engine.load::<Profile>(actor.tenant(), id).await?;
            let facts = target.state.live().ok_or(Failure::ProfileNotFound)?;
            if !has_access(&actor.effective, &actor.standing_of(id, facts)) {
                return Err(Failure::Forbidden("this is not one of the profiles that you may see"));
            }
            Some((id, target))
        }
        None => None,
    };
    if let Some(answer) = tagged.not_modified(&call) {
        return Ok(answer.with("x-cache-tags", "profiles"));
    }
    let draft = match input.draft_id {
        Some(id) => Some(own_draft(&app, &actor, id).await?),
        None => None,
    };
    let limits = offered_limits(&app, &actor).await?;
    let response = response(&actor, target.as_ref(), draft.as_ref(), limits);
    let mut answer = actor.answer(&app, &response)?;
    if let Some((_, target)) = &target {
        answer = answer.with("dossier-version", target.version.to_string());
    }
    Ok(with_tags(tagged, answer))
}

/// Contract 1: `get` names only the tag `profiles`, although drafts change its `ETag` too.
fn with_tags(tagged: Tagged, answer: Answer) -> Answer {
    tagged.mark(answer).with("x-cache-tags", "profiles")
}

async fn own_draft(app: &App, actor: &Actor, id: uuid::Uuid) -> Result<draft::State, Failure> {
    let draft = app.engine.load::<draft::Draft>(actor.tenant(), id).await?;
    let own = draft.state.is_open() && draft.state.owner == actor.id();
    if own { Ok((*draft.state).clone()) } else { Err(Failure::DraftNotFound) }
}

async fn offered_limits(
    app: &App,
    actor: &Actor,
) -> Result<Vec<ProfileRequestLimitResource>, Failure> {
    let client = app.engine.connection().await?;
    let count = i64::try_from(SUGGESTIONS_MAX).unwrap_or_default();
    let rows = shared_values::read::request_limits(&client, actor.tenant().0, count)
        .await
        .doing("reading request limits")?;
    let limits = rows.into_iter().map(|row| ProfileRequestLimitResource {
        id: Some(row.id),
        requests_per_day: row.value.parse().ok(),
        generated: Some(false),
    });
    Ok(limits.collect())
}

fn response(
    actor: &Actor,
    target: Option<&(uuid::Uuid, Versioned<Profile>)>,
    draft: Option<&draft::State>,
    limits: Vec<ProfileRequestLimitResource>,
) -> GetProfileResponse {
    let live = target.and_then(|(id, target)| match &*target.state {
        ProfileState::Live(facts) => Some((*id, facts)),
        ProfileState::Absent | ProfileState::Deleted(_) => None,
    });
    let editable = match live {
        Some((id, facts)) => can_edit(&actor.effective, &actor.standing_of(id, facts)),
        None => can_create(&actor.effective),
    };
    let why_not = match live {
        Some(_) => "your role and departments do not let you edit this profile",
        None => "your role does not let you create profiles",
    };
    // Contract 4.2: a draft is a full state and replaces the published values.
    let form = match (draft, live) {
        (Some(draft), _) => draft.form.clone(),
        (None, Some((_, facts))) => of_profile(facts),
        (None, None) => Form::default(),
    };
    let role = form.roles.iter().find(|key| actor.catalogue.role(key).is_some());
    let shown = sections(&form, actor, limits);
    GetProfileResponse {
        actor_name: actor.name(),
        profile_exists: Some(live.is_some()),
        can_edit: Some(editable),
        disabled_reason: (!editable).then(|| why_not.to_owned()),
        draft_version: draft.map(|draft| draft.version),
        group_id: draft.map(|draft| draft.group),
        profile_id: live.map(|(id, _)| id),
        role: role.cloned(),
        role_options: Some(role_options(actor)),
        basic_show_ai_generate: Some(false),
        general_show_ai_generate: Some(false),
        names: Some(shown.names),
        emails: Some(shown.emails),
        request_limits: Some(shown.request_limits),
        flags: Some(shown.flags),
        departments: Some(shown.departments),
        roles: Some(shown.roles),
    }
}
