//! POST /api/1/authentication/authenticate (contract 4.6). An unknown username and a locked profile
//! get the same answer as a wrong password, after the same time.

use std::sync::Arc;

use axum::extract::State;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::crafter::answer::{Answer, bean};
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find::{self, FoundProfile};
use crate::api::crafter::profile::create::hashed;
use crate::api::crafter::selector::Bean;
use crate::api::crafter::types::session::Ticket;
use crate::api::crafter::write::{Kind, write};
use crate::domain::entitlement::TenantAction;
use crate::domain::ids::derived;
use crate::domain::profile::{By, Command, Profile};
use crate::engine::kept::credentials;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::Change;
use crate::engine::write::halt::{Halt, Ordered};
use crate::passwords::{Hash, Password, Verdict};

use super::ticket;

/// Logs in with username and password.
#[utoipa::path(
    post,
    path = "/api/1/authentication/authenticate",
    operation_id = "crafter_authenticate",
    tag = "crafter",
    responses(
        (status = 200, body = Ticket),
        (status = 401),
    )
)]
pub async fn authenticate(State(app): State<Arc<App>>, call: Call) -> Answer {
    let tenant = call.parameters.required("tenantName")?;
    let username = call.parameters.required("username")?;
    let password = call.parameters.required("password")?;
    call.caller.may_all(tenant, &[TenantAction::ManageTickets, TenantAction::ManageProfiles])?;
    let found = match find::tenant_by_name(&app, tenant).await? {
        Some(tenant) => find::by_username(&app, &tenant, username).await?,
        None => None,
    };
    if let Some(found) = &found {
        find::may_manage(&call, &found.tenant.name)?;
        if !found.facts.is_active() {
            return Err(Failure::DisabledProfile);
        }
    }
    let locked = found.as_ref().is_some_and(|found| found.facts.is_locked(call.received_at));
    let open = found.filter(|_| !locked);
    let stored = match &open {
        Some(found) => app.engine.password_of(found.tenant.id, found.id).await?,
        None => None,
    };
    // A password that is empty or too long is wrong. It is compared all the same, for the same
    // time.
    let tried = Password::parse(password.to_owned());
    let is_one = tried.is_ok();
    let tried = tried.unwrap_or_else(|_| wrong_password());
    let verdict = app.applications.passwords.verify(tried, stored.as_deref()).await;
    let verdict = verdict.map_err(|_| Failure::Overloaded)?;
    let Some(found) = open else {
        return match locked {
            true => {
                delay_answer(&app, u32::MAX).await;
                Err(Failure::BadCredentials)
            }
            false => refuse_unknown(&app, tenant, username).await,
        };
    };
    if verdict == Verdict::Wrong || !is_one {
        return refuse(&app, &call, &found).await;
    }
    let upgraded = match verdict {
        Verdict::RightButUpgrade => hashed(&app, Some(password)).await?,
        Verdict::Right | Verdict::Wrong => None,
    };
    let id = Uuid::new_v4();
    admit(&app, &call, &found, id, upgraded.as_ref()).await?;
    bean(&call, Bean::Ticket, &ticket::shown(&found.tenant.name, found.id, call.received_at, id))
}

fn wrong_password() -> Password {
    Password::parse("-".to_owned()).expect("one letter is a password")
}

/// The password is right: issues a ticket and resets the counter of failures.
async fn admit(
    app: &App,
    call: &Call,
    found: &FoundProfile,
    id: Uuid,
    upgraded: Option<&Hash>,
) -> Result<(), Failure> {
    let kind = Kind { area: "profile", operation: "authenticate" };
    let upgraded = upgraded.map(Hash::as_str);
    let log_in = LogIn { app, call, found, admitted: Some(Admitted { id, upgraded }) };
    write(app, call, found.tenant.id, kind, &log_in).await?;
    app.applications.tickets.touch(ticket::stream_of(id), call.received_at);
    Ok(())
}

/// The password is wrong: counts it, and delays the answer if there were failures before.
async fn refuse(app: &App, call: &Call, found: &FoundProfile) -> Answer {
    let kind = Kind { area: "profile", operation: "authenticate" };
    let log_in = LogIn { app, call, found, admitted: None };
    match write(app, call, found.tenant.id, kind, &log_in).await {
        Ok(failures_before) => delay_answer(app, failures_before + 1).await,
        // Locked or disabled in the meantime: this answer takes as long as the others.
        Err(Failure::BadCredentials) => delay_answer(app, u32::MAX).await,
        Err(failure) => return Err(failure),
    }
    Err(Failure::BadCredentials)
}

/// The outcome of comparing a password. It goes on record if the profile may still log in.
struct LogIn<'a> {
    app: &'a App,
    call: &'a Call,
    found: &'a FoundProfile,
    /// What the right password leads to.
    admitted: Option<Admitted<'a>>,
}

struct Admitted<'a> {
    /// The id of the ticket.
    id: Uuid,
    upgraded: Option<&'a str>,
}

impl Change for LogIn<'_> {
    /// Failures before this one.
    type Done = u32;
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<u32, Halt<Failure>> {
        let LogIn { app, call, found, admitted } = self;
        let state = decision.load::<Profile>(found.id.0).await?.state;
        let facts = state.live().ok_or(Failure::BadCredentials)?;
        if !facts.is_active() {
            return Err(Failure::DisabledProfile.into());
        }
        let another = facts.password_changes != found.facts.password_changes;
        if another || facts.is_locked(call.received_at) {
            return Err(Failure::BadCredentials.into());
        }
        let policy = app.applications.settings.lock_policy();
        let right = admitted.is_some();
        let command = Command::LogIn { right, now: call.received_at, policy };
        let by = By::application(&*found.tenant.catalogue);
        let logged_in = decision.order::<Profile>(found.id.0, by, command).await;
        logged_in.or_refuse(|_| Failure::BadCredentials)?;
        if let Some(Admitted { id, upgraded }) = admitted {
            if let Some(hash) = upgraded {
                decision.row(credentials::password(found.tenant.id, found.id, hash));
            }
            ticket::issue(decision, call, found.id, *id)?;
        }
        Ok(facts.failed_log_ins)
    }
}

/// Contract 2: failures of an unknown username are counted and delayed as those of a known one.
async fn refuse_unknown(app: &App, tenant: &str, username: &str) -> Answer {
    let key = derived(&[b"failures", tenant.as_bytes(), username.as_bytes()]);
    let failures = &app.applications.failures;
    let count = failures
        .entry(key)
        .and_upsert_with(|entry| entry.map_or(1, |entry| entry.into_value().saturating_add(1)));
    delay_answer(app, *count.value()).await;
    Err(Failure::BadCredentials)
}

async fn delay_answer(app: &App, failures: u32) {
    if let Some(delay) = app.applications.settings.delay(failures) {
        tokio::time::sleep(delay).await;
    }
}
