//! GET /api/v1/events: all that happened in the tenant, for superadmins.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use chrono::{DateTime, Datelike, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::api::actor::reader;
use crate::api::answer::Answer;
use crate::api::app::App;
use crate::api::call::Call;
use crate::api::failure::Failure;
use crate::projections::audit_log::read::Filter;

use super::error::Problem;
use super::types::{EventOrder, EventPage, PageParameters, invalid_query};

/// Longest name of an event or operation, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// Which events, which way round, and how far.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventParameters {
    /// Id of the aggregate: of a profile, a draft, a session, …
    #[param(value_type = Option<String>)]
    pub stream: Option<Uuid>,
    /// As `ProfileRenamed`.
    pub name: Option<String>,
    /// As `update`, `emulate`, `import`.
    pub operation: Option<String>,
    /// Who really did it.
    #[param(value_type = Option<String>)]
    pub real_actor: Option<Uuid>,
    /// As whom it was done.
    #[param(value_type = Option<String>)]
    pub effective_actor: Option<Uuid>,
    /// Recorded at this time (RFC 3339) or later.
    #[param(value_type = Option<String>)]
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time (RFC 3339).
    #[param(value_type = Option<String>)]
    pub until: Option<DateTime<Utc>>,
    /// `newest` (first) or `oldest` (first).
    #[serde(default)]
    #[param(inline)]
    pub order: EventOrder,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// 1 to 500; 50 by default.
    pub limit: Option<i64>,
}

/// The events of the tenant, by any of their envelope's parts.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "list_events",
    tag = "history",
    params(EventParameters),
    responses((status = 200, body = EventPage))
)]
pub async fn events(
    State(app): State<Arc<App>>,
    parameters: Result<Query<EventParameters>, QueryRejection>,
    call: Call,
) -> Result<Answer, Problem> {
    let actor = reader(&app, &call).await?;
    if !actor.effective.is_superadmin() {
        return Err(Failure::Forbidden("only superadmins read all events").into());
    }
    let Query(asked) = parameters.map_err(|error| invalid_query("filter", &error.body_text()))?;
    let page = PageParameters { order: asked.order, cursor: asked.cursor, limit: asked.limit };
    let range = page.range(&app, actor.tenant())?;
    let filter = Filter {
        stream_id: asked.stream,
        name: checked("name", asked.name)?,
        operation: checked("operation", asked.operation)?,
        real_actor_id: asked.real_actor,
        effective_actor_id: asked.effective_actor,
        from: in_calendar("from", asked.from)?,
        until: in_calendar("until", asked.until)?,
    };
    let page = app.engine.events(actor.tenant(), &filter, range).await?;
    Ok(actor.answer(&app, &EventPage::new(&app, actor.tenant(), page)?)?)
}

/// A time that the database can hold.
fn in_calendar(field: &str, time: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>, Failure> {
    match time {
        Some(time) if !(1..=9999).contains(&time.year()) => {
            Err(invalid_query(field, "a year between 1 and 9999"))
        }
        time => Ok(time),
    }
}

fn checked(field: &str, name: Option<String>) -> Result<Option<String>, Failure> {
    let odd = |name: &String| name.len() > NAME_BYTES_MAX || name.contains('\0');
    if name.as_ref().is_some_and(odd) {
        return Err(invalid_query(field, "at most 100 bytes and no NUL"));
    }
    Ok(name)
}
