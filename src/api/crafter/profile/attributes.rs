//! The attributes of one profile: read, update, remove (contract 1, 4.3, 4.7).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use serde_json::Value;

use crate::api::app::App;
use crate::api::crafter::answer::{Answer, json};
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find;
use crate::api::crafter::shown;
use crate::api::crafter::types::profile::Profile as Wire;
use crate::domain::entitlement::AttributeAction;
use crate::domain::profile::Command;
use crate::engine::write::halt::Halt;

use super::{Orders, ProfileChange, change, changed};

/// The attributes of a profile that the caller may read.
#[utoipa::path(
    get,
    path = "/api/1/profile/{id}/attributes",
    operation_id = "crafter_get_profile_attributes",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = Object), (status = 404))
)]
pub async fn get(State(app): State<Arc<App>>, call: Call) -> Answer {
    let wanted = call.parameters.attribute_to_return()?;
    let found = find::managed(&app, &call, call.path("id")).await?;
    json(&shown::readable(&call.caller, &found.tenant.catalogue, &found.facts, &wanted))
}

/// Sets attributes of a profile; other attributes stay. Values are stored as given.
#[utoipa::path(
    post,
    path = "/api/1/profile/{id}/attributes/update",
    operation_id = "crafter_update_profile_attributes",
    tag = "crafter",
    params(("id" = String, Path)),
    request_body = Object,
    responses((status = 200, body = Wire), (status = 404))
)]
pub async fn update(State(app): State<Arc<App>>, call: Call) -> Answer {
    let given: BTreeMap<String, Value> = call.body()?;
    let found = find::managed(&app, &call, call.path("id")).await?;
    let names: Vec<String> = given.keys().cloned().collect();
    let orders = Assign { call: &call, given };
    let after = change(&app, &call, &found, "update_profile_attributes", &orders).await?;
    changed(&call, &after, &names)
}

struct Assign<'a> {
    call: &'a Call,
    given: BTreeMap<String, Value>,
}

impl Orders for Assign<'_> {
    async fn give(&self, profile: &mut ProfileChange<'_, '_>) -> Result<(), Halt<Failure>> {
        let (catalogue, names) = (&profile.tenant.catalogue, self.given.keys());
        self.call.caller.check_attributes(catalogue, names, AttributeAction::Write)?;
        let attributes = self.given.iter();
        let attributes = attributes.map(|(name, value)| (name.clone(), value.clone().into()));
        let (attributes, removed) = (attributes.collect(), vec![]);
        profile.order(Command::AssignAttributes { attributes, removed }).await
    }
}

/// Removes attributes of a profile.
#[utoipa::path(
    post,
    path = "/api/1/profile/{id}/attributes/remove",
    operation_id = "crafter_remove_profile_attributes",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = Wire), (status = 404))
)]
pub async fn remove(State(app): State<Arc<App>>, call: Call) -> Answer {
    let names = call.parameters.required_list("attributeName")?;
    let found = find::managed(&app, &call, call.path("id")).await?;
    let orders = Remove { call: &call, names };
    let after = change(&app, &call, &found, "remove_profile_attributes", &orders).await?;
    changed(&call, &after, &[])
}

struct Remove<'a> {
    call: &'a Call,
    names: Vec<String>,
}

impl Orders for Remove<'_> {
    async fn give(&self, profile: &mut ProfileChange<'_, '_>) -> Result<(), Halt<Failure>> {
        let (catalogue, removed) = (&profile.tenant.catalogue, self.names.clone());
        self.call.caller.check_attributes(catalogue, &removed, AttributeAction::Remove)?;
        let attributes = BTreeMap::new();
        profile.order(Command::AssignAttributes { attributes, removed }).await
    }
}
