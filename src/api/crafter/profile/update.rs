//! POST /api/1/profile/{id}/update (contract 1): what is given changes, what is empty stays.

use std::sync::Arc;

use axum::extract::State;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::crafter::answer::Answer;
use crate::api::crafter::call::Call;
use crate::api::crafter::entitled::Given;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find;
use crate::api::crafter::types::profile::Profile as Wire;
use crate::domain::entitlement::AttributeAction;
use crate::domain::mailbox::parse_mailbox;
use crate::domain::profile::Command;
use crate::domain::values::{Email, ValueKind};
use crate::engine::execute::Halt;
use crate::engine::secrets::ValueIds;
use crate::engine::{claims, credentials};

use super::create::{clean, hashed, is_shown_name};
use super::{Change, change, changed, named};

/// What a call asks to be changed.
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
    call.caller.may_with(&found.place.catalogue, &names, AttributeAction::Write)?;
    let ids = app.engine.secrets.value_ids(found.place.tenant).await?;
    let hash = hashed(&app, call.parameters.filled("password")?).await?;
    let after = change(&app, &call, &found, "update_profile", |change| {
        let (wanted, ids, hash, call) = (&wanted, &ids, &hash, &call);
        Box::pin(async move {
            let catalogue = change.place.catalogue.clone();
            let names = wanted.attributes.keys();
            call.caller.may_with(&catalogue, names, AttributeAction::Write)?;
            assign_username(change, wanted.username.as_deref()).await?;
            assign_email(change, wanted.email.as_deref(), ids)?;
            match wanted.enabled {
                Some(true) => change.order(Command::ActivateProfile)?,
                Some(false) => change.order(Command::DeactivateProfile)?,
                None => {}
            }
            if let Some(roles) = wanted.roles.clone() {
                change.order(Command::AssignApplicationRoles { roles })?;
            }
            let attributes = wanted
                .attributes
                .iter()
                .map(|(name, value)| (name.clone(), clean(&catalogue, name, value.clone()).into()));
            let attributes = attributes.collect();
            change.order(Command::AssignAttributes { attributes, removed: vec![] })?;
            if let Some(hash) = hash {
                let (tenant, id) = (change.place.tenant, change.id);
                change.order(Command::ChangePassword)?;
                change.decision.row(credentials::password(tenant, id, hash.as_str()));
            }
            Ok(())
        })
    });
    let after = after.await?;
    changed(&call, &after, &names)
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
    change: &mut Change<'_, '_>,
    username: Option<&str>,
) -> Result<(), Halt<Failure>> {
    let before = change.facts()?.username.clone();
    let Some(username) = username.filter(|name| before.as_deref() != Some(*name)) else {
        return Ok(());
    };
    let (tenant, id) = (change.place.tenant, change.id);
    let claim = claims::username(tenant, username);
    if change.decision.engine.reader.claims(&[claim]).await?.contains_key(&claim) {
        return Err(Failure::ProfileExists.into());
    }
    if is_shown_name(change.decision, change.id, username).await? {
        return Err(Failure::ProfileExists.into());
    }
    if let Some(before) = before {
        change.decision.release(claims::username(tenant, &before));
    }
    change.decision.take(claims::take_username(tenant, username, id));
    change.order(Command::AssignUsername { username: username.to_owned() })
}

/// The first address is the one that this face speaks of; those that others gave stay behind it.
fn assign_email(
    change: &mut Change<'_, '_>,
    address: Option<&str>,
    ids: &ValueIds,
) -> Result<(), Halt<Failure>> {
    let before = change.facts()?.emails.clone();
    let Some(address) = address else { return Ok(()) };
    if before.first().is_some_and(|email| email.address.0 == address) {
        return Ok(());
    }
    let id = ids.id(ValueKind::Email, address);
    let email = Email { id, address: address.to_owned().into(), login: false };
    // Whoever holds a directory role goes on logging in with what they did.
    let trusted = !change.facts()?.roles.is_empty();
    let stays = |(place, email): &(usize, &Email)| {
        (*place > 0 || (trusted && email.login)) && email.id != id
    };
    let rest = before.iter().enumerate().filter(stays).map(|(_, email)| email.clone());
    let emails: Vec<Email> = std::iter::once(email).chain(rest).collect();
    change.order(Command::AssignEmails { emails })?;
    // By claims, not by ids: addresses that differ in their letters' case share one.
    let tenant = change.place.tenant;
    let held = |emails: &[Email]| -> Vec<Uuid> {
        let log_ins = emails.iter().filter(|email| email.login);
        log_ins.map(|email| claims::login_email(tenant, &email.address.0)).collect()
    };
    let kept = held(&change.facts()?.emails);
    for gone in held(&before).into_iter().filter(|claim| !kept.contains(claim)) {
        change.decision.release(gone);
    }
    Ok(())
}
