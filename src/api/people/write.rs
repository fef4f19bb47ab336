//! How every write of people runs: who calls, was it asked before, decide, append, answer.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::domain::Area;
use crate::domain::claims::Claim;
use crate::domain::ids::{TenantId, derived};
use crate::engine::kept::idempotent_answers;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::{Change, CommandContext};
use crate::engine::write::halt::Halt;
use crate::engine::{Error, OperationalRow, Priority};

use super::actor::{
    Actor, count_request, current, deleted_as_forbidden, reach_position, resolve_actor,
};
use super::answer::Answer;
use super::call::{Call, invalid_header};
use super::failure::Failure;
use super::identity::{Identity, identify};
use crate::api::app::App;

/// How long an answer is kept for its `Idempotency-Key`, in hours.
const ANSWER_HOURS_KEPT: i64 = 24;

/// The name of a write, and which checks it leaves out.
#[derive(Clone, Copy)]
pub struct Kind {
    pub area: &'static str,
    /// The operation in envelopes and the command in metrics.
    pub operation: &'static str,
    /// Contract 4.12: leaving an emulation is not counted and needs no active profile.
    pub exempt: bool,
}

/// An endpoint that changes something.
pub trait Endpoint: Send + Sync {
    /// Its name and checks.
    const KIND: Kind;
    /// Its input.
    type Input: Send + Sync;

    /// Reads the input.
    ///
    /// # Errors
    /// The request is invalid.
    fn input(&self, call: &Call) -> Result<Self::Input, Failure>;

    /// Whether the actor may call it at all. Checked before mistakes in the input are told.
    ///
    /// # Errors
    /// [`Failure::Forbidden`].
    fn permit(&self, _: &Actor) -> Result<(), Failure> {
        Ok(())
    }

    /// Orders the changes, and answers. It may run several times, each time on the current states:
    /// what must be the same each time, such as new ids, is held by the endpoint.
    ///
    /// # Errors
    /// Why nothing changes.
    fn decide(
        &self,
        attempt: &mut Attempt<'_, '_>,
        input: &Self::Input,
    ) -> impl Future<Output = Result<Answer, Halt<Failure>>> + Send;
}

/// One attempt of a write.
pub struct Attempt<'a, 'e> {
    pub app: &'a App,
    pub call: &'a Call,
    /// The actor at the moment of this attempt.
    pub actor: Actor,
    pub decision: &'a mut Decision<'e>,
}

/// Runs a write and answers.
///
/// # Errors
/// The failure of `endpoint`; 401, 403, 409, 429, 503 of contract 1.1.
pub async fn write<E: Endpoint>(app: &App, call: &Call, endpoint: &E) -> Result<Answer, Failure> {
    let kind = E::KIND;
    let identity = identify(app, call).await.map_err(deleted_as_forbidden)?;
    let actor = current(app, &identity, call).await.map_err(deleted_as_forbidden)?;
    if !kind.exempt {
        if !actor.real.active {
            return Err(Failure::ProfileInactive);
        }
        if call.counted {
            count_request(app, &actor, call).await?;
        }
    }
    reach_position(app, &actor, call).await?;
    let remembered = Remembered::of(call, &actor);
    if let Some(remembered) = &remembered
        && let Some(answer) = remembered.answer_before(app).await?
    {
        return Ok(answer);
    }
    let context = CommandContext {
        tenant: identity.tenant,
        envelope: Arc::new(actor.envelope(call, kind.operation)),
        area: kind.area,
        priority: Priority::Caller,
    };
    let input = endpoint.input(call);
    let asked = Asked { app, call, identity: &identity, remembered, input, endpoint };
    let executed = app.engine.execute(&context, &asked).await;
    let executed = match (executed, &asked.remembered) {
        (Err(Halt::Failed(Error::ClaimTaken(claim))), Some(remembered))
            if claim == remembered.claim =>
        {
            return remembered.answer_before(app).await?.ok_or(Failure::StreamConflict);
        }
        (executed, _) => executed?,
    };
    let mut answer = executed.value;
    if let Some(position) = executed.position {
        let token = app.engine.seal_position(identity.tenant, position);
        answer = answer.with("dossier-position", token);
        if !executed.folded {
            answer = answer.with("dossier-folded", "false");
        }
    }
    Ok(answer)
}

/// What all attempts share.
struct Asked<'a, E: Endpoint> {
    app: &'a App,
    call: &'a Call,
    identity: &'a Identity,
    remembered: Option<Remembered>,
    input: Result<E::Input, Failure>,
    endpoint: &'a E,
}

impl<E: Endpoint> Change for Asked<'_, E> {
    type Done = Answer;
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<Answer, Halt<Failure>> {
        // Each attempt finds the actor again, and records that one.
        let (app, call, now) = (self.app, self.call, self.call.received_at);
        let actor =
            resolve_actor(decision, self.identity, now).await.map_err(deleted_as_forbidden)?;
        if !E::KIND.exempt && !actor.real.active {
            return Err(Halt::Refused(Failure::ProfileInactive));
        }
        decision.envelope = Arc::new(actor.envelope(call, E::KIND.operation));
        let mut attempt = Attempt { app, call, actor, decision };
        let decided = self.decide_as(&mut attempt).await;
        let Some(remembered) = &self.remembered else { return decided };
        let decision = attempt.decision;
        if let Ok(answer) = &decided
            && decision.changes_anything()
        {
            remembered.keep(decision, answer, now);
            return decided;
        }
        // Nothing to append: the same request may have been done before in the meantime.
        match remembered.answer_before(app).await? {
            Some(answer) => {
                decision.take_back();
                Ok(answer)
            }
            None => decided,
        }
    }
}

impl<E: Endpoint> Asked<'_, E> {
    async fn decide_as(&self, attempt: &mut Attempt<'_, '_>) -> Result<Answer, Halt<Failure>> {
        self.endpoint.permit(&attempt.actor)?;
        if let Some(occurred_at) = self.call.occurred_at {
            may_date_back(E::KIND, &attempt.actor, self.call, occurred_at)?;
            attempt.decision.occurred_at = Some(occurred_at);
        }
        let input = self.input.as_ref().map_err(Failure::clone)?;
        self.endpoint.decide(attempt, input).await
    }
}

/// History contract 1: who may say when a change became true, and of which changes.
fn may_date_back(
    kind: Kind,
    actor: &Actor,
    call: &Call,
    occurred_at: DateTime<Utc>,
) -> Result<(), Failure> {
    let administers = actor.effective.is_admin();
    Failure::unless(administers, "only admins say when a change became true")?;
    if kind.area != Area::Profile.name() {
        let why = "only changes of profiles can be dated back";
        return Err(invalid_header("Dossier-Occurred-At", why));
    }
    if occurred_at > call.received_at {
        return Err(Failure::InTheFuture);
    }
    Ok(())
}

/// An `Idempotency-Key` in use: its claim, and the request that it stands for.
struct Remembered {
    tenant: TenantId,
    claim: Uuid,
    digest: Uuid,
    by: Uuid,
}

impl Remembered {
    fn of(call: &Call, actor: &Actor) -> Option<Remembered> {
        let key = call.idempotency_key.as_deref()?;
        let tenant = actor.tenant();
        // The two routes that change the effective actor use the session here: the first call would
        // otherwise make its own repetition a different request.
        let real = actor.real.profile.0;
        let moves = call.route.ends_with("/emulate") || call.route.ends_with("/unemulate");
        let effective = if moves { actor.identity.session.0 } else { actor.id().0 };
        let claim = derived(&[
            b"idempotency",
            tenant.0.as_bytes(),
            real.as_bytes(),
            effective.as_bytes(),
            call.route.as_bytes(),
            key.as_bytes(),
        ]);
        let occurred_at = call.occurred_at.map(|at| at.timestamp_micros().to_be_bytes());
        let occurred_at = occurred_at.as_ref().map_or(&[][..], |at| at);
        let digest = derived(&[call.raw_body(), occurred_at]);
        Some(Remembered { tenant, claim, digest, by: real })
    }

    /// The stored answer, if the request was done before.
    async fn answer_before(&self, app: &App) -> Result<Option<Answer>, Failure> {
        let Some(kept) = app.engine.idempotent_answer(self.claim).await? else { return Ok(None) };
        if kept.digest != self.digest {
            return Err(Failure::IdempotencyMismatch);
        }
        let status = u16::try_from(kept.status).unwrap_or(200);
        let mut answer = Answer {
            status: axum::http::StatusCode::from_u16(status).unwrap_or_default(),
            headers: Default::default(),
            body: kept.body,
        };
        for (name, value) in kept.headers {
            if let (Ok(name), Ok(value)) =
                (axum::http::HeaderName::try_from(name), axum::http::HeaderValue::try_from(value))
            {
                answer.headers.insert(name, value);
            }
        }
        Ok(Some(answer.with("idempotent-replayed", "true")))
    }

    /// Stores the answer, in the same transaction as the events.
    fn keep(&self, decision: &mut Decision<'_>, answer: &Answer, now: DateTime<Utc>) {
        let expires_at = now + Duration::hours(ANSWER_HOURS_KEPT);
        let claim = Claim {
            key: self.claim,
            kind: "idempotency",
            tenant: self.tenant,
            expires_at: Some(expires_at),
        };
        decision.take(claim, self.by);
        let headers: std::collections::BTreeMap<&str, &str> = answer
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        decision.row(OperationalRow {
            table: &idempotent_answers::ANSWERS,
            row: json!({
                "claim": self.claim,
                "digest": self.digest,
                "status": answer.status.as_u16(),
                "headers": headers,
                "body": answer.body,
                "expires_at": expires_at,
            }),
        });
    }
}
