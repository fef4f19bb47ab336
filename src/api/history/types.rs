//! The bodies of the History API.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query as QueryOf};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::failure::Failure;
use crate::domain::ids::TenantId;
use crate::engine::Recorded;
use crate::engine::history::{Page, Range};

use super::query::Query;

/// Events of a page if no limit is given.
const LIMIT_DEFAULT: i64 = 50;
/// Most events of a page of the History API.
const LIMIT_MAX: i64 = 500;

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum EventOrder {
    #[default]
    Newest,
    Oldest,
}

/// Which page, and how long.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// `newest` or `oldest`: which come first.
    #[param(inline, value_type = Option<EventOrder>)]
    pub order: EventOrder,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// 1 to 500; 50 by default.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub limit: Option<i64>,
}

/// The query of a request.
pub struct Asked(pub Query);

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    /// Its mistakes are told only to callers that may ask at all.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asked, Infallible> {
        Ok(Asked(match QueryOf::<Vec<(String, String)>>::try_from_uri(&parts.uri) {
            Ok(QueryOf(given)) => Query::new(given),
            Err(_) => {
                let mut unreadable = Query::new(vec![]);
                unreadable.mistake("", &"the query is not readable as UTF-8");
                unreadable
            }
        }))
    }
}

impl PageParameters {
    /// Takes these from a query.
    pub fn take(query: &mut Query) -> PageParameters {
        let order = query.one("order", |text| match text {
            "newest" => Ok(EventOrder::Newest),
            "oldest" => Ok(EventOrder::Oldest),
            _ => Err("newest or oldest is expected"),
        });
        let limit = query.one("limit", |text| {
            let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
            limit.ok_or(format!("a number from 1 to {LIMIT_MAX} is expected"))
        });
        let cursor = query.one("cursor", |text| Ok::<_, String>(text.to_owned()));
        PageParameters { order: order.unwrap_or_default(), cursor, limit }
    }

    /// The range that they describe.
    ///
    /// # Errors
    /// [`Failure::InvalidPosition`].
    pub fn range(&self, app: &App, tenant: TenantId) -> Result<Range, Failure> {
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        let open = |token: &String| app.engine.open_position(tenant, token);
        let bound = self.cursor.as_ref().map(open).transpose();
        let bound = bound.map_err(|error| Failure::InvalidPosition(error.to_string()))?;
        Ok(Range { bound, oldest_first: self.order == EventOrder::Oldest, limit })
    }
}

/// An actor.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventActor {
    /// `profile`, `access_token`, `operator` or `system`.
    pub kind: &'static str,
    pub id: Uuid,
    /// The name of an operator or of a part of the system.
    pub name: Option<String>,
}

/// One event.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventEntry {
    /// Its place in the log, opaque: a cursor, and a value for `Dossier-Min-Position`.
    pub token: String,
    pub event_id: Uuid,
    pub area: String,
    pub stream_id: Uuid,
    /// Its number within its stream.
    pub version: i64,
    pub name: String,
    /// The payload as it was recorded.
    #[schema(value_type = Object)]
    pub payload: Box<RawValue>,
    /// When it became true.
    pub occurred_at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    pub real_actor: EventActor,
    /// The same as the real actor, unless that acts as another.
    pub effective_actor_id: Uuid,
    /// The profiles that the actor acts as, outermost first.
    pub emulation: Vec<Uuid>,
    pub session_id: Option<Uuid>,
    pub operation: &'static str,
    pub reason: Option<String>,
    pub request_id: Uuid,
    pub correlation_id: Uuid,
    pub channel: &'static str,
    pub face: &'static str,
    pub client_address: Option<String>,
    pub user_agent: Option<String>,
}

/// A page of events.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventPage {
    pub events: Vec<EventEntry>,
    /// The cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
}

impl EventPage {
    /// The page. Its position tokens are those of its tenant.
    ///
    /// # Errors
    /// [`Failure::Internal`] for a payload that is not JSON, which the database does not hold.
    pub fn new(app: &App, tenant: TenantId, page: Page) -> Result<EventPage, Failure> {
        let seal = |position| app.engine.seal_position(tenant, position);
        let next = page.events.last().filter(|_| page.more).map(|last| seal(last.position));
        let events = page.events.into_iter().map(|event| entry(seal(event.position), event));
        Ok(EventPage { events: events.collect::<Result<_, _>>()?, next_cursor: next })
    }
}

fn entry(token: String, event: Recorded) -> Result<EventEntry, Failure> {
    let envelope = &*event.envelope;
    Ok(EventEntry {
        token,
        event_id: event.event_id,
        area: event.stream.area.as_str().to_owned(),
        stream_id: event.stream.id,
        version: event.version,
        name: event.name,
        payload: RawValue::from_string(event.payload).map_err(|_| Failure::Internal)?,
        occurred_at: event.occurred_at,
        recorded_at: event.recorded_at,
        real_actor: EventActor {
            kind: envelope.real_actor_kind,
            id: envelope.real_actor_id,
            name: envelope.real_actor_name.clone(),
        },
        effective_actor_id: envelope.effective_actor_id,
        emulation: envelope.emulation.clone(),
        session_id: envelope.session_id,
        operation: envelope.operation,
        reason: envelope.reason.clone(),
        request_id: envelope.request_id,
        correlation_id: envelope.correlation_id,
        channel: envelope.channel,
        face: envelope.face,
        client_address: envelope.client_address.clone(),
        user_agent: envelope.user_agent.clone(),
    })
}

/// One counter.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileCount {
    /// `profile`, `active`, `role` or `department`.
    pub dimension: String,
    /// The role, the department or the flag.
    pub key: String,
    pub profiles: i64,
}

/// The counters of a tenant.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProfileCounts {
    pub counts: Vec<ProfileCount>,
}
