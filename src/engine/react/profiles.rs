//! Walks over the profiles of a tenant, to do for each what follows from a change of the tenant.
//! The first thousand are done while the caller waits; a walk with a checkpoint does all of them,
//! beside the loop over the log. Walks of one tenant run one after the other, in the order of the
//! log; walks of other tenants do not wait for them.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use metrics::{counter, gauge};
use uuid::Uuid;

use crate::domain::ids::TenantId;
use crate::domain::permission::Authority;
use crate::domain::profile::{By, Profile, Refusal};
use crate::domain::tenant::{Event, Tenant};
use crate::domain::{Event as AnyEvent, Occurred};
use crate::engine::occurred::occurred;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::Change;
use crate::engine::write::halt::Halt;
use crate::engine::{Engine, stream as stream_key};
use crate::projections::profiles_view;
use crate::store::{Doing, Error, Recorded};

use super::{SYSTEM, issue_or_conflict, wait_for_folds};
use crate::domain::consequence::{Consequence, Witnessed};

/// Profiles read at once.
const PROFILES_AT_ONCE: i64 = 1_000;
/// Streams read by one query: a profile's stream grows with its log-ins.
const STREAMS_AT_ONCE: usize = 100;
/// Orders at once: enough for good batches, few enough to leave room for callers.
const COMMANDS_AT_ONCE: usize = 128;
/// Most tenants with a running walk.
const TENANTS_AT_ONCE: usize = 4;
/// How often to look for walks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What is to be done for all profiles of a tenant, and the reason.
struct Cause {
    tenant: TenantId,
    position: i64,
    consequence: Consequence,
}

/// A walk as it is stored.
struct Planned {
    position: i64,
    after: Uuid,
}

/// A profile that may be concerned.
#[derive(Clone, Copy)]
struct Concerned {
    id: Uuid,
    /// The version of its stream when it was read.
    version: i64,
    /// Whether somebody has decided the same matter since the tenant's event.
    touched: bool,
}

/// Records that a walk follows from an event, if one does. Doing it twice changes nothing.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn plan(engine: &Engine, event: &Occurred, fact: &Event) -> Result<(), Error> {
    if Consequence::of(event.tenant_id, fact).is_none() {
        return Ok(());
    }
    let client = engine.connection().await?;
    let sql = "
        insert into ops.walks (position, tenant_id, after_profile_id)
        values ($1, $2, '00000000-0000-0000-0000-000000000000')
        on conflict (position) do nothing";
    let planned = client.execute(sql, &[&event.position, &event.tenant_id.0]).await;
    planned.map(|_| ()).doing("planning a walk")
}

/// Does for the first profiles what follows from the events at `position`, and waits until that can
/// be read. For a tenant with few profiles this is all. The walk does the rest, and does nothing
/// twice.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Corrupt`].
pub async fn begin(
    engine: &Engine,
    tenant: TenantId,
    events: &[Event],
    position: i64,
) -> Result<(), Error> {
    let consequences = events.iter().filter_map(|event| Consequence::of(tenant, event));
    let causes: Vec<Cause> =
        consequences.map(|consequence| Cause { tenant, position, consequence }).collect();
    if causes.is_empty() {
        return Ok(());
    }
    for cause in &causes {
        step(engine, cause, Uuid::nil()).await?;
    }
    wait_for_folds(engine).await
}

/// Walks until the engine stops.
pub async fn walk(engine: &Engine) {
    let stopping = engine.stopping();
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = look.tick() => {}
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            done = walk_planned(engine) => if let Err(error) = done {
                tracing::warn!(error = %error, "could not walk tenants' profiles, trying again");
            }
        }
    }
}

/// Moves the oldest walk of each tenant forward, until none can move.
async fn walk_planned(engine: &Engine) -> Result<(), Error> {
    loop {
        let client = engine.connection().await?;
        let sql = "
            select distinct on (tenant_id) position, after_profile_id
            from ops.walks
            order by tenant_id, position
            limit 1000";
        let planned = client.query(sql, &[]).await.doing("reading walks")?;
        drop(client);
        gauge!("dossier_reaction_walks").set(planned.len() as f64);
        let planned: Vec<Planned> =
            planned.iter().map(|row| Planned { position: row.get(0), after: row.get(1) }).collect();
        let steps = stream::iter(planned).map(|planned| advance_or_warn(engine, planned));
        let taken: Vec<bool> = steps.buffer_unordered(TENANTS_AT_ONCE).collect().await;
        if !taken.contains(&true) {
            return Ok(());
        }
    }
}

async fn advance_or_warn(engine: &Engine, planned: Planned) -> bool {
    let taken = advance(engine, &planned).await;
    if let Err(error) = &taken {
        let position = planned.position;
        tracing::warn!(error = %error, position, "a walk is stuck, trying again");
        counter!("dossier_reactions_total", "reaction" => "walk", "outcome" => "failed")
            .increment(1);
    }
    taken.is_ok()
}

/// Moves one walk forward and records how far it has come.
async fn advance(engine: &Engine, planned: &Planned) -> Result<(), Error> {
    let events = engine.reader.at(&[planned.position]).await?;
    let event = events.first().map(occurred).transpose()?;
    let consequence = event.as_ref().and_then(|event| match &event.event {
        AnyEvent::Tenant(fact) => Some((event.tenant_id, Consequence::of(event.tenant_id, fact)?)),
        _ => None,
    });
    let last = match consequence {
        Some((tenant, consequence)) => {
            let cause = Cause { tenant, position: planned.position, consequence };
            step(engine, &cause, planned.after).await?
        }
        None => None,
    };
    let client = engine.connection().await?;
    let kept = match last {
        Some(last) => {
            let sql = "update ops.walks set after_profile_id = $2 where position = $1";
            client.execute(sql, &[&planned.position, &last]).await
        }
        None => {
            let sql = "delete from ops.walks where position = $1";
            client.execute(sql, &[&planned.position]).await
        }
    };
    kept.map(|_| ()).doing("keeping a walk's place")
}

/// Reads the next profiles and does what follows for those concerned. Returns the last one that was
/// read; None at the end.
async fn step(engine: &Engine, cause: &Cause, after: Uuid) -> Result<Option<Uuid>, Error> {
    let client = engine.connection().await?;
    let page = profiles_view::read::page(&client, cause.tenant.0, after, PROFILES_AT_ONCE)
        .await
        .doing("reading profiles")?;
    drop(client);
    let Some(last) = page.last().map(|row| row.id) else { return Ok(None) };
    let rows = page.iter().filter(|row| concerns(&cause.consequence, row));
    let ids: Vec<Uuid> = rows.map(|row| row.id).collect();
    let mut concerned = Vec::with_capacity(ids.len());
    for some in ids.chunks(STREAMS_AT_ONCE) {
        concerned.append(&mut look_at(engine, cause, some).await?);
    }
    // All are completed: a failure of one does not stop the others.
    let done: Vec<Result<(), Error>> = stream::iter(concerned)
        .map(|one| follow(engine, cause, one))
        .buffer_unordered(COMMANDS_AT_ONCE)
        .collect()
        .await;
    done.into_iter().collect::<Result<(), Error>>()?;
    counter!("dossier_reaction_profiles_total", "reaction" => cause.consequence.name())
        .increment(page.len() as u64);
    Ok(Some(last))
}

/// The current profiles, by two queries; each is then decided by itself.
async fn look_at(engine: &Engine, cause: &Cause, ids: &[Uuid]) -> Result<Vec<Concerned>, Error> {
    let states = engine.load_all::<Profile>(cause.tenant, ids).await?;
    let streams: Vec<_> = ids.iter().map(|id| stream_key::<Profile>(cause.tenant, *id)).collect();
    let since = engine.reader.since(&streams, cause.position).await?;
    let mut touched = HashSet::new();
    for recorded in since {
        let witnessed = witnessed(&recorded, cause.position)?;
        if cause.consequence.is_touched_by(&witnessed) {
            touched.insert(recorded.stream.id);
        }
    }
    let looked_at = ids.iter().zip(states).map(|(id, state)| Concerned {
        id: *id,
        version: state.version,
        touched: touched.contains(id),
    });
    Ok(looked_at.collect())
}

fn witnessed(recorded: &Recorded, cause: i64) -> Result<Witnessed, Error> {
    let since = recorded.position > cause;
    let follows = recorded.envelope.real_actor_kind == SYSTEM;
    match occurred(recorded)?.event {
        AnyEvent::Profile(event) => Ok(Witnessed { event, since, follows }),
        _ => Err(Error::Corrupt("a stream of a profile holds another area's event".into(), None)),
    }
}

/// Does what follows for one profile.
async fn follow(engine: &Engine, cause: &Cause, concerned: Concerned) -> Result<(), Error> {
    let (name, position) = (cause.consequence.name(), cause.position);
    let following = Following { cause, concerned };
    issue_or_conflict(engine, cause.tenant, "profile", name, position, &following).await
}

/// The order for a profile, unless somebody has decided the matter since.
struct Following<'a> {
    cause: &'a Cause,
    concerned: Concerned,
}

impl Change for Following<'_> {
    type Done = ();
    type Refusal = Refusal;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<(), Halt<Refusal>> {
        let (cause, tenant, id) = (self.cause, self.cause.tenant, self.concerned.id);
        let catalogue = decision.load::<Tenant>(tenant.0).await?.state;
        let loaded = decision.load::<Profile>(id).await?;
        let Some(facts) = loaded.state.live() else { return Ok(()) };
        if self.concerned.touched || loaded.version != self.concerned.version {
            let stream = stream_key::<Profile>(tenant, id);
            let history = decision.engine.reader.streams(&[(stream, 0)]).await?;
            let read = history.iter().filter(|recorded| recorded.version <= loaded.version);
            let history = read.map(|recorded| witnessed(recorded, cause.position));
            let history = history.collect::<Result<Vec<_>, _>>()?;
            if cause.consequence.is_settled(&history, &catalogue) {
                return Ok(());
            }
        }
        let command = cause.consequence.command(&catalogue, facts);
        let by = By { authority: &Authority::Operator, ranks: &*catalogue };
        decision.order::<Profile>(id, by, command).await.map(|_| ())
    }
}

/// Whether the profile of this row may be concerned.
fn concerns(consequence: &Consequence, row: &profiles_view::Row) -> bool {
    match consequence {
        Consequence::RoleRemoved(key) => row.role_keys.contains(key),
        Consequence::DepartmentRemoved(id) => row.department_ids.contains(&id.0),
        Consequence::ApplicationRoleRemoved(role) => row.application_roles.contains(role),
        Consequence::AttributeRemoved(name) => row.attributes.0.contains_key(name),
        Consequence::AttributeDefined(name, _) => !row.attributes.0.contains_key(name),
        Consequence::TenantDeleted => true,
    }
}
