//! What changes one thing of a profile: enable, disable, its roles, and deleting it.

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::crafter::answer::{Answer, empty};
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find;
use crate::api::crafter::types::profile::Profile as Wire;
use crate::domain::profile::Command;
use crate::engine::claims::held_by;

use super::{change, changed, named};

/// Lets a profile log in.
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

/// Lets a profile log in no more.
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
    let after = change(app, call, &found, operation, |change| {
        let command = command.clone();
        Box::pin(async move { change.order(command) })
    });
    changed(call, &after.await?, &[])
}

/// Gives a profile application roles; those that it has stay.
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
    roles(&app, &call, "add_profile_roles", |roles| {
        for role in &given {
            if !roles.contains(role) {
                roles.push(role.clone());
            }
        }
    })
    .await
}

/// Takes application roles from a profile.
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
    roles(&app, &call, "remove_profile_roles", |roles| roles.retain(|one| !given.contains(one)))
        .await
}

async fn roles(
    app: &App,
    call: &Call,
    operation: &'static str,
    changing: impl Fn(&mut Vec<String>) + Send + Sync,
) -> Answer {
    let found = find::managed(app, call, call.path("id")).await?;
    let changing = &changing;
    let after = change(app, call, &found, operation, |change| {
        Box::pin(async move {
            let mut roles = change.facts()?.application_roles.clone();
            changing(&mut roles);
            change.order(Command::AssignApplicationRoles { roles })
        })
    });
    changed(call, &after.await?, &[])
}

/// Deletes a profile; one that there is not is deleted already.
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
    let kind = super::Kind { area: "profile", operation: "delete_profile" };
    let deleted = super::write(&app, &call, found.place.tenant, kind, |decision| {
        let found = &found;
        Box::pin(async move {
            let mut change = super::Change::of(decision, found).await?;
            for claim in held_by(found.place.tenant, change.facts()?) {
                change.decision.release(claim);
            }
            change.order(Command::DeleteProfile)
        })
    });
    match deleted.await {
        // Somebody else was faster.
        Err(Failure::NoSuchProfile) => {}
        done => done?,
    }
    empty()
}
