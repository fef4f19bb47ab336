//! POST /emulate (contract 4.11): from the next request on, act as another.

use std::sync::Arc;

use axum::extract::State;
use chrono::Duration;
use uuid::Uuid;

use crate::api::actor::Actor;
use crate::api::answer::Answer;
use crate::api::app::App;
use crate::api::call::Call;
use crate::api::failure::Failure;
use crate::api::write::{Kind, write};
use crate::domain::Aggregate;
use crate::domain::emulation::{Command, Emulation, Event, Refusal, Stack, decide};
use crate::domain::ids::{GrantId, ProfileId};
use crate::domain::operation::{self, Operation};
use crate::domain::profile::Profile;
use crate::engine::execute::{Decision, Halt};

use super::FACE;
use super::types::emulation::{EmulateProfileRequest, EmulateProfileResponse};
use super::types::headers::ActorHeaders;

/// Life of a grant when none is asked for, in minutes.
const TTL_MINUTES_DEFAULT: i64 = 120;

/// Grants an emulation of the target on top of those there are, or says why not, with 200.
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
    let input = call.body::<EmulateProfileRequest>();
    let input = input.map(|input| {
        let minutes = input.ttl_minutes.filter(|minutes| *minutes != 0);
        (input.target_profile_id, Duration::minutes(minutes.unwrap_or(TTL_MINUTES_DEFAULT)))
    });
    let kind = Kind { area: "emulation", operation: "emulate", face: FACE, exempt: false };
    let minted = (GrantId(Uuid::now_v7()), Uuid::now_v7());
    let now = call.received_at;
    let answer = write(&app, &call, kind, move |decision, actor| {
        let input = input.as_ref().map_err(Failure::again).copied();
        Box::pin(async move {
            let (target, ttl) = input?;
            let asked = Asked { target, ttl, now, grant_id: minted.0, record_id: minted.1 };
            let response = grant(decision, actor, asked).await?;
            Ok(Answer::ok(&response)?.with("x-invalidate-tags", "profile"))
        })
    });
    answer.await
}

struct Asked {
    target: Uuid,
    ttl: Duration,
    now: chrono::DateTime<chrono::Utc>,
    grant_id: GrantId,
    /// Of the record, should it be refused.
    record_id: Uuid,
}

async fn grant(
    decision: &mut Decision<'_>,
    actor: &Actor,
    asked: Asked,
) -> Result<EmulateProfileResponse, Halt<Failure>> {
    let target = decision.load::<Profile>(asked.target).await?;
    let target = target.state.live().map(|facts| actor.standing_of(asked.target, facts));
    let mut stack = (*actor.stack).clone();
    let mut events = cut(&mut stack, actor, asked.now);
    let command = Command::GrantEmulation {
        grant_id: asked.grant_id,
        real: actor.real.clone(),
        effective: actor.effective.clone(),
        target,
        ttl: asked.ttl,
        now: asked.now,
        session_ends_at: actor.identity.session_ends_at,
    };
    let session = actor.identity.session.0;
    match decide(&stack, command) {
        Ok(granted) => {
            let expires_at = granted.iter().find_map(|event| match event {
                Event::EmulationGranted { expires_at, .. } => Some(*expires_at),
                _ => None,
            });
            events.extend(granted);
            decision.append::<Emulation>(session, events, None)?;
            Ok(EmulateProfileResponse {
                allowed: true,
                reason: None,
                grant_id: Some(asked.grant_id.0),
                expires_at,
            })
        }
        Err(refusal) => {
            // Contract 4.11: refusals are on record too.
            decision.append::<Emulation>(session, events, None)?;
            decision.append::<Operation>(asked.record_id, vec![refused(&asked, refusal)], None)?;
            Ok(EmulateProfileResponse {
                allowed: false,
                reason: Some(refusal.code().to_owned()),
                grant_id: None,
                expires_at: None,
            })
        }
    }
}

fn refused(asked: &Asked, refusal: Refusal) -> operation::Event {
    operation::Event::EmulationRefused {
        target: ProfileId(asked.target),
        reason: refusal.code().to_owned(),
    }
}

/// Takes the dead layers off the stack, and returns what puts that on record.
fn cut(stack: &mut Stack, actor: &Actor, now: chrono::DateTime<chrono::Utc>) -> Vec<Event> {
    let real = Some(actor.real.clone());
    let command = Command::CutEmulation { real, targets: actor.targets.clone(), now };
    let events = decide(stack, command).unwrap_or_default();
    for event in &events {
        Emulation::evolve(stack, event, now);
    }
    events
}
