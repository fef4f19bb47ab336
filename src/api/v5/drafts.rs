//! POST /drafts (contract 4.8): the caller's open drafts, the last saved first.

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::people::actor::{Actor, reading_actor};
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::engine::Doing;
use crate::engine::tags::Tag;
use crate::projections::profile_drafts_view::{self, Row};

use super::form;
use super::tagged::Tagged;
use super::types::draft::{GetProfileDraftResponse, ListProfileDraftsResponse};
use super::types::headers::ActorHeaders;

/// Most drafts that `POST /drafts` lists.
const DRAFTS_MAX: i64 = 20;

/// The open drafts of the effective profile.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/drafts",
    operation_id = "list_profile_drafts",
    tag = "profiles",
    params(ActorHeaders),
    responses(
        (status = 200, body = ListProfileDraftsResponse),
        (status = 304, description = "As the ETag of If-None-Match"),
    )
)]
pub async fn drafts(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    let actor = reading_actor(&app, &call).await?;
    call.no_body()?;
    let tagged = Tagged::new(&app, &call, &actor, &[Tag::Profiles, Tag::Drafts]);
    if let Some(answer) = tagged.not_modified(&call) {
        return Ok(answer);
    }
    let client = app.engine.connection().await?;
    let (tenant, owner) = (actor.tenant().0, actor.id().0);
    let rows = profile_drafts_view::read::of_owner(&client, tenant, owner, DRAFTS_MAX)
        .await
        .doing("reading drafts")?;
    let entries = rows.into_iter().map(|row| entry(&actor, row)).collect();
    Ok(tagged.mark(actor.answer(&app, &ListProfileDraftsResponse { entries: Some(entries) })?))
}

fn entry(actor: &Actor, row: Row) -> GetProfileDraftResponse {
    let state = form::state(&row.form.0, actor.tenant(), &actor.catalogue);
    GetProfileDraftResponse {
        id: row.id,
        version: row.version,
        created_at: row.created_at,
        generated: false,
        mcp: row.mcp,
        active: true,
        group_id: row.group_id,
        session_id: row.session_id,
        profile_ids: vec![row.owner_id],
        department_ids: state.department_ids,
        email_ids: state.email_ids,
        flag_ids: state.flag_id.into_iter().collect(),
        name_ids: state.name_id.into_iter().collect(),
        request_limit_ids: state.request_limit_ids,
        role_ids: state.role_ids,
    }
}
