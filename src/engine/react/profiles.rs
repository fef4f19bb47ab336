//! What follows for every profile of a tenant from a change of it: removed roles and departments
//! are taken away, removed attributes too, defaults are filled in, and with a tenant its profiles
//! go. A walk over the tenant's profiles that knows how far it has come, beside the loop over the
//! log, so that a large tenant keeps nobody else waiting.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use metrics::{counter, gauge};
use uuid::Uuid;

use crate::domain::ids::{DepartmentId, ProfileId, TenantId, catalogue_id};
use crate::domain::permission::{Authority, RankedRole};
use crate::domain::profile::{self, Command, Facts, Profile};
use crate::domain::tenant::{Catalogue, Event, Tenant};
use crate::domain::{Event as AnyEvent, Occurred};
use crate::engine::follow::occurred;
use crate::engine::{Engine, claims};
use crate::projections::profiles_view;
use crate::store::Error;

use super::{insist, wait_for_folds};

/// Profiles looked at at once.
const PROFILES_AT_ONCE: i64 = 1_000;
/// Streams read by one query: profiles have as many events as they had log-ins.
const STREAMS_AT_ONCE: usize = 100;
/// Commands under way at once: as many as make good batches, and leave room for callers.
const COMMANDS_AT_ONCE: usize = 128;
/// How often to look for walks.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What a change of a tenant means for its profiles.
#[derive(Clone, Debug)]
enum Walk {
    RoleRemoved(String),
    DepartmentRemoved(DepartmentId),
    ApplicationRoleRemoved(String),
    AttributeRemoved(String),
    AttributeDefined(String),
    TenantDeleted,
}

impl Walk {
    fn of(tenant: TenantId, event: &Event) -> Option<Walk> {
        match event {
            Event::RoleRemoved { key } => Some(Walk::RoleRemoved(key.clone())),
            Event::DepartmentRemoved { key } => {
                let id = DepartmentId(catalogue_id(tenant, "department", key));
                Some(Walk::DepartmentRemoved(id))
            }
            Event::OfferedRoleRemoved { role } => Some(Walk::ApplicationRoleRemoved(role.clone())),
            Event::AttributeRemoved { name } => Some(Walk::AttributeRemoved(name.clone())),
            Event::AttributeDefined(definition) => {
                let filled = definition.default_value.is_some();
                filled.then(|| Walk::AttributeDefined(definition.name.clone()))
            }
            Event::TenantDeleted { .. } => Some(Walk::TenantDeleted),
            _ => None,
        }
    }

    /// The name of its commands, in the log and the metrics.
    const fn name(&self) -> &'static str {
        match self {
            Walk::RoleRemoved(_) | Walk::DepartmentRemoved(_) => "pull_removed",
            Walk::ApplicationRoleRemoved(_) => "withdraw_application_role",
            Walk::AttributeRemoved(_) => "withdraw_attribute",
            Walk::AttributeDefined(_) => "default_attribute",
            Walk::TenantDeleted => "delete_with_tenant",
        }
    }

    /// Whether it means anything for this profile.
    fn concerns(&self, row: &profiles_view::Row) -> bool {
        match self {
            Walk::RoleRemoved(key) => row.role_keys.contains(key),
            Walk::DepartmentRemoved(id) => row.department_ids.contains(&id.0),
            Walk::ApplicationRoleRemoved(role) => row.application_roles.contains(role),
            Walk::AttributeRemoved(name) => row.attributes.0.contains_key(name),
            Walk::AttributeDefined(name) => !row.attributes.0.contains_key(name),
            Walk::TenantDeleted => true,
        }
    }

    /// The order to a profile; none when the tenant has changed its mind meanwhile.
    fn command(&self, catalogue: &Catalogue, facts: &Facts) -> Option<Command> {
        match self {
            Walk::RoleRemoved(key) => catalogue.role(key).is_none().then(|| {
                let kept = facts.roles.iter().filter(|role| *role != key);
                let ranked = |key: &String| RankedRole {
                    key: key.clone(),
                    rank: catalogue.rank(key).unwrap_or_default(),
                };
                Command::AssignRoles { roles: kept.map(ranked).collect() }
            }),
            Walk::DepartmentRemoved(gone) => catalogue.department(*gone).is_none().then(|| {
                let kept = facts.departments.iter().filter(|one| *one != gone);
                Command::AssignDepartments { departments: kept.copied().collect() }
            }),
            Walk::ApplicationRoleRemoved(role) => {
                let gone = !catalogue.application_roles.contains(role);
                gone.then(|| Command::WithdrawApplicationRole { role: role.clone() })
            }
            Walk::AttributeRemoved(name) => {
                let gone = catalogue.attribute(name).is_none();
                gone.then(|| Command::WithdrawAttribute { name: name.clone() })
            }
            Walk::AttributeDefined(name) => {
                let value = catalogue.attribute(name)?.default_value.clone()?.into();
                Some(Command::DefaultAttribute { name: name.clone(), value })
            }
            Walk::TenantDeleted => catalogue.name.is_none().then_some(Command::DeleteProfile),
        }
    }
}

/// Puts on record that a walk follows from an event, if one does. Twice is once.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn plan(engine: &Engine, event: &Occurred, fact: &Event) -> Result<(), Error> {
    if Walk::of(event.tenant_id, fact).is_none() {
        return Ok(());
    }
    let client = engine.connection().await?;
    let sql = "
        insert into ops.walks (position, after_profile_id)
        values ($1, '00000000-0000-0000-0000-000000000000')
        on conflict (position) do nothing";
    let planned = client.execute(sql, &[&event.position]).await;
    planned.map(|_| ()).map_err(|error| Error::of_statement("planning a walk", error))
}

/// Does at once what follows for the first profiles, and waits until it can be read: whoever has
/// few profiles sees all of it. The rest is left to the walk, which does nothing twice.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Corrupt`].
pub async fn begin(engine: &Engine, tenant: TenantId, events: &[Event]) -> Result<(), Error> {
    let walks: Vec<Walk> = events.iter().filter_map(|event| Walk::of(tenant, event)).collect();
    if walks.is_empty() {
        return Ok(());
    }
    for walk in &walks {
        step(engine, tenant, walk, 0, Uuid::nil()).await?;
    }
    wait_for_folds(engine).await
}

/// Walks until the engine stops, oldest first.
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
                tracing::warn!(error = %error, "could not walk a tenant's profiles, trying again");
                counter!("dossier_reactions_total", "reaction" => "walk", "outcome" => "failed")
                    .increment(1);
            }
        }
    }
}

async fn walk_planned(engine: &Engine) -> Result<(), Error> {
    let failed = |error| Error::of_statement("reading walks", error);
    loop {
        let client = engine.connection().await?;
        let sql = "select position, after_profile_id from ops.walks order by position limit 100";
        let planned = client.query(sql, &[]).await.map_err(failed)?;
        drop(client);
        gauge!("dossier_reaction_walks").set(planned.len() as f64);
        let Some(first) = planned.first() else { return Ok(()) };
        let (position, mut after): (i64, Uuid) = (first.get(0), first.get(1));
        let events = engine.reader.at(&[position]).await?;
        let event = events.first().map(occurred).transpose()?;
        let walk = event.as_ref().and_then(|event| match &event.event {
            AnyEvent::Tenant(fact) => Some((event.tenant_id, Walk::of(event.tenant_id, fact)?)),
            _ => None,
        });
        if let Some((tenant, walk)) = walk {
            while let Some(last) = step(engine, tenant, &walk, position, after).await? {
                after = last;
                let client = engine.connection().await?;
                let sql = "update ops.walks set after_profile_id = $2 where position = $1";
                client.execute(sql, &[&position, &after]).await.map_err(failed)?;
            }
        }
        let client = engine.connection().await?;
        let sql = "delete from ops.walks where position = $1";
        client.execute(sql, &[&position]).await.map_err(failed)?;
    }
}

/// Looks at the next profiles and does what follows for those concerned; returns the last one
/// looked at, or nothing at the end.
async fn step(
    engine: &Engine,
    tenant: TenantId,
    walk: &Walk,
    cause: i64,
    after: Uuid,
) -> Result<Option<Uuid>, Error> {
    let client = engine.connection().await?;
    let page = profiles_view::read::page(&client, tenant.0, after, PROFILES_AT_ONCE).await;
    let page = page.map_err(|error| Error::of_statement("reading profiles", error))?;
    drop(client);
    let Some(last) = page.last().map(|row| row.id) else { return Ok(None) };
    let concerned: Vec<Uuid> =
        page.iter().filter(|row| walk.concerns(row)).map(|row| row.id).collect();
    // A query for many that are not cached, before each is decided on its own.
    for some in concerned.chunks(STREAMS_AT_ONCE) {
        engine.load_all::<Profile>(tenant, some).await?;
    }
    stream::iter(concerned)
        .map(|id| follow(engine, tenant, id, cause, walk))
        .buffer_unordered(COMMANDS_AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    counter!("dossier_reaction_profiles_total", "reaction" => walk.name())
        .increment(page.len() as u64);
    Ok(Some(last))
}

/// What follows for one profile.
async fn follow(
    engine: &Engine,
    tenant: TenantId,
    id: Uuid,
    cause: i64,
    walk: &Walk,
) -> Result<(), Error> {
    let done = insist(engine, tenant, "profile", walk.name(), cause, move |decision| {
        let walk = walk.clone();
        Box::pin(async move {
            let catalogue = decision.load::<Tenant>(decision.tenant.0).await?.state;
            let profile = decision.load::<Profile>(id).await?.state;
            let Some(facts) = profile.live() else { return Ok(()) };
            let Some(order) = walk.command(&catalogue, facts) else { return Ok(()) };
            if order == Command::DeleteProfile {
                for claim in claims::held_by(tenant, facts) {
                    decision.release(claim);
                }
            }
            let rank = |key: &str| catalogue.rank(key);
            let by = Authority::Operator;
            let events = profile::decide(ProfileId(id), &profile, &by, rank, order);
            decision.append::<Profile>(id, events.unwrap_or_default(), None)?;
            Ok(())
        })
    });
    done.await
}
