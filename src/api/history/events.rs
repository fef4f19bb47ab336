//! GET /api/v1/events: every event of the tenant, for auditors.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Datelike, Utc};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::actor::reading_actor;
use crate::api::people::answer::Answer;
use crate::api::people::call::Call;
use crate::api::people::failure::Failure;
use crate::projections::audit_log::read::Filter;

use super::error::Problem;
use super::query::Query;
use super::types::{Asked, EventOrder, EventPage, PageParameters};

/// Longest name of an event or operation, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// Which events are wanted, and which page of them.
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
    /// `newest` or `oldest`: which come first.
    #[param(inline, value_type = Option<EventOrder>)]
    pub order: EventOrder,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// 1 to 500; 50 by default.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<i64>,
}

impl EventParameters {
    fn read(mut query: Query) -> Result<EventParameters, Failure> {
        let page = PageParameters::take(&mut query);
        let read = EventParameters {
            stream: query.one("stream", str::parse),
            name: query.one("name", name),
            operation: query.one("operation", name),
            real_actor: query.one("real_actor", str::parse),
            effective_actor: query.one("effective_actor", str::parse),
            from: query.one("from", instant),
            until: query.one("until", instant),
            order: page.order,
            cursor: page.cursor,
            limit: page.limit,
        };
        query.finish()?;
        Ok(read)
    }
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
    Asked(query): Asked,
    call: Call,
) -> Result<Answer, Problem> {
    let actor = reading_actor(&app, &call).await?;
    Failure::unless(actor.is_auditor(), "only auditors read all events")?;
    let asked = EventParameters::read(query)?;
    let page = PageParameters { order: asked.order, cursor: asked.cursor, limit: asked.limit };
    let range = page.range(&app, actor.tenant())?;
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
    Ok(actor.answer(&app, &EventPage::new(&app, actor.tenant(), page)?)?)
}

/// A time that the database can hold.
fn instant(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| "an RFC 3339 time is expected")?;
    let time = time.to_utc();
    let in_calendar = (1..=9999).contains(&time.year());
    in_calendar.then_some(time).ok_or("a year between 1 and 9999 is expected")
}

fn name(text: &str) -> Result<String, &'static str> {
    let fits = text.len() <= NAME_BYTES_MAX && !text.contains('\0');
    fits.then(|| text.to_owned()).ok_or("at most 100 bytes and no NUL character are allowed")
}
