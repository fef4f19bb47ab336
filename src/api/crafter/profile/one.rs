//! One profile: by its id, by its username, by a ticket (contract 1).

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::crafter::answer::Answer;
use crate::api::crafter::authentication::ticket;
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find;
use crate::api::crafter::types::profile::Profile as Wire;
use crate::domain::entitlement::TenantAction;

use super::read;

/// A profile by its id.
#[utoipa::path(
    get,
    path = "/api/1/profile/{id}",
    operation_id = "crafter_get_profile",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = Wire), (status = 404))
)]
pub async fn by_id(State(app): State<Arc<App>>, call: Call) -> Answer {
    read(&call, &find::managed(&app, &call, call.path("id")).await?)
}

/// A profile by its username.
#[utoipa::path(
    get,
    path = "/api/1/profile/by_username",
    operation_id = "crafter_get_profile_by_username",
    tag = "crafter",
    responses((status = 200, body = Wire), (status = 404))
)]
pub async fn by_username(State(app): State<Arc<App>>, call: Call) -> Answer {
    let tenant = call.parameters.required("tenantName")?;
    let username = call.parameters.required("username")?;
    call.caller.may(tenant, TenantAction::ManageProfiles)?;
    let tenant = find::tenant_by_name(&app, tenant).await?.ok_or(Failure::NoSuchProfile)?;
    let found = find::by_username(&app, &tenant, username).await?;
    let found = found.ok_or(Failure::NoSuchProfile)?;
    find::may_manage(&call, &found.tenant.name)?;
    read(&call, &found)
}

/// The profile of a ticket. Reading it counts as use of the ticket.
#[utoipa::path(
    get,
    path = "/api/1/profile/by_ticket",
    operation_id = "crafter_get_profile_by_ticket",
    tag = "crafter",
    responses(
        (status = 200, body = Wire),
        (status = 404),
    )
)]
pub async fn by_ticket(State(app): State<Arc<App>>, call: Call) -> Answer {
    let id = call.parameters.required("ticketId")?;
    let used = ticket::used(&app, &call, id).await?.ok_or(Failure::TicketGone)?;
    call.caller.may(&used.tenant_name, TenantAction::ManageTickets)?;
    ticket::touch(&app, &call, &used);
    let found = find::in_tenant(&app, used.tenant, used.profile).await?;
    let found = found.ok_or(Failure::NoSuchProfile)?;
    find::may_manage(&call, &found.tenant.name)?;
    read(&call, &found)
}
