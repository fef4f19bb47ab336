//! GET /api/v1/events: every event of the tenant, one of them, and how many there are, for auditors
//! (History contract 2).

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::{Actor, reading_actor};
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;

use super::entry::{EventEntry, EventPage};
use super::error::Problem;
use super::filter::{EventParameters, too_broad};
use super::moment::{DirectoryMoment, MomentShown, token_of};
use super::page::{Asked, PageParameters};

/// The actor of a request that only auditors may make.
///
/// # Errors
/// Those of [`reading_actor`]; [`Failure::Forbidden`].
pub async fn auditor(app: &App, call: &Call) -> Result<Actor, Failure> {
    let actor = reading_actor(app, call).await?;
    Failure::unless(actor.is_auditor(), "only auditors may ask this")?;
    Ok(actor)
}

/// The events of the tenant, by any of their envelope's parts.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "list_events",
    tag = "history",
    params(EventParameters, PageParameters),
    responses(
        (status = 200, body = EventPage),
        (status = 304, description = "As the ETag of If-None-Match"),
        (status = 422),
    )
)]
pub async fn events(
    State(app): State<Arc<App>>,
    Asked(mut query): Asked,
    call: Call,
) -> Result<Answer, Problem> {
    let actor = auditor(&app, &call).await?;
    let asked = PageParameters::take(&mut query);
    let wanted = EventParameters::take(&mut query).wanted();
    query.finish()?;
    let range = asked.range(&app, actor.tenant())?;
    let page = app.engine.events(actor.tenant(), &wanted, range).await.map_err(too_broad)?;
    let page = EventPage::of(&app, actor.tenant(), &asked, page).await?;
    Ok(actor.answer(&app, &page)?.validated(&call))
}

/// One event.
#[utoipa::path(
    get,
    path = "/api/v1/events/{event_id}",
    operation_id = "get_event",
    tag = "history",
    params(("event_id" = String, Path)),
    responses(
        (status = 200, body = EventEntry),
        (status = 304, description = "As the ETag of If-None-Match"),
        (status = 404),
        (status = 422),
    )
)]
pub async fn event(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    Asked(query): Asked,
    call: Call,
) -> Result<Answer, Problem> {
    let actor = auditor(&app, &call).await?;
    query.finish()?;
    let id = path.ok().and_then(|Path(id)| id.parse::<Uuid>().ok());
    let id = id.ok_or(Failure::EventNotFound)?;
    let event = app.engine.event(actor.tenant(), id).await?.ok_or(Failure::EventNotFound)?;
    let entry = EventEntry::all(&app, vec![event]).await?.pop().ok_or(Failure::Internal)?;
    Ok(actor.answer(&app, &entry)?.validated(&call))
}

/// How many events there are.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventCount {
    pub count: i64,
    pub moment: MomentShown,
}

/// How many events of the tenant there were, exactly.
#[utoipa::path(
    get,
    path = "/api/v1/events/count",
    operation_id = "count_events",
    tag = "history",
    params(EventParameters, DirectoryMoment),
    responses(
        (status = 200, body = EventCount),
        (status = 304, description = "As the ETag of If-None-Match"),
        (status = 409),
        (status = 422),
    )
)]
pub async fn count(
    State(app): State<Arc<App>>,
    Asked(mut query): Asked,
    call: Call,
) -> Result<Answer, Problem> {
    let actor = auditor(&app, &call).await?;
    let moment = DirectoryMoment::take(&mut query);
    let wanted = EventParameters::take(&mut query).wanted();
    query.finish()?;
    let moment = moment.find(&app, &actor).await?;
    let count = app.engine.count_events(moment, &wanted).await.map_err(too_broad)?;
    let shown = EventCount { count, moment: MomentShown::new(&app, &moment) };
    Ok(Answer::ok(&shown)?.with("dossier-position", token_of(&app, &moment)).validated(&call))
}
