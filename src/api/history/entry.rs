//! Events as the History API shows them (contract 0, shapes).

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::failure::Failure;
use crate::domain::ids::TenantId;
use crate::domain::profile::Change;
use crate::engine::history::Page;
use crate::engine::{Envelope, Recorded};

use super::page::PageParameters;

/// An actor.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventActor {
    /// `profile`, `access_token`, `operator` or `system`.
    pub kind: &'static str,
    pub id: Uuid,
    /// The name of an operator or of a part of the system.
    pub name: Option<String>,
}

impl EventActor {
    fn of(envelope: &Envelope) -> EventActor {
        EventActor {
            kind: envelope.real_actor_kind,
            id: envelope.real_actor_id,
            name: envelope.real_actor_name.clone(),
        }
    }
}

/// A field of a profile that an event changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldChange {
    /// `name`, `emails`, `roles`, …, `attributes.<name>` or `attachments.<name>`.
    pub field: String,
    /// The value before; null if there was none.
    pub old: Value,
    /// The value after; null if there is none.
    pub new: Value,
}

impl From<Change> for FieldChange {
    fn from(Change { field, old, new }: Change) -> Self {
        FieldChange { field, old, new }
    }
}

/// An event in short: when, by whom and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Mark {
    /// Its place in the log, opaque.
    pub token: String,
    /// Its number within its stream.
    pub version: i64,
    pub name: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// When it became true.
    pub occurred_at: DateTime<Utc>,
    pub real_actor: EventActor,
    /// The same as the real actor, unless that acts as another.
    pub effective_actor_id: Uuid,
    /// The profiles that the actor acts as, outermost first.
    pub emulation: Vec<Uuid>,
    pub reason: Option<String>,
    pub request_id: Uuid,
}

impl Mark {
    /// The event in short.
    pub fn of(app: &App, event: &Recorded) -> Mark {
        let envelope = &*event.envelope;
        Mark {
            token: app.engine.seal_position(TenantId(event.stream.tenant_id), event.position),
            version: event.version,
            name: event.name.clone(),
            recorded_at: event.recorded_at,
            occurred_at: event.occurred_at,
            real_actor: EventActor::of(envelope),
            effective_actor_id: envelope.effective_actor_id,
            emulation: envelope.emulation.clone(),
            reason: envelope.reason.clone(),
            request_id: envelope.request_id,
        }
    }
}

/// One event.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventEntry {
    /// Its place in the log, opaque: a moment, and a value for `Dossier-Min-Position`.
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
    /// The grant of the innermost of these layers.
    pub grant_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    pub operation: &'static str,
    pub reason: Option<String>,
    pub request_id: Uuid,
    pub correlation_id: Uuid,
    pub channel: &'static str,
    pub face: &'static str,
    pub client_address: Option<String>,
    pub user_agent: Option<String>,
    /// What it changed of the profile that it belongs to; empty if it changed no field.
    pub changes: Vec<FieldChange>,
}

/// A page of events.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventPage {
    pub events: Vec<EventEntry>,
    /// The cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
}

impl EventPage {
    /// The page, with what each of its events changed.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn of(
        app: &App,
        tenant: TenantId,
        asked: &PageParameters,
        page: Page,
    ) -> Result<EventPage, Failure> {
        let next = page.events.last().filter(|_| page.more);
        let next_cursor = next.map(|last| asked.cursor_after(app, tenant, last.position));
        let events = EventEntry::all(app, page.events).await?;
        Ok(EventPage { events, next_cursor })
    }
}

impl EventEntry {
    /// Events of one tenant, each with what it changed.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn all(app: &App, events: Vec<Recorded>) -> Result<Vec<EventEntry>, Failure> {
        let changes = app.engine.changes_of(&events).await?;
        let entries = events.into_iter().zip(changes);
        let entries = entries.map(|(event, changes)| {
            let tenant = TenantId(event.stream.tenant_id);
            entry(app.engine.seal_position(tenant, event.position), event, changes)
        });
        entries.collect()
    }
}

fn entry(token: String, event: Recorded, changes: Vec<Change>) -> Result<EventEntry, Failure> {
    let envelope = &*event.envelope;
    Ok(EventEntry {
        token,
        event_id: event.event_id,
        area: event.stream.area.as_str().to_owned(),
        stream_id: event.stream.id,
        version: event.version,
        name: event.name,
        // The database holds no payload that is not JSON.
        payload: RawValue::from_string(event.payload).map_err(|_| Failure::Internal)?,
        occurred_at: event.occurred_at,
        recorded_at: event.recorded_at,
        real_actor: EventActor::of(envelope),
        effective_actor_id: envelope.effective_actor_id,
        emulation: envelope.emulation.clone(),
        grant_id: envelope.grant_id,
        session_id: envelope.session_id,
        operation: envelope.operation,
        reason: envelope.reason.clone(),
        request_id: envelope.request_id,
        correlation_id: envelope.correlation_id,
        channel: envelope.channel,
        face: envelope.face,
        client_address: envelope.client_address.clone(),
        user_agent: envelope.user_agent.clone(),
        changes: changes.into_iter().map(FieldChange::from).collect(),
    })
}
