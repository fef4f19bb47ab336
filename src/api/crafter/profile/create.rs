//! POST /api/1/profile/create (contract 1, 4.5, 4.7).

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::api::app::App;
use crate::api::crafter::answer::{Answer, bean};
use crate::api::crafter::call::Call;
use crate::api::crafter::error::Failure;
use crate::api::crafter::find::{self, FoundProfile, FoundTenant};
use crate::api::crafter::selector::Bean;
use crate::api::crafter::shown;
use crate::api::crafter::types::profile::Profile as Wire;
use crate::api::crafter::write::{Kind, write};
use crate::domain::claims::{self, Bearer, USERNAME};
use crate::domain::cleansing::cleansed;
use crate::domain::entitlement::{AttributeAction, TenantAction};
use crate::domain::ids::{ProfileId, ValueId};
use crate::domain::mailbox::parse_mailbox;
use crate::domain::object_id::ObjectId;
use crate::domain::profile::{By, Command, Profile, Registration};
use crate::domain::session::{self, Session};
use crate::domain::tenant::{Catalogue, Tenant};
use crate::domain::values::{Email, ValueKind};
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::Change;
use crate::engine::write::halt::{Halt, Ordered};
use crate::engine::write::mint;
use crate::mail::{Kind as MailKind, Mail, link};
use crate::passwords::{Hash, Password};

use super::{ProfileChange, as_recorded, named};

/// Longest address of a page that the link in a mail leads to, in bytes.
pub const URL_BYTES_MAX: usize = 2_000;

/// Registers a profile.
#[utoipa::path(
    post,
    path = "/api/1/profile/create",
    operation_id = "crafter_create_profile",
    tag = "crafter",
    responses(
        (status = 200, body = Wire),
        (status = 404),
    )
)]
pub async fn create(State(app): State<Arc<App>>, call: Call) -> Answer {
    let wanted = Wanted::of(&call)?;
    call.caller.may(&wanted.tenant, TenantAction::ManageProfiles)?;
    let email = parse_mailbox(&wanted.email).map_err(|_| Failure::InvalidEmailAddress)?.text;
    call.caller.may(&wanted.tenant, TenantAction::ReadTenant)?;
    let tenant = find::tenant_by_name(&app, &wanted.tenant).await?.ok_or(Failure::NoSuchTenant)?;
    let names = wanted.attributes.keys();
    call.caller.check_attributes(&tenant.catalogue, names, AttributeAction::Write)?;
    let ids = app.engine.secrets.value_ids(tenant.id).await?;
    let email = Email {
        id: ids.id(ValueKind::Email, email),
        address: email.to_owned().into(),
        login: false,
    };
    let hash = hashed(&app, wanted.password.as_deref()).await?;
    let id = ProfileId(mint::new_id());
    let kind = Kind { area: "profile", operation: "create_profile" };
    let new = Register { app: &app, call: &call, tenant: &tenant, wanted, id, email, hash };
    let made = write(&app, &call, tenant.id, kind, &new).await?;
    let made = as_recorded(&app, made).await?;
    app.applications.outbox.look();
    bean(&call, Bean::Profile, &shown::profile(&made, shown::attributes(&made.facts)))
}

struct Register<'a> {
    app: &'a App,
    call: &'a Call,
    tenant: &'a FoundTenant,
    wanted: Wanted,
    id: ProfileId,
    email: Email,
    hash: Option<Hash>,
}

impl Change for Register<'_> {
    type Done = FoundProfile;
    type Refusal = Failure;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<FoundProfile, Halt<Failure>> {
        let Register { app, call, tenant, wanted, id, email, hash } = self;
        let catalogue = decision.load::<Tenant>(tenant.id.0).await?.state;
        if catalogue.name.as_deref() != Some(&tenant.name) {
            return Err(Failure::NoSuchTenant.into());
        }
        let verification = wanted.verification_url.as_deref();
        let verification = verification.filter(|_| catalogue.verifies_new_profiles);
        let attributes = with_defaults(&catalogue, &wanted.attributes).into_iter();
        let registration = Registration {
            emails: vec![email.clone()],
            active: Some(wanted.enabled && verification.is_none()),
            attributes: attributes.map(|(name, value)| (name, value.into())).collect(),
            username: Some(wanted.username.clone().into()),
            application_roles: wanted.roles.clone(),
            ..Registration::default()
        };
        let (by, command) = (By::application(&*catalogue), Command::RegisterProfile(registration));
        let registered = decision.begin::<Profile>(id.0, by, command);
        registered.or_refuse(|_| Failure::ProfileExists)?;
        let taken = !decision.collisions(&[USERNAME]).await?.is_empty();
        if taken || is_shown_name(decision, *id, &wanted.username).await? {
            return Err(Failure::ProfileExists.into());
        }
        if let Some(url) = verification {
            send_link(decision, app, call, *id, email, MailKind::VerifyAccount, url)?;
        }
        let tenant = FoundTenant { catalogue, ..(*tenant).clone() };
        let mut profile = ProfileChange { decision, tenant, id: *id };
        if let Some(hash) = hash {
            profile.change_password(hash).await?;
        }
        profile.into_found()
    }
}

/// What a call asks for.
struct Wanted {
    tenant: String,
    username: String,
    password: Option<String>,
    email: String,
    enabled: bool,
    roles: Vec<String>,
    attributes: BTreeMap<String, Value>,
    verification_url: Option<String>,
}

impl Wanted {
    fn of(call: &Call) -> Result<Wanted, Failure> {
        let parameters = &call.parameters;
        let wanted = Wanted {
            tenant: parameters.required("tenantName")?.to_owned(),
            username: parameters.required("username")?.to_owned(),
            password: parameters.filled("password")?.map(str::to_owned),
            email: parameters.required("email")?.to_owned(),
            enabled: parameters.required_boolean("enabled")?,
            roles: parameters.list("role")?.unwrap_or_default(),
            verification_url: parameters.filled("verificationUrl")?.map(str::to_owned),
            attributes: parameters.json_object("attributes")?.into_iter().flatten().collect(),
        };
        named("username", &wanted.username)?;
        wanted.roles.iter().try_for_each(|role| named("role", role))?;
        if let Some(url) = &wanted.verification_url {
            may_link_to(url)?;
        }
        Ok(wanted)
    }
}

/// Whether another profile of the tenant has this username, or has no username and this id.
///
/// # Errors
/// Only those of the log.
pub async fn is_shown_name(
    decision: &mut Decision<'_>,
    id: ProfileId,
    username: &str,
) -> Result<bool, Halt<Failure>> {
    let spelt = |one: &ObjectId| one.to_string() == username;
    let Some(shown) = ObjectId::parse(username).filter(spelt) else { return Ok(false) };
    let claim = claims::profile_id(shown);
    match decision.engine.holder(claim).await? {
        Some(held) if held.tenant_id == decision.tenant.0 && held.holder != id.0 => {
            let other = decision.load::<Profile>(held.holder).await?.state;
            Ok(other.live().is_some_and(|facts| facts.username.is_none()))
        }
        _ => Ok(false),
    }
}

/// The address of a page that a mail may link to.
///
/// # Errors
/// [`Failure::Invalid`].
pub fn may_link_to(url: &str) -> Result<(), Failure> {
    let web = url.starts_with("http://") || url.starts_with("https://");
    match web && url.len() <= URL_BYTES_MAX {
        true => Ok(()),
        false => Err(Failure::invalid("a link leads to an http or https address")),
    }
}

/// The hash of the password in a parameter.
///
/// # Errors
/// [`Failure::Invalid`] for an empty or too long password, [`Failure::Overloaded`].
pub async fn hashed(app: &App, password: Option<&str>) -> Result<Option<Hash>, Failure> {
    let Some(password) = password else { return Ok(None) };
    let password = Password::parse(password.to_owned());
    let password = password.map_err(|error| Failure::invalid(error.to_string()))?;
    let hash = app.applications.passwords.hash(password).await;
    hash.map(Some).map_err(|_| Failure::Overloaded)
}

/// Contract 4.7: a definition's default fills an attribute that is not given. All values are
/// cleansed if the tenant wants that.
fn with_defaults(
    catalogue: &Catalogue,
    given: &BTreeMap<String, Value>,
) -> BTreeMap<String, Value> {
    let defaults = catalogue.attributes.iter().filter_map(|one| {
        let value = one.default_value.clone()?;
        (!given.contains_key(&one.name)).then(|| (one.name.clone(), value))
    });
    let all = given.clone().into_iter().chain(defaults);
    all.map(|(name, value)| (name.clone(), clean(catalogue, &name, value))).collect()
}

/// A value as it is stored.
pub fn clean(catalogue: &Catalogue, name: &str, value: Value) -> Value {
    if !catalogue.cleanses_attributes {
        return value;
    }
    let metadata = catalogue.attribute(name).and_then(|one| one.metadata.as_ref());
    cleansed(value, metadata.and_then(|metadata| metadata.get("type")?.as_str()))
}

/// Adds a verification token to the decision, and to the outbox a mail with a link that holds it.
///
/// # Errors
/// Only those of the log.
pub fn send_link(
    decision: &mut Decision<'_>,
    app: &App,
    call: &Call,
    profile: ProfileId,
    recipient: &Email,
    kind: MailKind,
    url: &str,
) -> Result<(), Halt<Failure>> {
    let (token, expires_at) = issue_token(decision, app, call, profile, Some(recipient.id))?;
    let mail = Mail {
        id: Uuid::now_v7(),
        kind,
        recipient: recipient.address.0.clone(),
        link: link(url, token),
        created_at: call.received_at,
        expires_at,
    };
    decision.row(app.applications.outbox.row(decision.tenant, &mail));
    Ok(())
}

/// Adds a new verification token of a profile to the decision; returns it, and when it ends.
///
/// # Errors
/// Only those of the log.
pub fn issue_token(
    decision: &mut Decision<'_>,
    app: &App,
    call: &Call,
    profile: ProfileId,
    email_id: Option<ValueId>,
) -> Result<(Uuid, DateTime<Utc>), Halt<Failure>> {
    let token = Uuid::new_v4();
    let stream = Bearer::Verification.claim(&token.to_string());
    let life = Duration::seconds(app.applications.settings.verification_seconds_max);
    let expires_at = call.received_at + life;
    let command = session::Command::IssueVerification { profile, email_id, expires_at };
    let issued = decision.begin::<Session>(stream, (), command);
    issued.or_refuse(|_| Failure::Internal)?;
    Ok((token, expires_at))
}
