//! The attributes that a tenant defines.

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::crafter::answer::Answer;
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::types::tenant::{AttributeDefinition as Wire, Tenant};
use crate::domain::tenant::{ApplicationCommand, AttributeDefinition};

use super::change;
use super::manage::definition;

/// Defines attributes. Names that are defined already stay as they are.
#[utoipa::path(
    post,
    path = "/api/1/tenant/{name}/attribute_definitions/add",
    operation_id = "crafter_add_attribute_definitions",
    tag = "crafter",
    params(("name" = String, Path)),
    request_body = Vec<Wire>,
    responses((status = 200, body = Tenant), (status = 404))
)]
pub async fn add(State(app): State<Arc<App>>, call: Call) -> Answer {
    let definitions = definitions(&call)?;
    change(&app, &call, call.path("name"), "add_attribute_definitions", |tenant| {
        let new = definitions.iter().filter(|one| tenant.catalogue.attribute(&one.name).is_none());
        new.cloned().map(ApplicationCommand::DefineAttribute).collect()
    })
    .await
}

/// Redefines attributes. Names that are not defined are ignored.
#[utoipa::path(
    post,
    path = "/api/1/tenant/{name}/attribute_definitions/update",
    operation_id = "crafter_update_attribute_definitions",
    tag = "crafter",
    params(("name" = String, Path)),
    request_body = Vec<Wire>,
    responses((status = 200, body = Tenant), (status = 404))
)]
pub async fn update(State(app): State<Arc<App>>, call: Call) -> Answer {
    let definitions = definitions(&call)?;
    change(&app, &call, call.path("name"), "update_attribute_definitions", |_| {
        definitions.iter().cloned().map(ApplicationCommand::RedefineAttribute).collect()
    })
    .await
}

/// Removes attributes; a reaction then removes them from the profiles that have them.
#[utoipa::path(
    post,
    path = "/api/1/tenant/{name}/attribute_definitions/remove",
    operation_id = "crafter_remove_attribute_definitions",
    tag = "crafter",
    params(("name" = String, Path)),
    responses((status = 200, body = Tenant), (status = 404))
)]
pub async fn remove(State(app): State<Arc<App>>, call: Call) -> Answer {
    let names = call.parameters.required_list("attributeName")?;
    change(&app, &call, call.path("name"), "remove_attribute_definitions", |_| {
        let names = names.iter().cloned();
        names.map(|name| ApplicationCommand::RemoveAttribute { name }).collect()
    })
    .await
}

fn definitions(call: &Call) -> Result<Vec<AttributeDefinition>, Failure> {
    call.bodies::<Wire>()?.iter().map(definition).collect()
}
