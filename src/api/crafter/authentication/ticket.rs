//! Tickets (contract 4.6): a ticket is a log-in that lasts until it has not been used for a while.
//! Use is no event.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::api::app::App;
use crate::api::crafter::answer::{Answer, bean, empty};
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find::{self, FoundProfile};
use crate::api::crafter::selector::Bean;
use crate::api::crafter::types::session::Ticket;
use crate::api::crafter::write::{Kind, write};
use crate::domain::claims::Bearer;
use crate::domain::entitlement::TenantAction;
use crate::domain::ids::{ProfileId, TenantId};
use crate::domain::object_id;
use crate::domain::profile::Profile;
use crate::domain::session::{self, Session};
use crate::engine::kept::tickets;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::Change;
use crate::engine::write::halt::{Halt, Ordered};

/// A ticket that is valid now.
pub struct Used {
    pub tenant: TenantId,
    /// The name of its tenant, which may be deleted.
    pub tenant_name: String,
    pub stream: Uuid,
    pub profile: ProfileId,
}

/// The ticket as answers show it.
pub fn shown(tenant: &str, profile: ProfileId, at: DateTime<Utc>, id: Uuid) -> Ticket {
    Ticket {
        tenant: tenant.to_owned(),
        profile_id: object_id::shown(profile.0),
        last_request_time: at,
        id,
    }
}

/// The ticket with this id, if it is valid now.
///
/// # Errors
/// [`Failure::Unavailable`].
pub async fn used(app: &App, call: &Call, id: &str) -> Result<Option<Used>, Failure> {
    let found = app.applications.found(&app.engine, Bearer::Ticket, id).await?;
    let Some((tenant, stream)) = found else { return Ok(None) };
    let state = app.engine.load::<Session>(tenant, stream).await?.state;
    let session::State::Ticket { profile, .. } = *state else { return Ok(None) };
    let idle = Duration::seconds(app.applications.settings.ticket_seconds_max);
    let since = call.received_at - idle;
    if !app.applications.tickets.used_since(&app.engine, stream, since).await? {
        return Ok(None);
    }
    let tenant_name = find::lasting_name(app, tenant).await?;
    Ok(Some(Used { tenant, tenant_name, stream, profile }))
}

/// This use is counted.
pub fn touch(app: &App, call: &Call, used: &Used) {
    app.applications.tickets.touch(used.stream, call.received_at);
}

/// The stream id of a ticket: that of its claim. So the claim can be released by code that ends an
/// idle ticket and does not know the ticket's id.
pub fn stream_of(id: Uuid) -> Uuid {
    Bearer::Ticket.claim(&id.to_string())
}

/// Adds a new ticket to the decision.
///
/// # Errors
/// Only those of the log.
pub fn issue(
    decision: &mut Decision<'_>,
    call: &Call,
    profile: ProfileId,
    id: Uuid,
) -> Result<(), Halt<Failure>> {
    let stream = stream_of(id);
    let command = session::Command::IssueTicket { profile };
    decision.begin::<Session>(stream, (), command).or_refuse(|_| Failure::Internal)?;
    decision.row(tickets::issued(decision.tenant, stream, call.received_at));
    Ok(())
}

/// The profile of the parameter `profileId`, if it may get a ticket.
///
/// # Errors
/// [`Failure::NoSuchProfile`], [`Failure::ActionDenied`], [`Failure::DisabledProfile`].
pub async fn named(app: &App, call: &Call) -> Result<FoundProfile, Failure> {
    let id = call.parameters.required("profileId")?;
    let found = find::managed(app, call, id).await?;
    call.caller.may(&found.tenant.name, TenantAction::ManageTickets)?;
    match found.facts.is_active() {
        true => Ok(found),
        false => Err(Failure::DisabledProfile),
    }
}

/// Fails unless the profile exists and is enabled. The decision guards this until it is appended.
///
/// # Errors
/// [`Failure::NoSuchProfile`], [`Failure::DisabledProfile`].
pub async fn still_open(
    decision: &mut Decision<'_>,
    profile: ProfileId,
) -> Result<(), Halt<Failure>> {
    let state = decision.load::<Profile>(profile.0).await?.state;
    let facts = state.live().ok_or(Failure::NoSuchProfile)?;
    match facts.is_active() {
        true => Ok(()),
        false => Err(Failure::DisabledProfile.into()),
    }
}

/// Issues a ticket without a password: the application vouches for the person.
#[utoipa::path(
    post,
    path = "/api/1/authentication/ticket/create",
    operation_id = "crafter_create_ticket",
    tag = "crafter",
    responses(
        (status = 200, body = Ticket),
        (status = 404),
    )
)]
pub async fn create(State(app): State<Arc<App>>, call: Call) -> Answer {
    let found = named(&app, &call).await?;
    let id = Uuid::new_v4();
    let kind = Kind { area: "session", operation: "create_ticket" };
    let ticket = Issue { call: &call, profile: found.id, id };
    write(&app, &call, found.tenant.id, kind, &ticket).await?;
    app.applications.tickets.touch(stream_of(id), call.received_at);
    bean(&call, Bean::Ticket, &shown(&found.tenant.name, found.id, call.received_at, id))
}

struct Issue<'a> {
    call: &'a Call,
    profile: ProfileId,
    id: Uuid,
}

impl Change for Issue<'_> {
    type Done = ();
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<(), Halt<Failure>> {
        still_open(decision, self.profile).await?;
        issue(decision, self.call, self.profile, self.id)
    }
}

/// A ticket. Reading it counts as use.
#[utoipa::path(
    get,
    path = "/api/1/authentication/ticket/{id}",
    operation_id = "crafter_get_ticket",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = Ticket), (status = 404))
)]
pub async fn get(State(app): State<Arc<App>>, call: Call) -> Answer {
    let id = call.path("id");
    let found = used(&app, &call, id).await?.ok_or(Failure::NoSuchTicket)?;
    let name = &found.tenant_name;
    call.caller.may(name, TenantAction::ManageTickets)?;
    touch(&app, &call, &found);
    let id = id.parse().map_err(|_| Failure::NoSuchTicket)?;
    bean(&call, Bean::Ticket, &shown(name, found.profile, call.received_at, id))
}

/// Ends a ticket. If there is none, nothing changes.
#[utoipa::path(
    post,
    path = "/api/1/authentication/ticket/{id}/invalidate",
    operation_id = "crafter_invalidate_ticket",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200))
)]
pub async fn invalidate(State(app): State<Arc<App>>, call: Call) -> Answer {
    let id = call.path("id");
    let Some(found) = used(&app, &call, id).await? else { return empty() };
    call.caller.may(&found.tenant_name, TenantAction::ManageTickets)?;
    end(&app, &call, found.tenant, found.stream, Bearer::Ticket, "invalidate_ticket").await?;
    app.applications.tickets.forget(&app.engine, found.stream).await?;
    empty()
}

/// Ends a ticket or a persistent login.
///
/// # Errors
/// [`Failure::Unavailable`] and other failures of a write.
pub async fn end(
    app: &App,
    call: &Call,
    tenant: TenantId,
    stream: Uuid,
    bearer: Bearer,
    operation: &'static str,
) -> Result<(), Failure> {
    let kind = Kind { area: "session", operation };
    write(app, call, tenant, kind, &End(stream)).await?;
    app.applications.forget(bearer, call.path("id"));
    Ok(())
}

struct End(Uuid);

impl Change for End {
    type Done = ();
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<(), Halt<Failure>> {
        let command = session::Command::EndSession { reason: "given_up" };
        let ended = decision.order::<Session>(self.0, (), command).await;
        ended.or_refuse(|_| Failure::Internal).map(|_| ())
    }
}
