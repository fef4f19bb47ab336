//! POST /delete (contract 4.9): each item by itself.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::State;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::Actor;
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::api::people::write::{Attempt, Endpoint, Kind, write};
use crate::domain::permission::has_access;
use crate::domain::profile::{By, Command, Profile, Refusal, State as ProfileState};
use crate::engine::write::halt::{Halt, Ordered};

use super::ITEMS_MAX;
use super::types::bulk::{DeleteProfileResult, DeleteProfilesRequest, DeleteProfilesResponse};
use super::types::headers::{ActorHeaders, OccurredAt};

/// Deletes profiles. Their addresses become free, their history stays.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/delete",
    operation_id = "delete_profiles",
    tag = "profiles",
    params(ActorHeaders, OccurredAt),
    request_body = DeleteProfilesRequest,
    responses(
        (status = 200, body = DeleteProfilesResponse),
    )
)]
pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    write(&app, &call, &Delete).await
}

struct Delete;

impl Endpoint for Delete {
    const KIND: Kind = Kind { area: "profile", operation: "delete", exempt: false };
    type Input = DeleteProfilesRequest;

    fn input(&self, call: &Call) -> Result<DeleteProfilesRequest, Failure> {
        call.body()
    }

    async fn decide(
        &self,
        attempt: &mut Attempt<'_, '_>,
        input: &DeleteProfilesRequest,
    ) -> Result<Answer, Halt<Failure>> {
        if input.profile_ids.len() > ITEMS_MAX {
            return Err(Failure::BatchTooLarge.into());
        }
        let results = delete_all(attempt, &input.profile_ids).await?;
        Ok(Answer::ok(&DeleteProfilesResponse { results })?.with("x-invalidate-tags", "profiles"))
    }
}

async fn delete_all(
    attempt: &mut Attempt<'_, '_>,
    ids: &[Uuid],
) -> Result<Vec<DeleteProfileResult>, Halt<Failure>> {
    let (actor, decision) = (&attempt.actor, &mut attempt.decision);
    let by = By { authority: &actor.authority(), ranks: &*actor.catalogue };
    let mut seen = HashSet::new();
    let ids: Vec<Uuid> = ids.iter().copied().filter(|id| seen.insert(*id)).collect();
    let states = decision.load_all::<Profile>(&ids).await?;
    let mut results = Vec::with_capacity(ids.len());
    for (profile_id, target) in ids.into_iter().zip(&states) {
        let refusal = match hidden(actor, profile_id, &target.state) {
            Err(refusal) => Some(refusal),
            Ok(()) => {
                let ordered = decision.order::<Profile>(profile_id, by, Command::DeleteProfile);
                ordered.await.decided()?.err()
            }
        };
        results.push(DeleteProfileResult {
            success: refusal.is_none(),
            profile_id,
            message: refusal.map_or("profile deleted".to_owned(), |refusal| refusal.to_string()),
        });
    }
    Ok(results)
}

/// A profile that one may not see gets the same answer as one that does not exist.
fn hidden(actor: &Actor, id: Uuid, state: &ProfileState) -> Result<(), Refusal> {
    match state.live() {
        Some(facts) if has_access(&actor.effective, &actor.standing_of(id, facts)) => Ok(()),
        Some(_) | None => Err(Refusal::ProfileNotFound),
    }
}
