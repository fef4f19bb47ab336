//! POST /delete (contract 4.9): each item for itself.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use uuid::Uuid;

use crate::api::actor::Actor;
use crate::api::answer::Answer;
use crate::api::app::App;
use crate::api::call::Call;
use crate::api::failure::Failure;
use crate::api::write::{Kind, write};
use crate::domain::ids::ProfileId;
use crate::domain::permission::has_access;
use crate::domain::profile::{Command, Profile, Refusal, State as ProfileState, decide};
use crate::engine::claims::held_by;
use crate::engine::execute::{Decision, Halt};

use super::types::bulk::{DeleteProfileResult, DeleteProfilesRequest, DeleteProfilesResponse};
use super::types::headers::ActorHeaders;
use super::{FACE, ITEMS_MAX};

/// Deletes profiles; their addresses are free again, their history stays.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/delete",
    operation_id = "delete_profiles",
    tag = "profiles",
    params(ActorHeaders),
    request_body = DeleteProfilesRequest,
    responses(
        (status = 200, body = DeleteProfilesResponse),
    )
)]
pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    let input = call.body::<DeleteProfilesRequest>();
    let ids = input.map(|input| Arc::new(input.profile_ids));
    let kind = Kind { area: "profile", operation: "delete", face: FACE, exempt: false };
    let answer = write(&app, &call, kind, move |decision, actor| {
        let ids = ids.as_ref().map_err(Failure::again).cloned();
        Box::pin(async move {
            let ids = ids?;
            if ids.len() > ITEMS_MAX {
                return Err(Failure::BatchTooLarge.into());
            }
            let results = delete_all(decision, actor, &ids).await?;
            Ok(Answer::ok(&DeleteProfilesResponse { results })?
                .with("x-invalidate-tags", "profiles"))
        })
    });
    answer.await
}

async fn delete_all(
    decision: &mut Decision<'_>,
    actor: &Actor,
    ids: &[Uuid],
) -> Result<Vec<DeleteProfileResult>, Halt<Failure>> {
    let mut seen = HashSet::new();
    let ids: Vec<Uuid> = ids.iter().copied().filter(|id| seen.insert(*id)).collect();
    let states = decision.load_all::<Profile>(&ids).await?;
    let authority = actor.authority();
    let tenant = actor.tenant();
    let mut results = Vec::with_capacity(ids.len());
    for (id, target) in ids.iter().zip(&states) {
        let decided = hidden(actor, *id, &target.state).and_then(|()| {
            let rank = |key: &str| actor.catalogue.rank(key);
            decide(ProfileId(*id), &target.state, &authority, rank, Command::DeleteProfile)
        });
        let message = match decided {
            Ok(events) => {
                decision.append::<Profile>(*id, events, None)?;
                for claim in target.state.live().iter().flat_map(|facts| held_by(tenant, facts)) {
                    decision.release(claim);
                }
                None
            }
            Err(refusal) => Some(refusal.to_string()),
        };
        results.push(DeleteProfileResult {
            success: message.is_none(),
            profile_id: *id,
            message: message.unwrap_or_else(|| "profile deleted".to_owned()),
        });
    }
    Ok(results)
}

/// What one may not see is not told apart from what is not there.
fn hidden(actor: &Actor, id: Uuid, state: &ProfileState) -> Result<(), Refusal> {
    match state.live() {
        Some(facts) if has_access(&actor.effective, &actor.standing_of(id, facts)) => Ok(()),
        Some(_) | None => Err(Refusal::ProfileNotFound),
    }
}
