//! Layers of emulation that do not hold any more are put on record as ended.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::ids::{ProfileId, SessionId, TenantId};
use crate::domain::permission::Standing;
use crate::domain::profile::{self, Profile};
use crate::domain::{Occurred, emulation, tenant};
use crate::engine::Engine;
use crate::projections::deadlines;
use crate::store::{Doing, Error};

use super::insist;

/// Judges anew the live emulations of a tenant: those by or of a profile, or all. The profile is
/// judged as the event left it, even if it was changed back since.
pub async fn cut_emulations(
    engine: &Engine,
    cause: &Occurred,
    profile: Option<Uuid>,
) -> Result<(), Error> {
    let client = engine.connection().await?;
    let rows = deadlines::read::emulations(&client, cause.tenant_id.0, profile)
        .await
        .doing("reading emulations")?;
    drop(client);
    if rows.is_empty() {
        return Ok(());
    }
    let as_of = match profile {
        Some(id) => {
            Some((id, engine.state_at::<Profile>(cause.tenant_id, id, cause.version).await?))
        }
        None => None,
    };
    for row in rows {
        let seen = Seen { as_of: as_of.clone(), until: cause.recorded_at };
        let session = SessionId(row.stream_id);
        cut(engine, cause.tenant_id, session, cause.position, Some(seen)).await?;
    }
    Ok(())
}

/// What a reaction judges by: a profile as an event left it, and only layers granted before that.
#[derive(Clone)]
pub struct Seen {
    as_of: Option<(Uuid, profile::State)>,
    until: DateTime<Utc>,
}

/// Puts on record which layers of a session's stack do not hold now.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Corrupt`].
pub async fn cut_dead_layers(
    engine: &Engine,
    tenant: TenantId,
    session: SessionId,
) -> Result<(), Error> {
    let done = cut(engine, tenant, session, engine.followed(), None).await;
    done.map_err(|error| match error {
        // Others kept writing what this read; the caller has not even said what it wants.
        Error::Conflict(_) => Error::Unavailable("putting dead layers on record", None),
        error => error,
    })
}

pub async fn cut(
    engine: &Engine,
    tenant: TenantId,
    session: SessionId,
    cause: i64,
    seen: Option<Seen>,
) -> Result<(), Error> {
    // A conflict is a failure: the loop over the log comes back, and no request goes on.
    let done = insist(engine, tenant, "emulation", "cut_emulation", cause, move |decision| {
        let seen = seen.clone();
        Box::pin(async move {
            let stack = decision.load::<emulation::Emulation>(session.0).await?.state;
            let catalogue = decision.load::<tenant::Tenant>(decision.tenant.0).await?.state;
            let real = stack.real_actor.unwrap_or_default();
            let mut ids = vec![real.0];
            ids.extend(stack.layers.iter().map(|layer| layer.target.0));
            let profiles = decision.load_all::<Profile>(&ids).await?;
            let as_of = seen.as_ref().and_then(|seen| seen.as_of.as_ref());
            let mut standings = profiles.iter().zip(&ids).map(|(profile, id)| {
                let state = as_of.filter(|(of, _)| of == id).map_or(&*profile.state, |(_, at)| at);
                Some(state.live()?.standing(ProfileId(*id), |key| catalogue.rank(key)))
            });
            let real: Option<Standing> = standings.next().flatten();
            let targets = standings.collect();
            let until = seen.map(|seen| seen.until);
            let events = ends(&stack, real, targets, until);
            decision.append::<emulation::Emulation>(session.0, events, None)?;
            Ok(())
        })
    });
    done.await
}

/// The ends of the layers that do not hold, of those granted until then; whatever is inside a
/// layer that ends, ends too.
fn ends(
    stack: &emulation::Stack,
    real: Option<Standing>,
    targets: Vec<Option<Standing>>,
    until: Option<DateTime<Utc>>,
) -> Vec<emulation::Event> {
    let early = |layer: &&emulation::Layer| until.is_none_or(|until| layer.granted_at <= until);
    let outer: Vec<_> = stack.layers.iter().take_while(early).cloned().collect();
    let inner = stack.layers[outer.len()..].iter().rev().map(|layer| {
        let reason = "outer_layer_ended".to_owned();
        emulation::Event::EmulationRevoked { grant_id: layer.grant_id, reason }
    });
    let judged = emulation::Stack { real_actor: stack.real_actor, layers: outer };
    let command = emulation::Command::CutEmulation { real, targets, now: Utc::now() };
    match emulation::decide(&judged, command) {
        Ok(ended) if !ended.is_empty() => inner.chain(ended).collect(),
        Ok(_) | Err(_) => vec![],
    }
}
