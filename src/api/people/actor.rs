//! As whom a request acts: the real actor, the layers of emulation that still hold, and the
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

/// Reads states: through a decision, which guards them, or just so.
pub trait Load: Send {
    /// The states of these aggregates, in the order asked.
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

/// Reads states for an answer that changes nothing.
pub struct Look<'e> {
    pub engine: &'e Engine,
    pub tenant: TenantId,
}

impl Load for Look<'_> {
    async fn states<A: Cached>(&mut self, ids: &[Uuid]) -> Result<Vec<Versioned<A>>, Error> {
        self.engine.load_all::<A>(self.tenant, ids).await
    }
}

/// Who acts, as whom, with which rights.
#[derive(Clone, Debug)]
pub struct Actor {
    pub identity: Identity,
    pub catalogue: Arc<Catalogue>,
    pub real: Standing,
    pub effective: Standing,
    /// The effective profile.
    pub state: Arc<State>,
    pub stack: Arc<Stack>,
    /// Standings of the targets of all layers on record, outermost first.
    pub targets: Vec<Option<Standing>>,
    /// How many layers, from the outermost, hold.
    pub depth: usize,
    /// The position that what is read for it is not older than.
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

    /// The rights to decide with.
    pub fn authority(&self) -> Authority {
        Authority::Profile { effective: self.effective.clone(), real: self.real.profile }
    }

    /// What the effective profile is called.
    pub fn name(&self) -> Option<String> {
        self.facts().and_then(Facts::shown_name)
    }

    /// What is true of the effective profile.
    pub fn facts(&self) -> Option<&Facts> {
        self.state.live()
    }

    /// 200 with this body, and the position that it is not older than.
    ///
    /// # Errors
    /// [`Failure::Internal`] for what is no JSON, which no type here is.
    pub fn answer(&self, app: &App, body: &impl serde::Serialize) -> Result<Answer, Failure> {
        let token = app.engine.seal_position(self.tenant(), self.position);
        Ok(Answer::ok(body)?.with("dossier-position", token))
    }

    /// What the effective profile's role opens.
    pub fn artifacts(&self) -> &[String] {
        let role = self.effective.role.as_ref();
        role.and_then(|role| self.catalogue.role(&role.key)).map_or(&[], |role| &role.artifacts)
    }

    /// Where another profile stands.
    pub fn standing_of(&self, id: Uuid, facts: &Facts) -> Standing {
        facts.standing(ProfileId(id), |key| self.catalogue.rank(key))
    }

    /// Who this is, for the log.
    pub fn envelope(&self, call: &Call, operation: &'static str) -> Envelope {
        let layers = &self.stack.layers[..self.depth];
        Envelope {
            session_id: Some(self.identity.session.0),
            effective_actor_id: self.effective.profile.0,
            emulation: layers.iter().map(|layer| layer.target.0).collect(),
            ..call.envelope(self.real.profile, operation)
        }
    }
}

/// Establishes as whom `identity` acts now: walks the stack outermost first, each layer judged
/// anew with the roles and departments of this moment.
///
/// # Errors
/// [`Failure::ProfileNotFound`] when the real actor is gone; 503 when something cannot be read.
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

/// Who acts, for an answer that changes nothing: caught up with the log, active, within the
/// request limit.
///
/// # Errors
/// 401, 403, 429, 503 of contract 1.1.
pub async fn reading_actor(app: &App, call: &Call) -> Result<Actor, Failure> {
    let identity = super::identity::identify(app, call).await.map_err(gone_is_forbidden)?;
    let mut actor = current(app, &identity, call).await.map_err(gone_is_forbidden)?;
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

/// Establishes as whom `identity` acts now. Layers found dead are put on record as ended before
/// anything is answered: what was dead once never comes back to life.
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
pub fn gone_is_forbidden(failure: Failure) -> Failure {
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
    if app.engine.quota.spend(tenant, id, limit, now).await? {
        return Ok(());
    }
    let second = u64::from(chrono::Timelike::num_seconds_from_midnight(&now.time()));
    Err(Failure::RequestLimitExceeded { seconds_left: 86_400_u64.saturating_sub(second).max(1) })
}

/// `Dossier-Min-Position`: answers no sooner than this process has seen that position.
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
        // Tokens are made for what was committed, and nobody else can make them.
        tracing::error!(
            "A POSITION TOKEN LIES BEYOND THE LOG'S HEAD: the log went back since it was given \
             out; say so with `dossier restore-done`"
        );
        return Err(Failure::PositionAhead);
    }
    Ok(app.engine.reach(position, true).await?)
}
