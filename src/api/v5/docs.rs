//! POST /docs (contract 4.10): the description of the artifact, which is part of the program.

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::people::actor::reading_actor;
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::domain::permission::has_access;
use crate::domain::profile::Profile;

use super::docs_content;
use super::types::docs::{GetProfileDocsRequest, GetProfileDocsResponse};
use super::types::headers::ActorHeaders;

/// The documentation. The page's title names a profile, if the caller may see it.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/docs",
    operation_id = "get_profile_docs",
    tag = "profiles",
    params(ActorHeaders),
    request_body = GetProfileDocsRequest,
    responses(
        (status = 200, body = GetProfileDocsResponse),
    )
)]
pub async fn docs(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    let actor = reading_actor(&app, &call).await?;
    let input = call.body::<GetProfileDocsRequest>()?;
    let mut name = None;
    if let Some(id) = input.entity_id {
        let profile = app.engine.load::<Profile>(actor.tenant(), id).await?;
        name = profile
            .state
            .live()
            .filter(|facts| has_access(&actor.effective, &actor.standing_of(id, facts)))
            .and_then(|facts| facts.name.as_ref())
            .map(|name| name.name.0.clone());
    }
    actor.answer(&app, &docs_content::docs(name.as_deref()))
}
