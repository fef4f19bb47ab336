//! What Crafter Profile kept, taken in: access tokens, tenants and profiles with their ids and
//! passwords, from a seed file or a database export. What an earlier run took in stays as people
//! have made it since: renamed, changed, deleted. A record that meets anything else that is there
//! is a bad one, so that nobody is left out in silence.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::stream::FuturesUnordered;
use futures_util::{Stream, StreamExt};
use indicatif::ProgressBar;
use uuid::Uuid;

use crate::crafter_file::read::Entry;
use crate::crafter_file::records::{AccessTokenRecord, ProfileRecord, Record, TenantRecord};
use crate::domain::Aggregate;
use crate::domain::access::AccessToken;
use crate::domain::ids::{INSTALLATION, ProfileId, TenantId};
use crate::domain::mailbox::is_bare_address;
use crate::domain::object_id::{ObjectId, shown};
use crate::domain::permission::Authority;
use crate::domain::profile::{self, Event, Profile, Registration};
use crate::domain::tenant::{self, ApplicationCommand, Catalogue, Command, Tenant};
use crate::domain::values::{Email, ValueKind};
use crate::engine::credentials::password;
use crate::engine::execute::{Decision, Halt, Order};
use crate::engine::{Engine, Error, Priority, access_tokens, claims, mint};
use crate::passwords::{Password, Passwords};
use crate::sealing::SealingKeys;

use super::open::operator;

/// Profiles taken in at once, so that they share commits.
const PROFILES_AT_ONCE: usize = 64;

/// What records are taken in with.
pub struct Intake<'a> {
    pub engine: &'a Engine,
    pub sealing: &'a SealingKeys,
    pub passwords: &'a Passwords,
}

/// What was taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub tenants: usize,
    pub tokens: usize,
    pub profiles: usize,
    /// What an earlier run took in, and tenants that had nothing to learn.
    pub before: usize,
    pub bad: usize,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "took in {} tenants, {} access tokens and {} profiles; {} were taken in before; {} bad",
            self.tenants, self.tokens, self.profiles, self.before, self.bad
        )
    }
}

enum Taken {
    New,
    Before,
}

/// Why a record cannot be taken in.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("there is no tenant {0:?}")]
    NoTenant(String),
    #[error("the record on line {0} is of the same thing")]
    Repeated(usize),
    #[error("its id is taken: something else has it, or had it before it was deleted")]
    IdTaken,
    #[error("its username belongs to the profile {0}")]
    UsernameTaken(String),
    #[error("there is an access token with its id already")]
    TokenTaken,
    #[error("its password has no or over 1024 bytes")]
    Password,
}

/// Takes records in; whatever is wrong with one is told, and the rest goes on.
///
/// # Errors
/// The log cannot be read or written.
pub async fn take_in(
    intake: &Intake<'_>,
    entries: impl Stream<Item = Result<Entry, String>>,
    bar: &ProgressBar,
) -> anyhow::Result<Summary> {
    let mut summary = Summary::default();
    let mut entries = std::pin::pin!(entries);
    let mut under_way = FuturesUnordered::new();
    // Some 30 bytes a record: what an earlier run took in must be told from what stands twice.
    let mut lines: HashMap<Uuid, usize> = HashMap::new();
    while let Some(entry) = entries.next().await {
        bar.inc(1);
        let entry = match entry {
            Ok(entry) => entry,
            Err(problem) => {
                summary.refuse(bar, &problem);
                continue;
            }
        };
        let key = record_claim(&entry.record);
        if let Some(first) = lines.get(&key) {
            let problem = entry.line.problem(Unfit::Repeated(*first).to_string());
            summary.refuse(bar, &problem.to_string());
            continue;
        }
        lines.insert(key, entry.line.number);
        // Profiles need their tenants: only they are taken in side by side.
        let alone = !matches!(entry.record, Record::Profile(_));
        under_way.push(async move { (one(intake, &entry.record).await, entry) });
        while under_way.len() >= PROFILES_AT_ONCE || (alone && !under_way.is_empty()) {
            summary.note(bar, under_way.next().await)?;
        }
    }
    while !under_way.is_empty() {
        summary.note(bar, under_way.next().await)?;
    }
    bar.finish_and_clear();
    Ok(summary)
}

impl Summary {
    fn refuse(&mut self, bar: &ProgressBar, problem: &str) {
        self.bad += 1;
        bar.suspend(|| eprintln!("{problem}"));
    }

    fn note(
        &mut self,
        bar: &ProgressBar,
        done: Option<(Result<Taken, Halt<Unfit>>, Entry)>,
    ) -> anyhow::Result<()> {
        match done {
            None => {}
            Some((Err(Halt::Failed(error @ Error::TooLarge(_))), entry)) => {
                self.refuse(bar, &entry.line.problem(error.to_string()).to_string());
            }
            Some((Err(Halt::Failed(error)), _)) => return Err(error.into()),
            Some((Err(Halt::Refused(unfit)), entry)) => {
                self.refuse(bar, &entry.line.problem(unfit.to_string()).to_string());
            }
            Some((Ok(Taken::Before), _)) => self.before += 1,
            Some((Ok(Taken::New), entry)) => match entry.record {
                Record::Tenant(_) => self.tenants += 1,
                Record::AccessToken(_) => self.tokens += 1,
                Record::Profile(_) => self.profiles += 1,
            },
        }
        Ok(())
    }
}

/// The claim on a record having been taken in. A profile's is under its own id, or in a seed,
/// which gives none, under its name.
fn record_claim(record: &Record) -> Uuid {
    match record {
        Record::Tenant(record) => claims::import_record("tenant", &[&record.name]),
        Record::AccessToken(record) => claims::import_record("access_token", &[record.id.expose()]),
        Record::Profile(record) => {
            let own = record.id.map(shown);
            let own = own.as_deref().unwrap_or(&record.username.0);
            claims::import_record("profile", &[&record.tenant, own])
        }
    }
}

async fn one(intake: &Intake<'_>, record: &Record) -> Result<Taken, Halt<Unfit>> {
    let line = record_claim(record);
    if is_held(intake.engine, line).await? {
        return Ok(Taken::Before);
    }
    match record {
        Record::Tenant(record) => tenant(intake.engine, record, line).await,
        Record::AccessToken(record) => token(intake, record, line).await,
        Record::Profile(record) => profile(intake, record, line).await,
    }
}

fn order(tenant: TenantId, area: &'static str) -> Order {
    let envelope = Arc::new(operator("import"));
    Order { tenant, envelope, area, priority: Priority::Caller }
}

async fn is_held(engine: &Engine, claim: Uuid) -> Result<bool, Error> {
    Ok(!engine.reader.claims(&[claim]).await?.is_empty())
}

/// Makes a tenant; one that was made otherwise gets the roles and attributes that it lacks.
async fn tenant(engine: &Engine, record: &TenantRecord, line: Uuid) -> Result<Taken, Halt<Unfit>> {
    let tenant = match (engine.tenant_named(&record.name).await?, record.id) {
        (Some(known), _) => known,
        (None, Some(id)) if is_held(engine, claims::tenant_id(ObjectId::of(id))).await? => {
            return Err(Halt::Refused(Unfit::IdTaken));
        }
        (None, id) => TenantId(id.unwrap_or_else(mint::new_id)),
    };
    let order = order(tenant, "tenant");
    let executed = engine.execute(&order, |decision| {
        let record = record.clone();
        Box::pin(async move {
            let before = decision.load::<Tenant>(tenant.0).await?.state;
            let mut state = (*before).clone();
            let mut events = Vec::new();
            for command in commands(&before, &record) {
                let decided = tenant::decide(&state, command);
                for event in decided.map_err(|_| Halt::Refused(Unfit::IdTaken))? {
                    Tenant::evolve(&mut state, &event, Utc::now());
                    events.push(event);
                }
            }
            if before.name.is_none() {
                decision.take(claims::take_tenant_name(tenant, &record.name));
            }
            let new = before.name.is_none();
            decision.append::<Tenant>(tenant.0, events, None)?;
            decision.take(claims::take_import_record(tenant, line, tenant.0));
            Ok::<_, Halt<Unfit>>(new)
        })
    });
    if executed.await?.value {
        return Ok(Taken::New);
    }
    claims::keep(engine, &claims::take_import_record(tenant, line, tenant.0)).await?;
    Ok(Taken::Before)
}

fn commands(before: &Catalogue, record: &TenantRecord) -> Vec<Command> {
    let mut orders = vec![];
    if before.name.is_none() {
        orders.extend([
            ApplicationCommand::RequireVerification { required: record.verify_new_profiles },
            ApplicationCommand::OfferSingleSignOn { offered: record.sso_enabled },
            ApplicationCommand::CleanseAttributes { cleansed: record.cleanse_attributes },
        ]);
    }
    let roles = record.available_roles.iter().cloned();
    orders.extend(roles.map(|role| ApplicationCommand::OfferApplicationRole { role }));
    let new = record.attribute_definitions.iter();
    let new = new.filter(|one| before.attribute(&one.name).is_none());
    orders.extend(new.map(|one| ApplicationCommand::DefineAttribute(one.clone())));
    let register = Command::RegisterTenant { name: record.name.clone() };
    std::iter::once(register).chain(orders.into_iter().map(Command::ForApplications)).collect()
}

async fn token(
    intake: &Intake<'_>,
    record: &AccessTokenRecord,
    line: Uuid,
) -> Result<Taken, Halt<Unfit>> {
    let (id, stream) = (record.id.expose(), Uuid::now_v7());
    let sealed = access_tokens::seal(intake.sealing, stream, id);
    let token = AccessToken {
        application: record.application.clone(),
        master: record.master,
        tenant_permissions: record.tenant_permissions.clone(),
        expires_at: record.expires_at,
    };
    let order = order(INSTALLATION, "access");
    let executed = intake.engine.execute(&order, |decision| {
        let (token, sealed) = (token.clone(), &sealed);
        Box::pin(async move {
            if !access_tokens::issue(decision, stream, id, sealed, token).await? {
                return Err(Halt::Refused(Unfit::TokenTaken));
            }
            decision.take(claims::take_import_record(INSTALLATION, line, stream));
            Ok(Taken::New)
        })
    });
    Ok(executed.await?.value)
}

async fn profile(
    intake: &Intake<'_>,
    record: &ProfileRecord,
    line: Uuid,
) -> Result<Taken, Halt<Unfit>> {
    let engine = intake.engine;
    let Some(tenant) = engine.tenant_named(&record.tenant).await? else {
        return Err(Halt::Refused(Unfit::NoTenant(record.tenant.clone())));
    };
    let hash = match (&record.password_hash, &record.plain_password) {
        (Some(hash), _) => Some(hash.expose().to_owned()),
        (None, Some(plain)) => {
            let plain = Password::parse(plain.expose().to_owned());
            let plain = plain.map_err(|_| Halt::Refused(Unfit::Password))?;
            let hash = intake.passwords.hash(plain).await;
            Some(hash.map_err(|_| Halt::Failed(Error::Overloaded))?.as_str().to_owned())
        }
        (None, None) => None,
    };
    let ids = engine.secrets.value_ids(tenant).await?;
    let email = record.email.as_ref().map(|email| Email {
        id: ids.id(ValueKind::Email, &email.0),
        address: email.clone(),
        login: false,
    });
    let id = ProfileId(record.id.unwrap_or_else(mint::new_id));
    let order = order(tenant, "profile");
    let executed = engine.execute(&order, |decision| {
        let (email, hash) = (email.clone(), hash.clone());
        Box::pin(register(decision, (id, line), record, email, hash))
    });
    Ok(executed.await?.value)
}

async fn register(
    decision: &mut Decision<'_>,
    (id, line): (ProfileId, Uuid),
    record: &ProfileRecord,
    email: Option<Email>,
    hash: Option<String>,
) -> Result<Taken, Halt<Unfit>> {
    let tenant = decision.tenant;
    let username = claims::username(tenant, &record.username.0);
    let own_id = claims::profile_id(ObjectId::of(id.0));
    // With a display name it is none that anybody would log in with.
    let log_in = email.as_ref().map(|email| email.address.0.clone());
    let log_in = log_in.filter(|address| record.verified && is_bare_address(address));
    let log_in_claim = log_in.as_deref().map(|address| claims::login_email(tenant, address));
    let asked: Vec<Uuid> = log_in_claim.into_iter().chain([username, own_id, line]).collect();
    let taken = decision.engine.reader.claims(&asked).await?;
    if taken.contains_key(&line) {
        return Ok(Taken::Before);
    }
    if taken.contains_key(&own_id) {
        return Err(Halt::Refused(Unfit::IdTaken));
    }
    if let Some(other) = taken.get(&username) {
        return Err(Halt::Refused(Unfit::UsernameTaken(shown(other.holder))));
    }
    let state = decision.load::<Profile>(id.0).await?.state;
    let email_id = email.as_ref().map(|email| email.id);
    let command = profile::Command::RegisterProfile(Registration {
        emails: email.into_iter().collect(),
        active: Some(record.enabled),
        attributes: record.attributes.clone(),
        username: Some(record.username.clone()),
        application_roles: record.roles.clone(),
        verified: record.verified,
        ..Registration::default()
    });
    let decided = profile::decide(id, &state, &Authority::Application, |_| None, command);
    let mut registered = decided.map_err(|_| Halt::Refused(Unfit::IdTaken))?;
    // Who was verified logs in with their address, unless another does already.
    let free = log_in_claim.is_some_and(|claim| !taken.contains_key(&claim));
    if let (true, Some(address), Some(email_id)) = (free, log_in, email_id) {
        registered.push(Event::LogInEmailTaken { email_id });
        decision.take(claims::take_login_email(tenant, &address, id));
    }
    let created: Option<DateTime<Utc>> = record.created_at;
    decision.append::<Profile>(id.0, registered, created)?;
    if let Some(hash) = hash {
        let changed = record.modified_at.or(created);
        decision.append::<Profile>(id.0, vec![Event::PasswordChanged {}], changed)?;
        decision.row(password(tenant, id, &hash));
    }
    decision.take(claims::take_username(tenant, &record.username.0, id));
    decision.take(claims::take_import_record(tenant, line, id.0));
    Ok(Taken::New)
}
