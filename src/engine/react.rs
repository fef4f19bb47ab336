//! What follows from events elsewhere or later: a checkpointed loop over the log and over passed
//! deadlines that issues ordinary commands, after all callers. Doing it twice does nothing, so any
//! process may. Readers never depend on it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{counter, gauge};
use uuid::Uuid;

use crate::domain::ids::{DepartmentId, ProfileId, SessionId, TenantId, derived};
use crate::domain::permission::{Authority, RankedRole, Standing};
use crate::domain::profile::{self, Profile};
use crate::domain::{Area, Event, Occurred, draft, emulation, export, session, tenant};
use crate::projections::{deadlines, profiles_view};
use crate::store::{Envelope, Error, Priority};

use super::Engine;
use super::execute::{Decision, Halt, Order};
use super::follow::occurred;

/// How often to look for passed deadlines and new events.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Events reacted to at once.
const EVENTS_AT_ONCE: i64 = 1_000;
/// Passed deadlines taken at once.
const DEADLINES_AT_ONCE: i64 = 200;
/// Profiles walked at once when a role or department goes.
const PROFILES_AT_ONCE: i64 = 1_000;
/// How often operational state past its time is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Reacts until the engine stops.
pub async fn run(engine: Arc<Engine>) {
    let stopping = engine.stopping();
    let mut swept = std::time::Instant::now() - SWEEP_EVERY;
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = look.tick() => {}
        }
        let round = async {
            react_to_log(&engine).await?;
            react_to_time(&engine).await?;
            if swept.elapsed() >= SWEEP_EVERY {
                sweep(&engine).await?;
                swept = std::time::Instant::now();
            }
            Ok::<(), Error>(())
        };
        tokio::select! {
            () = stopping.cancelled() => return,
            done = round => if let Err(error) = done {
                tracing::warn!(error = %error, "could not react, trying again");
                counter!("dossier_reactions_total", "reaction" => "round", "outcome" => "failed")
                    .increment(1);
            }
        }
    }
}

async fn react_to_log(engine: &Engine) -> Result<(), Error> {
    let failed = |error| Error::of_statement("reading how far was reacted", error);
    let client = engine.connection().await?;
    let sql = "select position from ops.reactions where reaction = 'log'";
    let row = client.query_opt(sql, &[]).await.map_err(failed)?;
    let mut position: i64 = row.map_or(0, |row| row.get(0));
    drop(client);
    // Only what the read models show already: they are asked below.
    let folded = engine.projections.positions().into_iter().find(|(name, _)| *name == "views");
    let folded = folded.map_or(0, |(_, position)| position);
    while position < folded {
        let events = engine.reader.all(position, EVENTS_AT_ONCE).await?;
        let Some(last) = events.last() else { break };
        for event in events.iter().filter(|event| event.position <= folded) {
            react(engine, &occurred(event)?).await?;
        }
        position = last.position.min(folded);
        let client = engine.connection().await?;
        let sql = "
            insert into ops.reactions (reaction, position) values ('log', $1)
            on conflict (reaction) do update set position = excluded.position";
        client.execute(sql, &[&position]).await.map_err(failed)?;
    }
    Ok(())
}

/// What follows from one event.
async fn react(engine: &Engine, event: &Occurred) -> Result<(), Error> {
    let tenant = event.tenant_id;
    match &event.event {
        Event::Profile(
            profile::Event::RolesAssigned { .. }
            | profile::Event::DepartmentsAssigned { .. }
            | profile::Event::ProfileDeactivated {},
        ) => cut_emulations(engine, event, Some(event.stream_id)).await,
        Event::Profile(profile::Event::ProfileDeleted {}) => {
            cut_emulations(engine, event, Some(event.stream_id)).await?;
            end_what_was_owned(engine, event).await
        }
        Event::Tenant(tenant::Event::RoleDefined { .. }) => {
            cut_emulations(engine, event, None).await
        }
        Event::Tenant(tenant::Event::RoleRemoved { key }) => {
            cut_emulations(engine, event, None).await?;
            let role = Gone::Role(key.clone());
            pull_from_profiles(engine, tenant, event, &role).await
        }
        Event::Tenant(tenant::Event::DepartmentRemoved { key }) => {
            let id = crate::domain::ids::catalogue_id(tenant, "department", key);
            let department = Gone::Department(DepartmentId(id));
            pull_from_profiles(engine, tenant, event, &department).await
        }
        _ => Ok(()),
    }
}

/// Judges anew the live emulations of a tenant: those by or of a profile, or all. The profile is
/// judged as the event left it, even if it was changed back since.
async fn cut_emulations(
    engine: &Engine,
    cause: &Occurred,
    profile: Option<Uuid>,
) -> Result<(), Error> {
    let client = engine.connection().await?;
    let rows = deadlines::read::emulations(&client, cause.tenant_id.0, profile).await;
    let rows = rows.map_err(|error| Error::of_statement("reading emulations", error))?;
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
struct Seen {
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
    cut(engine, tenant, session, engine.followed(), None).await
}

async fn cut(
    engine: &Engine,
    tenant: TenantId,
    session: SessionId,
    cause: i64,
    seen: Option<Seen>,
) -> Result<(), Error> {
    let done = command(engine, tenant, "emulation", "cut_emulation", cause, move |decision| {
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

/// Ends the sessions and closes the drafts of a profile that was deleted.
async fn end_what_was_owned(engine: &Engine, cause: &Occurred) -> Result<(), Error> {
    loop {
        let client = engine.connection().await?;
        let (tenant, owner) = (cause.tenant_id.0, cause.stream_id);
        let rows = deadlines::read::of_subject(&client, tenant, owner, DEADLINES_AT_ONCE).await;
        let rows = rows.map_err(|error| Error::of_statement("reading what it owned", error))?;
        drop(client);
        if rows.is_empty() {
            return Ok(());
        }
        for row in &rows {
            end(engine, row, cause.position, "owner_deleted").await?;
        }
        wait_for_folds(engine).await?;
    }
}

async fn react_to_time(engine: &Engine) -> Result<(), Error> {
    let client = engine.connection().await?;
    let rows = deadlines::read::passed(&client, Utc::now(), DEADLINES_AT_ONCE).await;
    let rows = rows.map_err(|error| Error::of_statement("reading deadlines", error))?;
    let live = deadlines::read::emulation_count(&client).await;
    let live = live.map_err(|error| Error::of_statement("counting emulations", error))?;
    drop(client);
    gauge!("dossier_emulations_active").set(live as f64);
    for row in &rows {
        end(engine, row, row.version, "expired").await?;
    }
    if !rows.is_empty() {
        wait_for_folds(engine).await?;
    }
    Ok(())
}

/// So that the next look at the read models does not see what was just done.
async fn wait_for_folds(engine: &Engine) -> Result<(), Error> {
    let head = engine.reader.head().await?;
    engine.projections.wait_folded(head, super::FOLD_WAIT_MAX).await;
    Ok(())
}

/// Ends what a deadline is about.
async fn end(
    engine: &Engine,
    row: &deadlines::Row,
    cause: i64,
    reason: &'static str,
) -> Result<(), Error> {
    let (tenant, id) = (TenantId(row.tenant_id), row.stream_id);
    match Area::named(&row.area) {
        Some(Area::Emulation) => cut(engine, tenant, SessionId(id), cause, None).await,
        Some(Area::Session) => {
            let done = command(engine, tenant, "session", "end_session", cause, move |decision| {
                Box::pin(async move {
                    let state = decision.load::<session::Session>(id).await?.state;
                    let command = session::Command::EndSession { reason };
                    let events = session::decide(&state, command).unwrap_or_default();
                    decision.append::<session::Session>(id, events, None)?;
                    Ok(())
                })
            });
            done.await
        }
        Some(Area::Draft) => {
            let done = command(engine, tenant, "draft", "close_draft", cause, move |decision| {
                Box::pin(async move {
                    let state = decision.load::<draft::Draft>(id).await?.state;
                    let events = draft::decide(&state, draft::Command::CloseDraft { reason });
                    decision.append::<draft::Draft>(id, events.unwrap_or_default(), None)?;
                    Ok(())
                })
            });
            done.await
        }
        Some(Area::Export) => {
            engine.remove_file(id).await?;
            let done = command(engine, tenant, "export", "purge_export", cause, move |decision| {
                Box::pin(async move {
                    let state = decision.load::<export::Export>(id).await?.state;
                    let events = export::decide(&state, export::Command::PurgeExport);
                    decision.append::<export::Export>(id, events.unwrap_or_default(), None)?;
                    Ok(())
                })
            });
            done.await
        }
        Some(Area::Tenant | Area::Profile | Area::Access | Area::Operation) | None => Ok(()),
    }
}

/// What a tenant's catalogue no longer has.
#[derive(Clone)]
enum Gone {
    Role(String),
    Department(DepartmentId),
}

/// Takes what is gone from every profile that still has it.
async fn pull_from_profiles(
    engine: &Engine,
    tenant: TenantId,
    cause: &Occurred,
    gone: &Gone,
) -> Result<(), Error> {
    let mut after = Uuid::nil();
    loop {
        let client = engine.connection().await?;
        let page = profiles_view::read::page(&client, tenant.0, after, PROFILES_AT_ONCE).await;
        let page = page.map_err(|error| Error::of_statement("reading profiles", error))?;
        drop(client);
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        let has = |row: &profiles_view::Row| match gone {
            Gone::Role(key) => row.role_keys.contains(key),
            Gone::Department(id) => row.department_ids.contains(&id.0),
        };
        for row in page.iter().filter(|row| has(row)) {
            pull(engine, tenant, row.id, cause.position, gone.clone()).await?;
        }
    }
}

async fn pull(
    engine: &Engine,
    tenant: TenantId,
    id: Uuid,
    cause: i64,
    gone: Gone,
) -> Result<(), Error> {
    let done = command(engine, tenant, "profile", "pull_removed", cause, move |decision| {
        let gone = gone.clone();
        Box::pin(async move {
            let catalogue = decision.load::<tenant::Tenant>(decision.tenant.0).await?.state;
            let profile = decision.load::<Profile>(id).await?.state;
            let Some(facts) = profile.live() else { return Ok(()) };
            // Defined again meanwhile: then it is not gone.
            let order = match &gone {
                Gone::Role(key) if catalogue.role(key).is_none() => {
                    let roles = facts.roles.iter().filter(|role| *role != key);
                    let roles = roles.map(|key| RankedRole {
                        key: key.clone(),
                        rank: catalogue.rank(key).unwrap_or_default(),
                    });
                    profile::Command::AssignRoles { roles: roles.collect() }
                }
                Gone::Department(gone) if catalogue.department(*gone).is_none() => {
                    let departments = facts.departments.iter().filter(|one| *one != gone);
                    profile::Command::AssignDepartments {
                        departments: departments.copied().collect(),
                    }
                }
                Gone::Role(_) | Gone::Department(_) => return Ok(()),
            };
            let rank = |key: &str| catalogue.rank(key);
            let by = Authority::Operator;
            let events = profile::decide(ProfileId(id), &profile, &by, rank, order);
            decision.append::<Profile>(id, events.unwrap_or_default(), None)?;
            Ok(())
        })
    });
    done.await
}

/// Issues one command as the system.
async fn command<'e>(
    engine: &'e Engine,
    tenant: TenantId,
    area: &'static str,
    reaction: &'static str,
    cause: i64,
    decide: impl for<'d> Fn(
        &'d mut Decision<'e>,
    ) -> futures_util::future::BoxFuture<
        'd,
        Result<(), Halt<std::convert::Infallible>>,
    > + Send
    + Sync,
) -> Result<(), Error> {
    let request_id = derived(&[reaction.as_bytes(), tenant.0.as_bytes(), &cause.to_be_bytes()]);
    let id = derived(&[b"system", reaction.as_bytes()]);
    let envelope = Envelope {
        request_id,
        correlation_id: request_id,
        session_id: None,
        real_actor_kind: "system",
        real_actor_id: id,
        real_actor_name: Some("reactions".to_owned()),
        effective_actor_id: id,
        emulation: vec![],
        operation: reaction,
        channel: "system",
        face: "none",
        client_address: None,
        user_agent: None,
        reason: None,
    };
    let order = Order { tenant, envelope: Arc::new(envelope), area, priority: Priority::Reaction };
    let executed = engine.execute(&order, decide).await;
    let outcome = match &executed {
        Ok(executed) if executed.position.is_some() => "done",
        Ok(_) => "unchanged",
        Err(_) => "failed",
    };
    counter!("dossier_reactions_total", "reaction" => reaction, "outcome" => outcome).increment(1);
    match executed {
        // A conflict means that somebody else is at it; the next round sees what is left.
        Ok(_) | Err(Halt::Failed(Error::Conflict(_))) => Ok(()),
        Err(Halt::Failed(error)) => Err(error),
        Err(Halt::Refused(never)) => match never {},
    }
}

/// Removes operational state whose time is up.
async fn sweep(engine: &Engine) -> Result<(), Error> {
    let failed = |error| Error::of_statement("sweeping", error);
    let client = engine.connection().await?;
    for sql in [
        "delete from ops.idempotent_answers where expires_at < clock_timestamp()",
        "delete from ops.export_files where expires_at < clock_timestamp()",
        "delete from ops.request_counters where day < (now() at time zone 'utc')::date - 7",
        "delete from log.claims where expires_at < clock_timestamp() - interval '1 hour'",
    ] {
        client.execute(sql, &[]).await.map_err(failed)?;
    }
    Ok(())
}
