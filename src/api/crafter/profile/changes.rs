//! Changes of one thing: enable, disable, roles, delete.

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::crafter::answer::{Answer, empty};
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find::{self, FoundProfile};
use crate::api::crafter::types::profile::Profile as Wire;
use crate::api::crafter::write::{Kind, write};
use crate::domain::profile::Command;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::Change;
use crate::engine::write::halt::Halt;

use super::{Orders, ProfileChange, change, changed, named};

/// Enables a profile: it may log in.
#[utoipa::path(
    post,
    path = "/api/1/profile/{id}/enable",
    operation_id = "crafter_enable_profile",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = Wire), (status = 404))
)]
pub async fn enable(State(app): State<Arc<App>>, call: Call) -> Answer {
    one(&app, &call, "enable_profile", Command::ActivateProfile).await
}

/// Disables a profile: it may not log in.
#[utoipa::path(
    post,
    path = "/api/1/profile/{id}/disable",
    operation_id = "crafter_disable_profile",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = Wire), (status = 404))
)]
pub async fn disable(State(app): State<Arc<App>>, call: Call) -> Answer {
    one(&app, &call, "disable_profile", Command::DeactivateProfile).await
}

async fn one(app: &App, call: &Call, operation: &'static str, command: Command) -> Answer {
    let found = find::managed(app, call, call.path("id")).await?;
    let after = change(app, call, &found, operation, &command).await?;
    changed(call, &after, &[])
}

/// Adds application roles to a profile.
#[utoipa::path(
    post,
    path = "/api/1/profile/{id}/roles/add",
    operation_id = "crafter_add_profile_roles",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = Wire), (status = 404))
)]
pub async fn add_roles(State(app): State<Arc<App>>, call: Call) -> Answer {
    let given = call.parameters.required_list("role")?;
    given.iter().try_for_each(|role| named("role", role))?;
    let found = find::managed(&app, &call, call.path("id")).await?;
    let after = change(&app, &call, &found, "add_profile_roles", &AddRoles(given)).await?;
    changed(&call, &after, &[])
}

struct AddRoles(Vec<String>);

impl Orders for AddRoles {
    async fn give(&self, profile: &mut ProfileChange<'_, '_>) -> Result<(), Halt<Failure>> {
        let mut roles = profile.facts()?.application_roles.clone();
        for role in &self.0 {
            if !roles.contains(role) {
                roles.push(role.clone());
            }
        }
        profile.order(Command::AssignApplicationRoles { roles }).await
    }
}

/// Removes application roles from a profile.
#[utoipa::path(
    post,
    path = "/api/1/profile/{id}/roles/remove",
    operation_id = "crafter_remove_profile_roles",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = Wire), (status = 404))
)]
pub async fn remove_roles(State(app): State<Arc<App>>, call: Call) -> Answer {
    let given = call.parameters.required_list("role")?;
    let found = find::managed(&app, &call, call.path("id")).await?;
    let after = change(&app, &call, &found, "remove_profile_roles", &RemoveRoles(given)).await?;
    changed(&call, &after, &[])
}

struct RemoveRoles(Vec<String>);

impl Orders for RemoveRoles {
    async fn give(&self, profile: &mut ProfileChange<'_, '_>) -> Result<(), Halt<Failure>> {
        let mut roles = profile.facts()?.application_roles.clone();
        roles.retain(|role| !self.0.contains(role));
        profile.order(Command::AssignApplicationRoles { roles }).await
    }
}

/// Deletes a profile. If there is none, nothing changes.
#[utoipa::path(
    post,
    path = "/api/1/profile/{id}/delete",
    operation_id = "crafter_delete_profile",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200))
)]
pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Answer {
    let found = match find::managed(&app, &call, call.path("id")).await {
        Err(Failure::NoSuchProfile) => return empty(),
        found => found?,
    };
    let kind = Kind { area: "profile", operation: "delete_profile" };
    match write(&app, &call, found.tenant.id, kind, &Delete(&found)).await {
        // Another request deleted it first.
        Err(Failure::NoSuchProfile) => {}
        done => done?,
    }
    empty()
}

struct Delete<'a>(&'a FoundProfile);

impl Change for Delete<'_> {
    type Done = ();
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<(), Halt<Failure>> {
        ProfileChange::of(decision, self.0).await?.order(Command::DeleteProfile).await
    }
}
