//! Verification tokens, and verifying an e-mail address with one (contract 1, 4.5). Both kinds of
//! tokens work in both calls, and work once.

use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::api::app::App;
use crate::api::crafter::answer::{Answer, bean, empty};
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find::{self, FoundProfile};
use crate::api::crafter::selector::Bean;
use crate::api::crafter::types::profile::Profile as Wire;
use crate::api::crafter::types::session::VerificationToken;
use crate::api::crafter::write::{Kind, write};
use crate::domain::claims::{Bearer, Claim};
use crate::domain::entitlement::TenantAction;
use crate::domain::ids::{ProfileId, TenantId, ValueId};
use crate::domain::mailbox::is_bare_address;
use crate::domain::object_id::shown;
use crate::domain::profile::Command;
use crate::domain::session::{self, Session};
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::Change;
use crate::engine::write::halt::{Halt, Ordered};

use super::create::issue_token;
use super::{Orders, ProfileChange, change, changed};

/// A token that is valid now.
pub struct Token {
    pub tenant: TenantId,
    /// The name of its tenant, which may be deleted.
    pub tenant_name: String,
    pub stream: Uuid,
    pub profile: ProfileId,
    email_id: Option<ValueId>,
    issued_at: DateTime<Utc>,
}

/// The token with this id, if it is valid now.
///
/// # Errors
/// [`Failure::NoSuchVerificationToken`].
pub async fn token(app: &App, call: &Call, id: &str) -> Result<Token, Failure> {
    let none = || Failure::NoSuchVerificationToken;
    let found = app.applications.found(&app.engine, Bearer::Verification, id).await?;
    let (tenant, stream) = found.ok_or_else(none)?;
    let state = app.engine.load::<Session>(tenant, stream).await?.state;
    match *state {
        session::State::Verification { profile, email_id, issued_at, expires_at }
            if call.received_at < expires_at =>
        {
            let tenant_name = find::lasting_name(app, tenant).await?;
            Ok(Token { tenant, tenant_name, stream, profile, email_id, issued_at })
        }
        _ => Err(none()),
    }
}

/// The profile of a token, if the caller may manage it.
///
/// # Errors
/// [`Failure::NoSuchVerificationToken`], [`Failure::NoSuchProfile`], [`Failure::ActionDenied`].
pub async fn profile_of(app: &App, call: &Call, token: &Token) -> Result<FoundProfile, Failure> {
    call.caller.may(&token.tenant_name, TenantAction::ManageProfiles)?;
    let found = find::in_tenant(app, token.tenant, token.profile).await?;
    let found = found.ok_or(Failure::NoSuchProfile)?;
    find::may_manage(call, &found.tenant.name)?;
    Ok(found)
}

/// Ends a token after its use.
///
/// # Errors
/// [`Failure::NoSuchVerificationToken`] when another request used it first.
pub async fn use_up(decision: &mut Decision<'_>, stream: Uuid) -> Result<(), Halt<Failure>> {
    let command = session::Command::EndSession { reason: "used" };
    let ended = decision.order::<Session>(stream, (), command).await;
    match ended.or_refuse(|_| Failure::Internal)?.is_empty() {
        true => Err(Failure::NoSuchVerificationToken.into()),
        false => Ok(()),
    }
}

/// Verifies and enables a profile with a token.
#[utoipa::path(
    post,
    path = "/api/1/profile/verify",
    operation_id = "crafter_verify_profile",
    tag = "crafter",
    responses((status = 200, body = Wire), (status = 404))
)]
pub async fn verify(State(app): State<Arc<App>>, call: Call) -> Answer {
    let id = call.parameters.required("verificationTokenId")?;
    let token = token(&app, &call, id).await?;
    let found = profile_of(&app, &call, &token).await?;
    let after = change(&app, &call, &found, "verify_profile", &Verify(token)).await?;
    changed(&call, &after, &[])
}

struct Verify(Token);

impl Orders for Verify {
    async fn give(&self, profile: &mut ProfileChange<'_, '_>) -> Result<(), Halt<Failure>> {
        use_up(profile.decision, self.0.stream).await?;
        let log_in_email_is_free = is_log_in_free(profile, self.0.email_id).await?;
        profile.order(Command::VerifyProfile { log_in_email_is_free }).await
    }
}

/// Whether the address to which the token was sent becomes a log-in: the profile still has it, and
/// no other profile logs in with it.
async fn is_log_in_free(
    profile: &ProfileChange<'_, '_>,
    sent_to: Option<ValueId>,
) -> Result<bool, Halt<Failure>> {
    let facts = profile.facts()?;
    // An application does not choose the log-in of a profile with a directory role.
    if !facts.roles.is_empty() {
        return Ok(false);
    }
    let first = facts.emails.first();
    let Some(email) = first.filter(|email| !email.login && Some(email.id) == sent_to) else {
        return Ok(false);
    };
    // An address with a display name is not what a person logs in with.
    if !is_bare_address(&email.address.0) {
        return Ok(false);
    }
    let claim = Claim::login_email(profile.tenant.id, &email.address.0).key;
    Ok(profile.decision.engine.holder(claim).await?.is_none())
}

/// Makes a verification token of a profile. No mail is sent.
#[utoipa::path(
    post,
    path = "/api/1/profile/{id}/verification_token/create",
    operation_id = "crafter_create_verification_token",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = VerificationToken), (status = 404))
)]
pub async fn create(State(app): State<Arc<App>>, call: Call) -> Answer {
    let found = find::managed(&app, &call, call.path("id")).await?;
    let kind = Kind { area: "session", operation: "create_verification_token" };
    let new = Create { app: &app, call: &call, found: &found };
    let id = write(&app, &call, found.tenant.id, kind, &new).await?;
    let token = VerificationToken {
        tenant: found.tenant.name.clone(),
        profile_id: shown(found.id.0),
        timestamp: token(&app, &call, &id.to_string()).await?.issued_at,
        id,
    };
    bean(&call, Bean::VerificationToken, &token)
}

struct Create<'a> {
    app: &'a App,
    call: &'a Call,
    found: &'a FoundProfile,
}

impl Change for Create<'_> {
    type Done = Uuid;
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<Uuid, Halt<Failure>> {
        let Create { app, call, found } = self;
        // The application sends it to the address of now. Another address is not verified by it.
        let profile = ProfileChange::of(decision, found).await?;
        let email_id = profile.facts()?.emails.first().map(|email| email.id);
        let (token, _) = issue_token(decision, app, call, found.id, email_id)?;
        Ok(token)
    }
}

/// A verification token.
#[utoipa::path(
    get,
    path = "/api/1/profile/verification_token/{id}",
    operation_id = "crafter_get_verification_token",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200, body = VerificationToken), (status = 404))
)]
pub async fn get(State(app): State<Arc<App>>, call: Call) -> Answer {
    let id = call.path("id");
    let token = token(&app, &call, id).await?;
    let name = &token.tenant_name;
    call.caller.may(name, TenantAction::ManageProfiles)?;
    let token = VerificationToken {
        tenant: name.to_owned(),
        profile_id: shown(token.profile.0),
        timestamp: token.issued_at,
        id: id.parse().map_err(|_| Failure::NoSuchVerificationToken)?,
    };
    bean(&call, Bean::VerificationToken, &token)
}

/// Deletes a verification token. If there is none, nothing changes.
#[utoipa::path(
    post,
    path = "/api/1/profile/verification_token/{id}/delete",
    operation_id = "crafter_delete_verification_token",
    tag = "crafter",
    params(("id" = String, Path)),
    responses((status = 200))
)]
pub async fn delete(State(app): State<Arc<App>>, call: Call) -> Answer {
    let token = match token(&app, &call, call.path("id")).await {
        Err(Failure::NoSuchVerificationToken) => return empty(),
        token => token?,
    };
    call.caller.may(&token.tenant_name, TenantAction::ManageProfiles)?;
    let kind = Kind { area: "session", operation: "delete_verification_token" };
    match write(&app, &call, token.tenant, kind, &Delete(token.stream)).await {
        Err(Failure::NoSuchVerificationToken) => {}
        done => done?,
    }
    empty()
}

struct Delete(Uuid);

impl Change for Delete {
    type Done = ();
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<(), Halt<Failure>> {
        use_up(decision, self.0).await
    }
}
