//! Records the end of layers of emulation that are no longer valid.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::emulation::{self, Command, Emulation};
use crate::domain::ids::{ProfileId, SessionId, TenantId};
use crate::domain::permission::Standing;
use crate::domain::profile::{self, Profile};
use crate::domain::{Occurred, tenant};
use crate::engine::Engine;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::Change;
use crate::engine::write::halt::Halt;
use crate::projections::deadlines;
use crate::store::{Doing, Error};

use super::issue_or_conflict;

/// Checks the live emulations of a tenant again: those by or of a profile, or all. The profile is
/// judged by its state after the event, even if it has changed again since.
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

/// A profile as an event left it, and the position of that event: only layers granted before it are
/// judged.
#[derive(Clone)]
pub struct Seen {
    as_of: Option<(Uuid, profile::State)>,
    until: DateTime<Utc>,
}

/// Records which layers of a session's stack are no longer valid.
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
        // Other requests kept changing what this read; the caller may simply try again.
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
    // A conflict is a failure: the loop over the log tries again, and no request continues.
    let cut = Cut { session, seen };
    issue_or_conflict(engine, tenant, "emulation", "cut_emulation", cause, &cut).await
}

/// Ends the layers that are no longer valid; if the profile is judged as an event left it, only
/// those granted until then.
struct Cut {
    session: SessionId,
    seen: Option<Seen>,
}

impl Change for Cut {
    type Done = ();
    type Refusal = emulation::Refusal;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<(), Halt<emulation::Refusal>> {
        let stack = decision.load::<Emulation>(self.session.0).await?.state;
        let catalogue = decision.load::<tenant::Tenant>(decision.tenant.0).await?.state;
        let real = stack.real_actor.unwrap_or_default();
        let mut ids = vec![real.0];
        ids.extend(stack.layers.iter().map(|layer| layer.target.0));
        let profiles = decision.load_all::<Profile>(&ids).await?;
        let as_of = self.seen.as_ref().and_then(|seen| seen.as_of.as_ref());
        let mut standings = profiles.iter().zip(&ids).map(|(profile, id)| {
            let state = as_of.filter(|(of, _)| of == id).map_or(&*profile.state, |(_, at)| at);
            Some(state.live()?.standing(ProfileId(*id), |key| catalogue.rank(key)))
        });
        let real: Option<Standing> = standings.next().flatten();
        let (targets, now) = (standings.collect(), Utc::now());
        let granted_until = self.seen.as_ref().map(|seen| seen.until);
        let command = Command::CutEmulation { real, targets, granted_until, now };
        decision.order::<Emulation>(self.session.0, (), command).await.map(|_| ())
    }
}
