//! POST /unemulate (contract 4.12): one layer less from the next request on. Needs no right.

use std::sync::Arc;

use axum::extract::State;

use crate::api::answer::Answer;
use crate::api::app::App;
use crate::api::call::Call;
use crate::api::failure::Failure;
use crate::api::write::{Kind, write};
use crate::domain::emulation::{Command, Emulation, decide};

use super::FACE;
use super::types::emulation::UnemulateProfileResponse;
use super::types::headers::ActorHeaders;

/// Leaves the innermost live layer; without one says so, with 200. Costs nothing of the limit.
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
    let no_body = call.no_body();
    let kind = Kind { area: "emulation", operation: "unemulate", face: FACE, exempt: true };
    let now = call.received_at;
    let answer = write(&app, &call, kind, move |decision, actor| {
        let no_body = no_body.as_ref().map_err(Failure::again).copied();
        Box::pin(async move {
            no_body?;
            let (real, targets) = (Some(actor.real.clone()), actor.targets.clone());
            let command = Command::ExitEmulation { real, targets, now };
            let reason = match decide(&actor.stack, command) {
                Ok(events) => {
                    let session = actor.identity.session.0;
                    decision.append::<Emulation>(session, events, None)?;
                    None
                }
                Err(refusal) => Some(refusal.code().to_owned()),
            };
            let response = UnemulateProfileResponse { ok: reason.is_none(), reason };
            Ok(Answer::ok(&response)?.with("x-invalidate-tags", "profile"))
        })
    });
    answer.await
}
