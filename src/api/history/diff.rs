//! GET /api/v1/profiles/{id}/diff: what differs between two moments of a person, and who changed it
//! (History contract 1).

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::{Actor, reading_actor};
use crate::api::people::answer::Answer;
use crate::api::people::call::{Call, instant};
use crate::api::people::failure::Failure;
use crate::domain::profile::{Past, State as ProfileState, changes};
use crate::engine::past::moment::Moment;

use super::entry::{FieldChange, Mark};
use super::error::Problem;
use super::moment::{after_version, as_of_instant, at_token, token_of, version};
use super::page::Asked;
use super::query::Query;
use super::visible::visible_profile;

/// Most events that are told of a field.
const EVENTS_MAX: usize = 50;

/// The two moments. Without a first one it is the time before the beginning, without a second one
/// it is now.
#[derive(Clone, Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DiffParameters {
    /// A time (RFC 3339).
    pub from: Option<DateTime<Utc>>,
    /// A time (RFC 3339).
    pub to: Option<DateTime<Utc>>,
    /// A number of events of the profile.
    #[param(minimum = 0)]
    pub from_version: Option<i64>,
    /// A number of events of the profile.
    #[param(minimum = 0)]
    pub to_version: Option<i64>,
    /// The token of an entry of the log.
    pub from_token: Option<String>,
    /// The token of an entry of the log.
    pub to_token: Option<String>,
}

/// One end of a comparison.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DiffEnd {
    /// How many events the profile had.
    pub version: i64,
    /// When the last entry of the tenant's log was recorded; null before the beginning.
    pub as_of: Option<DateTime<Utc>>,
    /// The token of that entry; null before the beginning.
    pub token: Option<String>,
}

/// A field that differs, and the events in between that changed it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DiffChange {
    #[serde(flatten)]
    pub change: FieldChange,
    /// The oldest first; at most 50.
    pub events: Vec<Mark>,
    /// Whether there were more.
    pub more: bool,
}

/// What differs between two moments.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileDiff {
    pub id: Uuid,
    pub from: DiffEnd,
    pub to: DiffEnd,
    /// One for each field that differs at the two ends, sorted by field.
    pub changes: Vec<DiffChange>,
}

impl DiffParameters {
    fn take(query: &mut Query) -> DiffParameters {
        let token = |text: &str| Ok::<_, String>(text.to_owned());
        let asked = DiffParameters {
            from: query.one("from", instant),
            to: query.one("to", instant),
            from_version: query.one("from_version", version),
            to_version: query.one("to_version", version),
            from_token: query.one("from_token", token),
            to_token: query.one("to_token", token),
        };
        let kinds = [
            asked.from.is_some() || asked.to.is_some(),
            asked.from_version.is_some() || asked.to_version.is_some(),
            asked.from_token.is_some() || asked.to_token.is_some(),
        ];
        if kinds.iter().filter(|given| **given).count() > 1 {
            query.mistake("from", &"give both ends as times, both as versions or both as tokens");
        }
        asked
    }

    async fn find(
        &self,
        app: &App,
        actor: &Actor,
        id: Uuid,
    ) -> Result<(Option<Moment>, Moment), Failure> {
        let now = app.engine.moment(actor.tenant(), actor.position).await?;
        let from = end(app, actor, now, id, self.from, self.from_version, &self.from_token);
        let to = end(app, actor, now, id, self.to, self.to_version, &self.to_token);
        let (from, to) = (from.await?, to.await?.unwrap_or(now));
        if from.is_some_and(|from| from.position > to.position) {
            return Err(Failure::RangeReversed);
        }
        Ok((from, to))
    }
}

async fn end(
    app: &App,
    actor: &Actor,
    now: Moment,
    id: Uuid,
    time: Option<DateTime<Utc>>,
    version: Option<i64>,
    token: &Option<String>,
) -> Result<Option<Moment>, Failure> {
    match (time, version, token) {
        (Some(time), _, _) => as_of_instant(app, actor, time).await.map(Some),
        (_, Some(version), _) => after_version(app, now, id, version).await.map(Some),
        (_, _, Some(token)) => at_token(app, actor, token).await.map(Some),
        (None, None, None) => Ok(None),
    }
}

/// What differs between two moments of a profile, and which events changed it.
#[utoipa::path(
    get,
    path = "/api/v1/profiles/{id}/diff",
    operation_id = "get_profile_diff",
    tag = "history",
    params(("id" = String, Path), DiffParameters),
    responses(
        (status = 200, body = ProfileDiff),
        (status = 304, description = "As the ETag of If-None-Match"),
        (status = 404),
        (status = 409),
        (status = 422),
    )
)]
pub async fn diff(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    Asked(mut query): Asked,
    call: Call,
) -> Result<Answer, Problem> {
    let actor = reading_actor(&app, &call).await?;
    let id = visible_profile(&app, &actor, path).await?;
    let asked = DiffParameters::take(&mut query);
    query.finish()?;
    let (from, to) = asked.find(&app, &actor, id).await?;
    let before = match from {
        Some(from) => app.engine.profile_at(from, id).await?,
        None => Past::default(),
    };
    let after = app.engine.profile_at(to, id).await?;
    let shown = ProfileDiff {
        id,
        from: DiffEnd {
            version: before.version,
            as_of: from.and_then(|from| from.last).map(|(_, recorded_at)| recorded_at),
            token: from.filter(|from| from.last.is_some()).map(|from| token_of(&app, &from)),
        },
        to: DiffEnd {
            version: after.version,
            as_of: to.last.map(|(_, recorded_at)| recorded_at),
            token: Some(token_of(&app, &to)),
        },
        changes: explained(&app, id, (from, &before.state), (to, &after.state)).await?,
    };
    Ok(Answer::ok(&shown)?.with("dossier-position", token_of(&app, &to)).validated(&call))
}

/// The fields that differ, with the events that changed them in between.
async fn explained(
    app: &App,
    id: Uuid,
    (from, before): (Option<Moment>, &ProfileState),
    (to, after): (Moment, &ProfileState),
) -> Result<Vec<DiffChange>, Failure> {
    let changes = changes(before, after);
    let fields: Vec<String> = changes.iter().map(|change| change.field.clone()).collect();
    let after_position = from.map_or(0, |from| from.position);
    let found = app.engine.changed_between(to, id, &fields, after_position, EVENTS_MAX + 1);
    let mut events: HashMap<String, Vec<Mark>> = HashMap::new();
    for (field, event) in &found.await? {
        events.entry(field.clone()).or_default().push(Mark::of(app, event));
    }
    let explained = changes.into_iter().map(|change| {
        let mut events = events.remove(&change.field).unwrap_or_default();
        let more = events.len() > EVENTS_MAX;
        events.truncate(EVENTS_MAX);
        DiffChange { change: change.into(), events, more }
    });
    Ok(explained.collect())
}
