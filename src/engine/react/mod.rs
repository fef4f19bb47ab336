//! Reactions to events and to deadlines: a loop with a checkpoint that gives ordinary orders, at
//! lower priority than callers. Reacting twice changes nothing more, so any process may do it.
//! Readers never depend on it.

mod deadlines;
mod emulations;
pub mod profiles;
pub mod sweep;

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;

use crate::domain::ids::{ProfileId, TenantId, derived};
use crate::domain::{Event, Occurred, access, profile, session, tenant};
use crate::store::{Doing, Envelope, Error, Priority};

use super::Engine;
use super::occurred::occurred;
use super::write::execute::{Change, CommandContext};
use super::write::halt::Ordered;

pub use emulations::cut_dead_layers;

/// How often to look for due deadlines and new events.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Events in one round.
const EVENTS_AT_ONCE: i64 = 1_000;
/// The actor's kind in the envelopes of reactions.
const SYSTEM: &str = "system";
/// How often expired operational state is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Reacts until the engine stops.
pub async fn run(engine: Arc<Engine>) {
    tokio::join!(follow(&engine), profiles::walk(&engine));
}

async fn follow(engine: &Engine) {
    let stopping = engine.stopping();
    let mut swept = std::time::Instant::now() - SWEEP_EVERY;
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            _ = look.tick() => {}
        }
        // One after the other; a failure of one does not stop the next.
        let round = async {
            report(react_to_log(engine).await);
            report(deadlines::react_to_time(engine).await);
            if swept.elapsed() >= SWEEP_EVERY {
                sweep::sweep(engine).await;
                swept = std::time::Instant::now();
            }
        };
        tokio::select! {
            () = stopping.cancelled() => return,
            () = round => {}
        }
    }
}

fn report(done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::warn!(error = %error, "could not react, trying again");
        counter!("dossier_reactions_total", "reaction" => "round", "outcome" => "failed")
            .increment(1);
    }
}

async fn react_to_log(engine: &Engine) -> Result<(), Error> {
    let client = engine.connection().await?;
    let sql = "select position from ops.reactions where reaction = 'log'";
    let row = client.query_opt(sql, &[]).await.doing("reading how far was reacted")?;
    let mut position: i64 = row.map_or(0, |row| row.get(0));
    drop(client);
    // Only events that the read models show already, since they are queried below.
    let folded = engine.readable();
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
            on conflict (reaction) do update
            set position = greatest(reactions.position, excluded.position)";
        client.execute(sql, &[&position]).await.doing("reading how far was reacted")?;
    }
    Ok(())
}

/// Reacts to one event.
async fn react(engine: &Engine, event: &Occurred) -> Result<(), Error> {
    match &event.event {
        Event::Profile(
            profile::Event::RolesAssigned { .. }
            | profile::Event::DepartmentsAssigned { .. }
            | profile::Event::ProfileDeactivated {},
        ) => emulations::cut_emulations(engine, event, Some(event.stream_id)).await,
        Event::Profile(profile::Event::ProfileDeleted {}) => {
            emulations::cut_emulations(engine, event, Some(event.stream_id)).await?;
            deadlines::end_owned(engine, event).await?;
            engine.forget_password(event.tenant_id, ProfileId(event.stream_id)).await
        }
        Event::Session(session::Event::SessionEnded { .. })
        | Event::Access(access::Event::AccessTokenDeleted {}) => {
            engine.forget_secret(event.tenant_id, event.stream_id).await
        }
        Event::Tenant(fact) => {
            if matches!(fact, tenant::Event::RoleDefined { .. } | tenant::Event::RoleRemoved { .. })
            {
                emulations::cut_emulations(engine, event, None).await?;
            }
            profiles::plan(engine, event, fact).await
        }
        _ => Ok(()),
    }
}

/// The next query of the read models then shows what was just done.
async fn wait_for_folds(engine: &Engine) -> Result<(), Error> {
    let head = engine.reader.head().await?;
    engine.wait_readable(head, super::FOLD_WAIT_MAX).await;
    Ok(())
}

/// Gives one order as the system. A conflict means that another process is doing the same: the next
/// round sees what is left.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Corrupt`].
pub async fn command<C: Change>(
    engine: &Engine,
    tenant: TenantId,
    area: &'static str,
    reaction: &'static str,
    cause: i64,
    change: &C,
) -> Result<(), Error> {
    match issue_or_conflict(engine, tenant, area, reaction, cause, change).await {
        Err(Error::Conflict(_)) => Ok(()),
        done => done,
    }
}

/// Gives one order as the system, without a next round. A refusal means that nothing is left to do.
///
/// # Errors
/// Also [`Error::Conflict`].
pub async fn issue_or_conflict<C: Change>(
    engine: &Engine,
    tenant: TenantId,
    area: &'static str,
    reaction: &'static str,
    cause: i64,
    change: &C,
) -> Result<(), Error> {
    let request_id = derived(&[reaction.as_bytes(), tenant.0.as_bytes(), &cause.to_be_bytes()]);
    let id = derived(&[b"system", reaction.as_bytes()]);
    let envelope = Envelope {
        request_id,
        correlation_id: request_id,
        session_id: None,
        real_actor_kind: SYSTEM,
        real_actor_id: id,
        real_actor_name: Some("reactions".to_owned()),
        effective_actor_id: id,
        emulation: vec![],
        grant_id: None,
        operation: reaction,
        channel: "system",
        face: "none",
        client_address: None,
        user_agent: None,
        reason: None,
    };
    let (envelope, priority) = (Arc::new(envelope), Priority::Reaction);
    let context = CommandContext { tenant, envelope, area, priority };
    let executed = engine.execute(&context, change).await.decided();
    let outcome = match &executed {
        Ok(Ok(executed)) if executed.position.is_some() => "done",
        Ok(_) => "unchanged",
        Err(_) => "failed",
    };
    counter!("dossier_reactions_total", "reaction" => reaction, "outcome" => outcome).increment(1);
    executed.map(|_| ())
}
