//! POST /api/1/profile/{id}/update (contract 1): parameters that are given change something; empty
//! ones do not.

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::crafter::answer::Answer;
use crate::api::crafter::call::Call;
use crate::api::crafter::entitled::Given;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find;
use crate::api::crafter::types::profile::Profile as Wire;
use crate::domain::claims::USERNAME;
use crate::domain::entitlement::AttributeAction;
use crate::domain::mailbox::parse_mailbox;
use crate::domain::profile::Command;
use crate::domain::values::{Email, ValueKind};
use crate::engine::kept::secrets::ValueIds;
use crate::engine::write::halt::Halt;
use crate::passwords::Hash;

use super::create::{clean, hashed, is_shown_name};
use super::{Orders, ProfileChange, change, changed, named};

/// The changes that a call asks for.
struct Wanted {
    username: Option<String>,
    email: Option<String>,
    enabled: Option<bool>,
    roles: Option<Vec<String>>,
    attributes: Given,
}

/// Changes a profile.
#[utoipa::path(
    post,
    path = "/api/1/profile/{id}/update",
    operation_id = "crafter_update_profile",
    tag = "crafter",
    params(("id" = String, Path)),
    responses(
        (status = 200, body = Wire),
        (status = 404),
    )
)]
pub async fn update(State(app): State<Arc<App>>, call: Call) -> Answer {
    let wanted = wanted(&call)?;
    let found = find::managed(&app, &call, call.path("id")).await?;
    let names: Vec<String> = wanted.attributes.keys().cloned().collect();
    call.caller.check_attributes(&found.tenant.catalogue, &names, AttributeAction::Write)?;
    let ids = app.engine.secrets.value_ids(found.tenant.id).await?;
    let hash = hashed(&app, call.parameters.filled("password")?).await?;
    let orders = Update { call: &call, wanted, ids, hash };
    let after = change(&app, &call, &found, "update_profile", &orders).await?;
    changed(&call, &after, &names)
}

struct Update<'a> {
    call: &'a Call,
    wanted: Wanted,
    ids: ValueIds,
    hash: Option<Hash>,
}

impl Orders for Update<'_> {
    async fn give(&self, profile: &mut ProfileChange<'_, '_>) -> Result<(), Halt<Failure>> {
        let Update { call, wanted, ids, hash } = self;
        let catalogue = profile.tenant.catalogue.clone();
        call.caller.check_attributes(
            &catalogue,
            wanted.attributes.keys(),
            AttributeAction::Write,
        )?;
        if let Some(username) = &wanted.username {
            assign_username(profile, username).await?;
        }
        if let Some(address) = &wanted.email {
            assign_email(profile, address, ids).await?;
        }
        match wanted.enabled {
            Some(true) => profile.order(Command::ActivateProfile).await?,
            Some(false) => profile.order(Command::DeactivateProfile).await?,
            None => {}
        }
        if let Some(roles) = wanted.roles.clone() {
            profile.order(Command::AssignApplicationRoles { roles }).await?;
        }
        let attributes = wanted.attributes.iter();
        let attributes = attributes
            .map(|(name, value)| (name.clone(), clean(&catalogue, name, value.clone()).into()));
        let attributes = attributes.collect();
        profile.order(Command::AssignAttributes { attributes, removed: vec![] }).await?;
        match hash {
            Some(hash) => profile.change_password(hash).await,
            None => Ok(()),
        }
    }
}

fn wanted(call: &Call) -> Result<Wanted, Failure> {
    let parameters = &call.parameters;
    let attributes = parameters.json_object("attributes")?.into_iter().flatten().collect();
    let email = parameters.filled("email")?;
    let email = email.map(|email| parse_mailbox(email).map(|mailbox| mailbox.text.to_owned()));
    let email = email.transpose().map_err(|_| Failure::InvalidEmailAddress)?;
    let username = parameters.filled("username")?.map(str::to_owned);
    if let Some(username) = &username {
        named("username", username)?;
    }
    let roles = parameters.list("role")?;
    roles.iter().flatten().try_for_each(|role| named("role", role))?;
    let enabled = parameters.boolean("enabled")?;
    Ok(Wanted { username, email, enabled, roles, attributes })
}

async fn assign_username(
    profile: &mut ProfileChange<'_, '_>,
    username: &str,
) -> Result<(), Halt<Failure>> {
    if profile.facts()?.username.as_deref() == Some(username) {
        return Ok(());
    }
    profile.order(Command::AssignUsername { username: username.to_owned() }).await?;
    let taken = !profile.decision.collisions(&[USERNAME]).await?.is_empty();
    if taken || is_shown_name(profile.decision, profile.id, username).await? {
        return Err(Failure::ProfileExists.into());
    }
    Ok(())
}

/// This API shows the first address. Addresses that other APIs added stay behind it.
async fn assign_email(
    profile: &mut ProfileChange<'_, '_>,
    address: &str,
    ids: &ValueIds,
) -> Result<(), Halt<Failure>> {
    let facts = profile.facts()?;
    if facts.emails.first().is_some_and(|email| email.address.0 == address) {
        return Ok(());
    }
    let id = ids.id(ValueKind::Email, address);
    let email = Email { id, address: address.to_owned().into(), login: false };
    // A profile with a directory role keeps the address that it logs in with.
    let trusted = !facts.roles.is_empty();
    let stays = |(place, email): &(usize, &Email)| {
        (*place > 0 || (trusted && email.login)) && email.id != id
    };
    let rest = facts.emails.iter().enumerate().filter(stays).map(|(_, email)| email.clone());
    let emails = std::iter::once(email).chain(rest).collect();
    profile.order(Command::AssignEmails { emails }).await
}
