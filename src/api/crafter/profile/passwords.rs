//! Replaces a forgotten password by way of a mail (contract 1, 4.5).

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::crafter::answer::Answer;
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find::{self, FoundProfile};
use crate::api::crafter::types::profile::Profile as Wire;
use crate::api::crafter::write::{Kind, write};
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::Change;
use crate::engine::write::halt::Halt;
use crate::mail::Kind as MailKind;
use crate::passwords::Hash;

use super::create::{hashed, may_link_to, send_link};
use super::verification::{Token, profile_of, token, use_up};
use super::{Orders, ProfileChange, changed, read};

/// Sends a profile a mail with a link by which the person chooses another password.
#[utoipa::path(
    post,
    path = "/api/1/profile/{id}/reset_password",
    operation_id = "crafter_reset_password",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = Wire), (status = 404))
)]
pub async fn reset(State(app): State<Arc<App>>, call: Call) -> Answer {
    let url = call.parameters.required("resetPasswordUrl")?;
    may_link_to(url)?;
    let found = find::managed(&app, &call, call.path("id")).await?;
    // A profile without an address gets no mail; the answer is the same.
    if !found.facts.emails.is_empty() {
        let kind = Kind { area: "session", operation: "reset_password" };
        let mail = SendLink { app: &app, call: &call, found: &found, url };
        write(&app, &call, found.tenant.id, kind, &mail).await?;
        app.applications.outbox.look();
    }
    read(&call, &found)
}

struct SendLink<'a> {
    app: &'a App,
    call: &'a Call,
    found: &'a FoundProfile,
    url: &'a str,
}

impl Change for SendLink<'_> {
    type Done = ();
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<(), Halt<Failure>> {
        let SendLink { app, call, found, url } = self;
        let profile = ProfileChange::of(decision, found).await?;
        let Some(recipient) = profile.facts()?.emails.first().cloned() else { return Ok(()) };
        send_link(decision, app, call, found.id, &recipient, MailKind::ResetPassword, url)
    }
}

/// Sets another password with the token of such a mail.
#[utoipa::path(
    post,
    path = "/api/1/profile/change_password",
    operation_id = "crafter_change_password",
    tag = "crafter",
    responses((status = 200, body = Wire), (status = 404))
)]
pub async fn change(State(app): State<Arc<App>>, call: Call) -> Answer {
    let id = call.parameters.required("resetTokenId")?;
    let password = call.parameters.required("newPassword")?;
    let token = token(&app, &call, id).await?;
    let found = profile_of(&app, &call, &token).await?;
    let hash = hashed(&app, Some(password)).await?.ok_or(Failure::Internal)?;
    let orders = ChangePassword { token, hash };
    let after = super::change(&app, &call, &found, "change_password", &orders).await?;
    changed(&call, &after, &[])
}

struct ChangePassword {
    token: Token,
    hash: Hash,
}

impl Orders for ChangePassword {
    async fn give(&self, profile: &mut ProfileChange<'_, '_>) -> Result<(), Halt<Failure>> {
        use_up(profile.decision, self.token.stream).await?;
        profile.change_password(&self.hash).await
    }
}
