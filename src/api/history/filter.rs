//! Which events a request wants (History contract 2, filters of events).

use chrono::{DateTime, Utc};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::api::people::call::instant;
use crate::api::people::failure::Failure;
use crate::domain::Area;
use crate::engine::Error;
use crate::engine::history::EventsWanted;
use crate::projections::audit_log::filter::Filter;

use super::query::{Name, Query, name};

/// Fields that stand for all that begin with them and a dot.
const GROUPS: [&str; 2] = ["attributes", "attachments"];

/// Which events are wanted: those that meet all of these. Of a list, one value must match.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventParameters {
    /// Ids of aggregates: of profiles, drafts, sessions, …
    #[param(max_items = 100, value_type = Option<Vec<Uuid>>)]
    pub stream: Vec<Uuid>,
    /// Kinds of aggregates, for example `profile`.
    #[param(inline, max_items = 100, value_type = Option<Vec<AreaName>>)]
    pub area: Vec<String>,
    /// For example `ProfileRenamed`.
    #[param(inline, max_items = 100, value_type = Option<Vec<Name>>)]
    pub name: Vec<String>,
    /// For example `update`, `emulate`, `import`.
    #[param(inline, max_items = 100, value_type = Option<Vec<Name>>)]
    pub operation: Vec<String>,
    /// `v5`, `crafter`, `history` or `none`.
    #[param(inline, max_items = 100, value_type = Option<Vec<Name>>)]
    pub face: Vec<String>,
    /// `http`, `mcp`, `cli` or `system`.
    #[param(inline, max_items = 100, value_type = Option<Vec<Name>>)]
    pub channel: Vec<String>,
    /// Who really acted.
    pub real_actor: Option<Uuid>,
    /// As whom.
    pub effective_actor: Option<Uuid>,
    /// All that this person did as anyone, and all that was done as this person.
    pub actor: Option<Uuid>,
    /// Whether the real actor acted as another.
    pub emulated: Option<bool>,
    /// The grant of the innermost layer of emulation.
    pub grant: Option<Uuid>,
    pub session: Option<Uuid>,
    pub request: Option<Uuid>,
    /// The request that led to them, itself or through other events.
    pub correlation: Option<Uuid>,
    /// Id of a department: events of profiles that belonged to it at the time.
    pub department: Option<Uuid>,
    /// They changed one of these fields of a profile; `attributes` and `attachments` mean all of
    /// them.
    #[param(inline, max_items = 100, value_type = Option<Vec<Name>>)]
    pub field: Vec<String>,
    /// Recorded at this time (RFC 3339) or later.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this time (RFC 3339).
    pub until: Option<DateTime<Utc>>,
    /// They became true at this time (RFC 3339) or later.
    pub occurred_from: Option<DateTime<Utc>>,
    /// They became true before this time (RFC 3339).
    pub occurred_until: Option<DateTime<Utc>>,
}

/// The kind of an aggregate, for the OpenAPI document.
#[derive(utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "only its schema is used")]
enum AreaName {
    Tenant,
    Profile,
    Draft,
    Emulation,
    Access,
    Session,
    Export,
    Operation,
}

impl EventParameters {
    /// Takes these from a query.
    pub fn take(query: &mut Query) -> EventParameters {
        EventParameters {
            stream: query.list("stream", str::parse),
            area: query.list("area", area),
            name: query.list("name", name),
            operation: query.list("operation", name),
            face: query.list("face", name),
            channel: query.list("channel", name),
            real_actor: query.one("real_actor", str::parse),
            effective_actor: query.one("effective_actor", str::parse),
            actor: query.one("actor", str::parse),
            emulated: query.one("emulated", flag),
            grant: query.one("grant", str::parse),
            session: query.one("session", str::parse),
            request: query.one("request", str::parse),
            correlation: query.one("correlation", str::parse),
            department: query.one("department", str::parse),
            field: query.list("field", name),
            from: query.one("from", instant),
            until: query.one("until", instant),
            occurred_from: query.one("occurred_from", instant),
            occurred_until: query.one("occurred_until", instant),
        }
    }

    /// The events that they describe.
    pub fn wanted(self) -> EventsWanted {
        let (groups, fields) =
            self.field.into_iter().partition(|field| GROUPS.contains(&field.as_str()));
        let filter = Filter {
            streams: each_once(self.stream),
            areas: each_once(self.area),
            names: each_once(self.name),
            operations: each_once(self.operation),
            faces: each_once(self.face),
            channels: each_once(self.channel),
            real_actor: self.real_actor,
            effective_actor: self.effective_actor,
            actor: self.actor,
            emulated: self.emulated,
            grant: self.grant,
            session: self.session,
            request: self.request,
            correlation: self.correlation,
            department: self.department.map(|id| id.to_string()),
            fields,
            groups,
            occurred_from: self.occurred_from,
            occurred_until: self.occurred_until,
            ..Filter::default()
        };
        EventsWanted { filter, from: self.from, until: self.until }
    }
}

/// The failure of a question about many events: one that took too long is told what would help.
pub fn too_broad(error: Error) -> Failure {
    match error.sql_state() {
        // The statement's time is over.
        Some("57014") => Failure::TooBroad(
            "add stream, actor, request, session or grant, or narrow it with from and until",
        ),
        _ => error.into(),
    }
}

/// The values, each once.
pub fn each_once<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

fn area(text: &str) -> Result<String, String> {
    let areas = || Area::ALL.map(Area::name).join(", ");
    let area = Area::named(text).ok_or_else(|| format!("one of {} is expected", areas()))?;
    Ok(area.name().to_owned())
}

/// `true` or `false`.
///
/// # Errors
/// Says what is expected.
pub fn flag(text: &str) -> Result<bool, &'static str> {
    text.parse().map_err(|_| "true or false is expected")
}
