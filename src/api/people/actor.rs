//! As whom a request acts: the real actor, the layers of emulation that are still valid, and the
//! effective profile, whose rights count (contract 1.2.5, 4.11).

use std::sync::Arc;

use uuid::Uuid;

use crate::domain::emulation::{Emulation, Stack};
use crate::domain::ids::{ProfileId, TenantId};
use crate::domain::permission::{Authority, Standing};
use crate::domain::profile::{Facts, Profile, State};
use crate::domain::tenant::{Catalogue, Tenant};
use crate::engine::states::{Cached, Versioned};
use crate::engine::write::decision::Decision;
use crate::engine::{Engine, Envelope, Error, react};

use super::answer::Answer;
use super::call::Call;
use super::failure::Failure;
use super::identity::Identity;
use crate::api::app::App;

/// Reads states: through a decision, which guards them, or without one.
pub trait Load: Send {
    /// The states of these aggregates, in the given order.
    fn states<A: Cached>(
        &mut self,
        ids: &[Uuid],
    ) -> impl Future<Output = Result<Vec<Versioned<A>>, Error>> + Send;
}

impl Load for Decision<'_> {
    async fn states<A: Cached>(&mut self, ids: &[Uuid]) -> Result<Vec<Versioned<A>>, Error> {
        self.load_all::<A>(ids).await
    }
}

/// Reads states for answers that change nothing.
pub struct Look<'e> {
    pub engine: &'e Engine,
    pub tenant: TenantId,
}

impl Load for Look<'_> {
    async fn states<A: Cached>(&mut self, ids: &[Uuid]) -> Result<Vec<Versioned<A>>, Error> {
        self.engine.load_all::<A>(self.tenant, ids).await
    }
}

/// The real actor, the effective profile and its rights.
#[derive(Clone, Debug)]
pub struct Actor {
    pub identity: Identity,
    pub catalogue: Arc<Catalogue>,
    pub real: Standing,
    pub effective: Standing,
    /// The effective profile.
    pub state: Arc<State>,
    pub stack: Arc<Stack>,
    /// The standings of the targets of all recorded layers, outermost first.
    pub targets: Vec<Option<Standing>>,
    /// How many layers, from the outermost, are valid.
    pub depth: usize,
    /// All that is read for the request is at least as new as this position.
    pub position: i64,
}

impl Actor {
    /// The tenant.
    pub fn tenant(&self) -> TenantId {
        self.identity.tenant
    }

    /// The effective profile's id.
    pub fn id(&self) -> ProfileId {
        self.effective.profile
    }

    /// The rights of the effective profile.
    pub fn authority(&self) -> Authority {
        Authority::Profile { effective: self.effective.clone(), real: self.real.profile }
    }

    /// The name of the effective profile.
    pub fn name(&self) -> Option<String> {
        self.facts().and_then(Facts::shown_name)
    }

    /// The state of the effective profile.
    pub fn facts(&self) -> Option<&Facts> {
        self.state.live()
    }

    /// 200 with this body, and the position that it reflects.
    ///
    /// # Errors
    /// [`Failure::Internal`] for a body that cannot be JSON, which no type here is.
    pub fn answer(&self, app: &App, body: &impl serde::Serialize) -> Result<Answer, Failure> {
        let token = app.engine.seal_position(self.tenant(), self.position);
        Ok(Answer::ok(body)?.with("dossier-position", token))
    }

    /// The kinds of artifacts that the effective profile's role opens.
    pub fn artifacts(&self) -> &[String] {
        let role = self.effective.role.as_ref();
        role.and_then(|role| self.catalogue.role(&role.key)).map_or(&[], |role| &role.artifacts)
    }

    /// Whether the effective profile is an auditor: a superadmin, or one with a role that audits
    /// (History contract 0.2).
    pub fn is_auditor(&self) -> bool {
        let roles = self.facts().map_or(&[][..], |facts| &facts.roles);
        let audits = |key: &String| self.catalogue.role(key).is_some_and(|role| role.audits);
        self.effective.is_superadmin() || roles.iter().any(audits)
    }

    /// The rank and departments of another profile.
    pub fn standing_of(&self, id: Uuid, facts: &Facts) -> Standing {
        facts.standing(ProfileId(id), |key| self.catalogue.rank(key))
    }

    /// The envelope of what this actor does.
    pub fn envelope(&self, call: &Call, operation: &'static str) -> Envelope {
        let layers = &self.stack.layers[..self.depth];
        Envelope {
            session_id: Some(self.identity.session.0),
            effective_actor_id: self.effective.profile.0,
            emulation: layers.iter().map(|layer| layer.target.0).collect(),
            grant_id: layers.last().map(|layer| layer.grant_id.0),
            ..call.envelope(self.real.profile, operation)
        }
    }
}

/// Finds the actor of `identity` now: each layer, outermost first, is checked again with the
/// current roles and departments.
///
/// # Errors
/// [`Failure::ProfileNotFound`] when the real actor is deleted; 503 when something cannot be read.
pub async fn resolve_actor(
    load: &mut impl Load,
    identity: &Identity,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Actor, Failure> {
    let unreadable = |_| Failure::IdentityUnavailable;
    let catalogue = one(load.states::<Tenant>(&[identity.tenant.0]).await.map_err(unreadable)?)?;
    let stack = one(load.states::<Emulation>(&[identity.session.0]).await.map_err(unreadable)?)?;
    let mut ids = vec![identity.real.0];
    ids.extend(stack.state.layers.iter().map(|layer| layer.target.0));
    let profiles = load.states::<Profile>(&ids).await.map_err(unreadable)?;
    let rank = |key: &str| catalogue.state.rank(key);
    let mut standings = profiles.iter().zip(&ids).map(|(profile, id)| {
        profile.state.live().map(|facts| facts.standing(ProfileId(*id), rank))
    });
    let real = standings.next().flatten().ok_or(Failure::ProfileNotFound)?;
    let targets: Vec<Option<Standing>> = standings.collect();
    let (depth, _) = stack.state.live(Some(&real), &targets, now);
    let effective = match depth.checked_sub(1).and_then(|last| targets.get(last)) {
        Some(Some(target)) => target.clone(),
        _ => real.clone(),
    };
    let state = profiles.get(depth).map(|profile| profile.state.clone()).unwrap_or_default();
    Ok(Actor {
        identity: identity.clone(),
        catalogue: catalogue.state,
        real,
        effective,
        state,
        stack: stack.state,
        targets,
        depth,
        position: 0,
    })
}

fn one<A: Cached>(mut states: Vec<Versioned<A>>) -> Result<Versioned<A>, Failure> {
    states.pop().ok_or(Failure::IdentityUnavailable)
}

/// The actor of a request that changes nothing: states are as new as the log, the profile is
/// active, the request limit is not used up.
///
/// # Errors
/// 401, 403, 429, 503 of contract 1.1.
pub async fn reading_actor(app: &App, call: &Call) -> Result<Actor, Failure> {
    let identity = super::identity::identify(app, call).await.map_err(deleted_as_forbidden)?;
    let mut actor = current(app, &identity, call).await.map_err(deleted_as_forbidden)?;
    if !actor.real.active {
        return Err(Failure::ProfileInactive);
    }
    if call.counted {
        count_request(app, &actor, call).await?;
    }
    reach_position(app, &actor, call).await?;
    app.engine.catch_up(true).await?;
    actor.position = app.engine.readable();
    Ok(actor)
}

/// Finds the actor of `identity` now. Layers that are no longer valid are recorded as ended before
/// anything is answered, so that they never become valid again.
///
/// # Errors
/// As [`resolve_actor`].
pub async fn current(app: &App, identity: &Identity, call: &Call) -> Result<Actor, Failure> {
    let mut look = Look { engine: &app.engine, tenant: identity.tenant };
    let actor = resolve_actor(&mut look, identity, call.received_at).await?;
    if actor.depth == actor.stack.layers.len() {
        return Ok(actor);
    }
    react::cut_dead_layers(&app.engine, identity.tenant, identity.session).await?;
    resolve_actor(&mut look, identity, call.received_at).await
}

/// Contract 1.2.7: the token of a deleted profile is 404 on context, 403 elsewhere.
pub fn deleted_as_forbidden(failure: Failure) -> Failure {
    match failure {
        Failure::ProfileNotFound => Failure::ProfileInactive,
        other => other,
    }
}

/// Counts the request against the real actor's daily limit.
///
/// # Errors
/// [`Failure::RequestLimitExceeded`].
pub async fn count_request(app: &App, actor: &Actor, call: &Call) -> Result<(), Failure> {
    let real = if actor.depth == 0 {
        actor.state.clone()
    } else {
        app.engine.load::<Profile>(actor.tenant(), actor.real.profile.0).await?.state
    };
    let limit = real.live().and_then(|facts| facts.request_limit.as_ref());
    let Some(limit) = limit.map(|limit| limit.requests_per_day) else { return Ok(()) };
    let now = call.received_at;
    let (tenant, id) = (actor.tenant(), actor.real.profile.0);
    if app.engine.quota.count(tenant, id, limit, now).await? {
        return Ok(());
    }
    let second = u64::from(chrono::Timelike::num_seconds_from_midnight(&now.time()));
    Err(Failure::RequestLimitExceeded { seconds_left: 86_400_u64.saturating_sub(second).max(1) })
}

/// `Dossier-Min-Position`: waits until this process has seen that position.
///
/// # Errors
/// [`Failure::InvalidPosition`], [`Failure::PositionAhead`], [`Failure::Unavailable`].
pub async fn reach_position(app: &App, actor: &Actor, call: &Call) -> Result<(), Failure> {
    let Some(token) = &call.min_position else { return Ok(()) };
    let position = app
        .engine
        .open_position(actor.tenant(), token)
        .map_err(|error| Failure::InvalidPosition(error.to_string()))?;
    if position <= app.engine.followed() {
        return Ok(app.engine.reach(position, true).await?);
    }
    if position > app.engine.head().await? {
        // Tokens are made only for committed positions, and only by the server.
        tracing::error!(
            "A POSITION TOKEN LIES BEYOND THE LOG'S HEAD: the log went back since it was given \
             out; say so with `dossier restore-done`"
        );
        return Err(Failure::PositionAhead);
    }
    Ok(app.engine.reach(position, true).await?)
}
