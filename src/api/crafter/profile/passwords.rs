//! Resetting a forgotten password by a mail (contract 1, 4.5).

use std::sync::Arc;

use axum::extract::State;

use crate::api::app::App;
use crate::api::crafter::answer::Answer;
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find;
use crate::api::crafter::types::profile::Profile as Wire;
use crate::api::crafter::write::{Kind, write};
use crate::domain::profile::Command;
use crate::engine::credentials;
use crate::mail::Kind as MailKind;

use super::create::{hashed, may_link_to, send_link};
use super::verification::{profile_of, spend, token};
use super::{Change, changed, read};

/// Sends a profile a mail whose link lets it choose another password.
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
    // Who has no address is told nothing.
    if !found.facts.emails.is_empty() {
        let kind = Kind { area: "session", operation: "reset_password" };
        let sent = write(&app, &call, found.place.tenant, kind, |decision| {
            let (found, app, call) = (&found, &app, &call);
            Box::pin(async move {
                let change = Change::of(decision, found).await?;
                let Some(recipient) = change.facts()?.emails.first().cloned() else {
                    return Ok(());
                };
                let kind = MailKind::ResetPassword;
                send_link(decision, app, call, found.id, &recipient, kind, url)
            })
        });
        sent.await?;
        app.applications.outbox.look();
    }
    read(&call, &found)
}

/// Sets another password by the token of such a mail.
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
    let after = super::change(&app, &call, &found, "change_password", |change| {
        let (token, hash) = (&token, &hash);
        Box::pin(async move {
            spend(change.decision, token.stream).await?;
            change.order(Command::ChangePassword)?;
            let row = credentials::password(change.place.tenant, change.id, hash.as_str());
            change.decision.row(row);
            Ok(())
        })
    });
    changed(&call, &after.await?, &[])
}
