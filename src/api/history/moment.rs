//! The moment that a request asks about (History contract 0.4).

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::Actor;
use crate::api::people::call::instant;
use crate::api::people::failure::Failure;
use crate::engine::past::moment::Moment;

use super::query::Query;

/// The moment asked about; now if none of these is given.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MomentParameters {
    /// After all that was recorded at or before this time (RFC 3339).
    pub as_of: Option<DateTime<Utc>>,
    /// After the entry of the log with this token.
    pub at: Option<String>,
    /// After this many events of the profile.
    #[param(minimum = 0)]
    pub at_version: Option<i64>,
}

/// The last entry of the tenant's log at the moment that an answer is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MomentShown {
    /// When that entry was recorded; null if the log had none.
    pub as_of: Option<DateTime<Utc>>,
    /// With `at=` of this, the same question has the same answer for ever.
    pub token: String,
}

impl MomentShown {
    /// The moment as callers see it.
    pub fn new(app: &App, moment: &Moment) -> MomentShown {
        MomentShown {
            as_of: moment.last.map(|(_, recorded_at)| recorded_at),
            token: token_of(app, moment),
        }
    }
}

/// The token of the last entry of the tenant's log at this moment.
pub fn token_of(app: &App, moment: &Moment) -> String {
    let position = moment.last.map_or(0, |(position, _)| position);
    app.engine.seal_position(moment.tenant, position)
}

impl MomentParameters {
    /// Takes these from a query.
    pub fn take(query: &mut Query) -> MomentParameters {
        let asked = MomentParameters {
            as_of: query.one("as_of", instant),
            at: query.one("at", |text| Ok::<_, String>(text.to_owned())),
            at_version: query.one("at_version", version),
        };
        let MomentParameters { as_of, at, at_version } = &asked;
        if [as_of.is_some(), at.is_some(), at_version.is_some()].iter().filter(|it| **it).count()
            > 1
        {
            query.mistake("at", &"only one of as_of, at and at_version may be given");
        }
        asked
    }

    /// The moment; `profile` is whose versions `at_version` counts.
    ///
    /// # Errors
    /// [`Failure::InTheFuture`], [`Failure::InvalidPosition`], [`Failure::PositionAhead`],
    /// [`Failure::NoSuchVersion`].
    pub async fn find(&self, app: &App, actor: &Actor, profile: Uuid) -> Result<Moment, Failure> {
        if self.at_version.is_none() {
            let asked = DirectoryMoment { as_of: self.as_of, at: self.at.clone() };
            return asked.find(app, actor).await;
        }
        let now = app.engine.moment(actor.tenant(), actor.position).await?;
        match self.at_version {
            Some(version) => after_version(app, now, profile, version).await,
            None => Ok(now),
        }
    }
}

/// The moment asked about, of the whole directory; now if neither is given.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DirectoryMoment {
    /// After all that was recorded at or before this time (RFC 3339).
    pub as_of: Option<DateTime<Utc>>,
    /// After the entry of the log with this token.
    pub at: Option<String>,
}

impl DirectoryMoment {
    /// Takes these from a query.
    pub fn take(query: &mut Query) -> DirectoryMoment {
        let asked = DirectoryMoment {
            as_of: query.one("as_of", instant),
            at: query.one("at", |text| Ok::<_, String>(text.to_owned())),
        };
        if asked.as_of.is_some() && asked.at.is_some() {
            query.mistake("at", &"only one of as_of and at may be given");
        }
        asked
    }

    /// The moment.
    ///
    /// # Errors
    /// [`Failure::InTheFuture`], [`Failure::InvalidPosition`], [`Failure::PositionAhead`].
    pub async fn find(&self, app: &App, actor: &Actor) -> Result<Moment, Failure> {
        match (self.as_of, &self.at) {
            (Some(as_of), _) => as_of_instant(app, actor, as_of).await,
            (None, Some(token)) => at_token(app, actor, token).await,
            (None, None) => Ok(app.engine.moment(actor.tenant(), actor.position).await?),
        }
    }
}

/// A number of events.
///
/// # Errors
/// Says what is expected.
pub fn version(text: &str) -> Result<i64, &'static str> {
    let version = text.parse().ok().filter(|version: &i64| *version >= 0);
    version.ok_or("a number of events is expected")
}

/// The moment after all that was recorded at or before a time.
///
/// # Errors
/// [`Failure::InTheFuture`].
pub async fn as_of_instant(
    app: &App,
    actor: &Actor,
    instant: DateTime<Utc>,
) -> Result<Moment, Failure> {
    let moment = app.engine.moment_as_of(actor.tenant(), instant).await?;
    moment.ok_or(Failure::InTheFuture)
}

/// The moment after the entry with this token.
///
/// # Errors
/// [`Failure::InvalidPosition`], [`Failure::PositionAhead`].
pub async fn at_token(app: &App, actor: &Actor, token: &str) -> Result<Moment, Failure> {
    let position = app.engine.open_position(actor.tenant(), token);
    let position = position.map_err(|error| Failure::InvalidPosition(error.to_string()))?;
    if position > actor.position && position > app.engine.head().await? {
        return Err(Failure::PositionAhead);
    }
    Ok(app.engine.moment(actor.tenant(), position).await?)
}

/// The moment after so many events of a profile. After none of them, it is the moment before the
/// first.
///
/// # Errors
/// [`Failure::NoSuchVersion`].
pub async fn after_version(
    app: &App,
    now: Moment,
    profile: Uuid,
    version: i64,
) -> Result<Moment, Failure> {
    let position = app.engine.position_of_version(now, profile, version.max(1)).await?;
    let position = position.ok_or(Failure::NoSuchVersion)?;
    let position = if version == 0 { position - 1 } else { position };
    Ok(app.engine.moment(now.tenant, position).await?)
}
