//! POST /unemulate (contract 4.12): leaves one layer, from the next request on. Everyone may.

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::api::people::write::{Attempt, Endpoint, Kind, write};
use crate::domain::emulation::{Command, Emulation};
use crate::engine::write::halt::{Halt, Ordered};

use super::types::emulation::UnemulateProfileResponse;
use super::types::headers::ActorHeaders;

/// Leaves the innermost live layer; if there is none, says so with 200. Not counted against the
/// limit.
#[utoipa::path(
    post,
    path = "/api/v5/artifacts/profiles/unemulate",
    operation_id = "unemulate_profile",
    tag = "profiles",
    params(ActorHeaders),
    responses(
        (status = 200, body = UnemulateProfileResponse),
    )
)]
pub async fn unemulate(State(app): State<Arc<App>>, call: Call) -> Result<Answer, Failure> {
    write(&app, &call, &Unemulate).await
}

struct Unemulate;

impl Endpoint for Unemulate {
    const KIND: Kind = Kind { area: "emulation", operation: "unemulate", exempt: true };
    type Input = ();

    fn input(&self, call: &Call) -> Result<(), Failure> {
        call.no_body()
    }

    async fn decide(
        &self,
        attempt: &mut Attempt<'_, '_>,
        (): &(),
    ) -> Result<Answer, Halt<Failure>> {
        let (actor, now) = (&attempt.actor, attempt.call.received_at);
        let (real, targets) = (Some(actor.real.clone()), actor.targets.clone());
        let exit = Command::ExitEmulation { real, targets, now };
        let session = actor.identity.session.0;
        let ordered = attempt.decision.order::<Emulation>(session, (), exit).await;
        let refusal = ordered.decided()?.err();
        let reason = refusal.map(|refusal| refusal.code().to_owned());
        let response = UnemulateProfileResponse { ok: reason.is_none(), reason };
        Ok(Answer::ok(&response)?.with("x-invalidate-tags", "profile"))
    }
}
