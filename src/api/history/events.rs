//! GET /api/v1/events: every event of the tenant, for auditors.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Utc};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::reading_actor;
use crate::api::people::answer::Answer;
use crate::api::people::call::{Call, instant};
use crate::api::people::failure::Failure;
use crate::projections::audit_log::read::Filter;

use super::entry::EventPage;
use super::error::Problem;
use super::page::{Asked, PageParameters};
use super::query::{Query, name};

/// Which events are wanted.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventParameters {
    /// Id of the aggregate: of a profile, a draft, a session, …
    pub stream: Option<Uuid>,
    /// For example `ProfileRenamed`.
    #[param(max_length = 100)]
    pub name: Option<String>,
    /// For example `update`, `emulate`, `import`.
    #[param(max_length = 100)]
    pub operation: Option<String>,
    /// The real actor.
    pub real_actor: Option<Uuid>,
    /// The effective actor.
    pub effective_actor: Option<Uuid>,
    /// Recorded at this time (RFC 3339) or later.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time (RFC 3339).
    pub until: Option<DateTime<Utc>>,
}

impl EventParameters {
    fn take(query: &mut Query) -> EventParameters {
        EventParameters {
            stream: query.one("stream", str::parse),
            name: query.one("name", name),
            operation: query.one("operation", name),
            real_actor: query.one("real_actor", str::parse),
            effective_actor: query.one("effective_actor", str::parse),
            from: query.one("from", instant),
            until: query.one("until", instant),
        }
    }
}

/// The events of the tenant, by any of their envelope's parts.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "list_events",
    tag = "history",
    params(EventParameters, PageParameters),
    responses((status = 200, body = EventPage))
)]
pub async fn events(
    State(app): State<Arc<App>>,
    Asked(mut query): Asked,
    call: Call,
) -> Result<Answer, Problem> {
    let actor = reading_actor(&app, &call).await?;
    Failure::unless(actor.is_auditor(), "only auditors read all events")?;
    let wanted = PageParameters::take(&mut query);
    let asked = EventParameters::take(&mut query);
    query.finish()?;
    let range = wanted.range(&app, actor.tenant())?;
    let filter = Filter {
        stream_id: asked.stream,
        name: asked.name,
        operation: asked.operation,
        real_actor_id: asked.real_actor,
        effective_actor_id: asked.effective_actor,
        from: asked.from,
        until: asked.until,
    };
    let page = app.engine.events(actor.tenant(), &filter, range).await?;
    let page = EventPage::of(&app, actor.tenant(), &wanted, page).await?;
    Ok(actor.answer(&app, &page)?.validated(&call))
}
