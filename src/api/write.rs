//! The way of every HTTP write: who calls, was it asked before, decide, append, answer.

use std::sync::Arc;

use chrono::Duration;
use futures_util::future::BoxFuture;
use serde_json::json;
use uuid::Uuid;

use crate::domain::ids::{TenantId, derived};
use crate::engine::execute::{Decision, Halt, Order};
use crate::engine::{Claim, OperationalRow, Priority, idempotency};

use super::actor::{Actor, current, gone_is_forbidden, reach_position, spend, stand};
use super::answer::Answer;
use super::app::App;
use super::call::Call;
use super::failure::Failure;
use super::identity::{Identity, identify};

/// How long an answer is kept for its `Idempotency-Key`, in hours.
const ANSWER_HOURS_KEPT: i64 = 24;

/// What a write is called, and which checks it skips.
pub struct Kind {
    pub area: &'static str,
    /// The envelope's operation and the metric's command.
    pub operation: &'static str,
    pub face: &'static str,
    /// Contract 4.12: leaving an emulation costs nothing and needs no active profile.
    pub exempt: bool,
}

/// Decides and answers. `decide` may run several times and must not depend on how often.
///
/// # Errors
/// What `decide` refused; 401, 403, 409, 429, 503 of contract 1.1.
pub async fn write<'e, F>(
    app: &'e App,
    call: &'e Call,
    kind: Kind,
    decide: F,
) -> Result<Answer, Failure>
where
    F: for<'d> Fn(&'d mut Decision<'e>, &'d Actor) -> BoxFuture<'d, Result<Answer, Halt<Failure>>>
        + Send
        + Sync
        + 'e,
{
    let identity = identify(app, call).await.map_err(gone_is_forbidden)?;
    let actor = current(app, &identity, call).await.map_err(gone_is_forbidden)?;
    if !kind.exempt {
        if !actor.real.active {
            return Err(Failure::ProfileInactive);
        }
        if call.counted {
            spend(app, &actor, call).await?;
        }
    }
    reach_position(app, &actor, call).await?;
    let remembered = Remembered::of(call, &actor);
    if let Some(remembered) = &remembered {
        remembered.answer_before(app).await?;
    }
    let order = Order {
        tenant: identity.tenant,
        envelope: Arc::new(actor.envelope(call, kind.operation, kind.face)),
        area: kind.area,
        priority: Priority::Caller,
    };
    let asked = Arc::new(Asked { identity: identity.clone(), remembered, kind });
    let decide = Arc::new(decide);
    let executed = app
        .engine
        .execute(&order, |decision| {
            let (asked, decide) = (asked.clone(), decide.clone());
            Box::pin(async move {
                // Each attempt is made by the actor of its own moment, and recorded as that.
                let now = call.received_at;
                let actor = stand(decision, &asked.identity, now).await;
                let actor = actor.map_err(gone_is_forbidden)?;
                if !asked.kind.exempt && !actor.real.active {
                    return Err(Halt::Refused(Failure::ProfileInactive));
                }
                let envelope = actor.envelope(call, asked.kind.operation, asked.kind.face);
                decision.envelope = Arc::new(envelope);
                let decided = decide(decision, &actor).await;
                let Some(remembered) = &asked.remembered else { return decided };
                if decided.is_ok() && decision.changes_anything() {
                    let answer = decided?;
                    remembered.keep(decision, &answer, now);
                    return Ok(answer);
                }
                // Nothing to do, or refused: perhaps because the very same request came first.
                remembered.answer_before(app).await?;
                decided
            })
        })
        .await;
    let executed = match (executed, &asked.remembered) {
        (Err(Halt::Failed(crate::engine::Error::ClaimTaken(claim))), Some(remembered))
            if claim == remembered.claim =>
        {
            remembered.answer_before(app).await?;
            return Err(Failure::StreamConflict);
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

/// What every attempt of a write goes by.
struct Asked {
    identity: Identity,
    remembered: Option<Remembered>,
    kind: Kind,
}

/// An `Idempotency-Key` in use: which claim it is, and of which request.
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
        // The two routes that change as whom one acts are told apart by the session instead: the
        // first call would otherwise make its own repetition another request.
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
        Some(Remembered { tenant, claim, digest: derived(&[call.raw_body()]), by: real })
    }

    /// Answers as before, if this was asked before.
    async fn answer_before(&self, app: &App) -> Result<(), Failure> {
        let Some(kept) = app.engine.idempotent_answer(self.claim).await? else { return Ok(()) };
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
        Err(Failure::Answered(Box::new(answer.with("idempotent-replayed", "true"))))
    }

    /// Keeps the answer with the events it is about.
    fn keep(
        &self,
        decision: &mut Decision<'_>,
        answer: &Answer,
        now: chrono::DateTime<chrono::Utc>,
    ) {
        let expires_at = now + Duration::hours(ANSWER_HOURS_KEPT);
        decision.take(Claim {
            claim: self.claim,
            kind: "idempotency",
            tenant_id: self.tenant.0,
            holder: self.by,
            expires_at: Some(expires_at),
        });
        let headers: std::collections::BTreeMap<&str, &str> = answer
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        decision.row(OperationalRow {
            table: &idempotency::ANSWERS,
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
