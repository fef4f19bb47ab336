//! POST /emulate (contract 4.11): from the next request on the caller acts as another profile.

use std::sync::Arc;

use axum::extract::State;
use chrono::Duration;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::api::people::write::{Attempt, Endpoint, Kind, write};
use crate::domain::emulation::{Command, Emulation, Event};
use crate::domain::ids::{GrantId, ProfileId};
use crate::domain::operation::{self, Operation};
use crate::domain::profile::Profile;
use crate::engine::write::halt::{Halt, Ordered};

use super::types::emulation::{EmulateProfileRequest, EmulateProfileResponse};
use super::types::headers::ActorHeaders;

/// Duration of a grant if none is given, in minutes.
const TTL_MINUTES_DEFAULT: i64 = 120;

/// Grants an emulation of the target on top of those that are valid, or says with 200 why not.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/emulate",
    operation_id = "emulate_profile",
    tag = "profiles",
    params(ActorHeaders),
    request_body = EmulateProfileRequest,
    responses(
        (status = 200, body = EmulateProfileResponse),
    )
)]
pub async fn emulate(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    let (grant_id, record_id) = (GrantId(Uuid::now_v7()), Uuid::now_v7());
    write(&app, &call, &Emulate { grant_id, record_id }).await
}

/// With the id of the grant, and of the record in case it is refused.
struct Emulate {
    grant_id: GrantId,
    record_id: Uuid,
}

impl Endpoint for Emulate {
    const KIND: Kind = Kind { area: "emulation", operation: "emulate", exempt: false };
    type Input = EmulateProfileRequest;

    fn input(&self, call: &Call) -> Result<EmulateProfileRequest, Failure> {
        call.body()
    }

    async fn decide(
        &self,
        attempt: &mut Attempt<'_, '_>,
        input: &EmulateProfileRequest,
    ) -> Result<Answer, Halt<Failure>> {
        let (actor, decision) = (&attempt.actor, &mut attempt.decision);
        let now = attempt.call.received_at;
        let (session, id) = (actor.identity.session.0, input.target_profile_id);
        let target = decision.load::<Profile>(id).await?;
        let target = target.state.live().map(|facts| actor.standing_of(id, facts));
        let (real, targets) = (Some(actor.real.clone()), actor.targets.clone());
        let cut = Command::CutEmulation { real, targets, granted_until: None, now };
        decision.order::<Emulation>(session, (), cut).await.or_refuse(|_| Failure::Internal)?;
        let minutes = input.ttl_minutes.filter(|minutes| *minutes != 0);
        let grant = Command::GrantEmulation {
            grant_id: self.grant_id,
            real: actor.real.clone(),
            effective: actor.effective.clone(),
            target,
            ttl: Duration::minutes(minutes.unwrap_or(TTL_MINUTES_DEFAULT)),
            now,
            session_ends_at: actor.identity.session_ends_at,
        };
        let response = match decision.order::<Emulation>(session, (), grant).await.decided()? {
            Ok(granted) => EmulateProfileResponse {
                allowed: true,
                reason: None,
                grant_id: Some(self.grant_id.0),
                expires_at: granted.iter().find_map(|event| match event {
                    Event::EmulationGranted { expires_at, .. } => Some(*expires_at),
                    _ => None,
                }),
            },
            Err(refusal) => {
                // Contract 4.11: refusals are recorded too.
                let (target, reason) = (ProfileId(id), refusal.code());
                let record = operation::Command::RecordRefusedEmulation { target, reason };
                let recorded = decision.begin::<Operation>(self.record_id, (), record);
                recorded.or_refuse(|never| match never {})?;
                EmulateProfileResponse {
                    allowed: false,
                    reason: Some(reason.to_owned()),
                    grant_id: None,
                    expires_at: None,
                }
            }
        };
        Ok(Answer::ok(&response)?.with("x-invalidate-tags", "profile"))
    }
}
