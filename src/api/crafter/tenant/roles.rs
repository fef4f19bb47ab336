//! The roles that a tenant's profiles can have in applications.

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::crafter::answer::Answer;
use crate::api::crafter::call::Call;
use crate::api::crafter::types::tenant::Tenant;
use crate::domain::tenant::ApplicationCommand;

use super::{change, named};

/// Adds roles. Roles that exist stay.
#[utoipa::path(
    post,
    path = "/api/1/tenant/{name}/roles/add",
    operation_id = "crafter_add_roles",
    tag = "crafter",
    params(("name" = String, Path)),
    responses((status = 200, body = Tenant), (status = 404))
)]
pub async fn add(State(app): State<Arc<App>>, call: Call) -> Answer {
    let roles = call.parameters.required_list("role")?;
    for role in &roles {
        named("role", role)?;
    }
    change(&app, &call, call.path("name"), "add_roles", |_| {
        let roles = roles.iter().cloned();
        roles.map(|role| ApplicationCommand::OfferApplicationRole { role }).collect()
    })
    .await
}

/// Removes roles; a reaction then removes them from the profiles that have them.
#[utoipa::path(
    post,
    path = "/api/1/tenant/{name}/roles/remove",
    operation_id = "crafter_remove_roles",
    tag = "crafter",
    params(("name" = String, Path)),
    responses((status = 200, body = Tenant), (status = 404))
)]
pub async fn remove(State(app): State<Arc<App>>, call: Call) -> Answer {
    let roles = call.parameters.required_list("role")?;
    change(&app, &call, call.path("name"), "remove_roles", |_| {
        let roles = roles.iter().cloned();
        roles.map(|role| ApplicationCommand::WithdrawApplicationRole { role }).collect()
    })
    .await
}
