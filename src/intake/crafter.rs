//! Takes in the data of Crafter Profile: access tokens, tenants and profiles with their ids and
//! passwords, from a seed file or a database export. What an earlier run took in stays as people
//! have changed it since: renamed, changed, deleted. A record that meets other existing data is
//! reported as a bad one, so that nobody is left out unnoticed.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::stream::FuturesUnordered;
use futures_util::{Stream, StreamExt};
use indicatif::ProgressBar;
use uuid::Uuid;

use crate::crafter_file::read::Entry;
use crate::crafter_file::records::{AccessTokenRecord, ProfileRecord, Record, TenantRecord};
use crate::domain::access::AccessToken;
use crate::domain::claims::{self, Claim, PROFILE_ID, USERNAME, import_record};
use crate::domain::ids::{INSTALLATION, ProfileId, TenantId};
use crate::domain::mailbox::is_bare_address;
use crate::domain::object_id::{ObjectId, shown};
use crate::domain::permission::Unranked;
use crate::domain::profile::{self, By, Profile, Registration};
use crate::domain::tenant::{ApplicationCommand, Catalogue, Command, Tenant};
use crate::domain::values::{Email, ValueKind};
use crate::engine::kept::credentials::password;
use crate::engine::write::access_tokens;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::{Change, CommandContext};
use crate::engine::write::halt::{Halt, Ordered};
use crate::engine::write::mint;
use crate::engine::{Engine, Error, Priority};
use crate::passwords::{PASSWORD_BYTES_MAX, Password, Passwords};
use crate::sealing::SealingKeys;

use super::operator;

/// Profiles in work at once, so that they share commits.
const PROFILES_AT_ONCE: usize = 64;

/// The parts that taking in needs.
pub struct Intake<'a> {
    pub engine: &'a Engine,
    pub sealing: &'a SealingKeys,
    pub passwords: &'a Passwords,
}

/// The numbers of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub tenants: usize,
    pub tokens: usize,
    pub profiles: usize,
    /// Taken in by an earlier run; also tenants that needed no change.
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
    #[error("the record on line {0} has the same id or name")]
    Repeated(usize),
    #[error("its id is taken: something else has it, or had it before it was deleted")]
    IdTaken,
    #[error("its username belongs to the profile {0}")]
    UsernameTaken(String),
    #[error("there is an access token with its id already")]
    TokenTaken,
    #[error("its password does not have 1 to {PASSWORD_BYTES_MAX} bytes")]
    Password,
}

/// Takes records in. A bad record is reported and the rest goes on.
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
    // Some 30 bytes for each record: records of an earlier run must be told from repeated ones.
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
        // Profiles need their tenants, so only profiles are taken in concurrently.
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

/// The claim of a record that was taken in: for a profile under its own id; in a seed, which has no
/// ids, under its name.
fn record_claim(record: &Record) -> Uuid {
    match record {
        Record::Tenant(record) => import_record("tenant", &[&record.name]),
        Record::AccessToken(record) => import_record("access_token", &[record.id.expose()]),
        Record::Profile(record) => {
            let own = record.id.map(shown);
            let own = own.as_deref().unwrap_or(&record.username.0);
            import_record("profile", &[&record.tenant, own])
        }
    }
}

async fn one(intake: &Intake<'_>, record: &Record) -> Result<Taken, Halt<Unfit>> {
    let line = record_claim(record);
    if intake.engine.holder(line).await?.is_some() {
        return Ok(Taken::Before);
    }
    match record {
        Record::Tenant(record) => tenant(intake.engine, record, line).await,
        Record::AccessToken(record) => token(intake, record, line).await,
        Record::Profile(record) => profile(intake, record, line).await,
    }
}

fn context(tenant: TenantId, area: &'static str) -> CommandContext {
    let envelope = Arc::new(operator("import"));
    CommandContext { tenant, envelope, area, priority: Priority::Caller }
}

/// Makes a tenant. One that exists already gets the roles and attributes that it lacks.
async fn tenant(engine: &Engine, record: &TenantRecord, line: Uuid) -> Result<Taken, Halt<Unfit>> {
    let tenant = match (engine.tenant_named(&record.name).await?, record.id) {
        (Some(known), _) => known,
        (None, Some(id)) if engine.holder(claims::tenant_id(ObjectId::of(id))).await?.is_some() => {
            return Err(Halt::Refused(Unfit::IdTaken));
        }
        (None, id) => TenantId(id.unwrap_or_else(mint::new_id)),
    };
    let new = TakeInTenant { record, line };
    if engine.execute(&context(tenant, "tenant"), &new).await?.value {
        return Ok(Taken::New);
    }
    engine.keep_claim(Claim::import_record(tenant, line), tenant.0).await?;
    Ok(Taken::Before)
}

struct TakeInTenant<'a> {
    record: &'a TenantRecord,
    line: Uuid,
}

impl Change for TakeInTenant<'_> {
    /// Whether it is new.
    type Done = bool;
    type Refusal = Unfit;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<bool, Halt<Unfit>> {
        let tenant = decision.tenant;
        let before = decision.load::<Tenant>(tenant.0).await?.state;
        for command in commands(&before, self.record) {
            let ordered = decision.order::<Tenant>(tenant.0, (), command).await;
            ordered.or_refuse(|_| Unfit::IdTaken)?;
        }
        decision.take(Claim::import_record(tenant, self.line), tenant.0);
        Ok(before.name.is_none())
    }
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
    let new = TakeInToken { stream, id, sealed, token, line };
    let executed = intake.engine.execute(&context(INSTALLATION, "access"), &new).await?;
    Ok(executed.value)
}

struct TakeInToken<'a> {
    stream: Uuid,
    id: &'a str,
    sealed: Vec<u8>,
    token: AccessToken,
    line: Uuid,
}

impl Change for TakeInToken<'_> {
    type Done = Taken;
    type Refusal = Unfit;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<Taken, Halt<Unfit>> {
        let TakeInToken { stream, id, sealed, token, line } = self;
        if !access_tokens::issue(decision, *stream, id, sealed, token.clone()).await? {
            return Err(Halt::Refused(Unfit::TokenTaken));
        }
        decision.take(Claim::import_record(INSTALLATION, *line), *stream);
        Ok(Taken::New)
    }
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
    let new = TakeInProfile { id, record, email, hash, line };
    Ok(engine.execute(&context(tenant, "profile"), &new).await?.value)
}

struct TakeInProfile<'a> {
    id: ProfileId,
    record: &'a ProfileRecord,
    email: Option<Email>,
    hash: Option<String>,
    line: Uuid,
}

impl Change for TakeInProfile<'_> {
    type Done = Taken;
    type Refusal = Unfit;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<Taken, Halt<Unfit>> {
        let TakeInProfile { id, record, email, hash, line } = self;
        let (tenant, stream, line) = (decision.tenant, id.0, *line);
        // An address with a display name is not what a person logs in with.
        let log_in = email.as_ref().filter(|email| is_bare_address(&email.address.0));
        let log_in = log_in.filter(|_| record.verified);
        let log_in = log_in.map(|email| (Claim::login_email(tenant, &email.address.0), email.id));
        let (id_key, username) = (Claim::profile_id(tenant, stream), &record.username.0);
        let own = [line, id_key.key, Claim::username(tenant, username).key];
        let asked: Vec<Uuid> = log_in.iter().map(|(claim, _)| claim.key).chain(own).collect();
        let held = decision.holders(&asked).await?;
        if held.contains_key(&line) {
            return Ok(Taken::Before);
        }
        let log_in = log_in.filter(|(claim, _)| !held.contains_key(&claim.key));
        let command = profile::Command::RegisterProfile(Registration {
            emails: email.iter().cloned().collect(),
            active: Some(record.enabled),
            attributes: record.attributes.clone(),
            username: Some(record.username.clone()),
            application_roles: record.roles.clone(),
            verified: record.verified,
            ..Registration::default()
        });
        let (by, created_at) = (By::application(&Unranked), record.created_at);
        let registered = decision.begin_at::<Profile>(stream, by, command, created_at);
        registered.or_refuse(|_| Unfit::IdTaken)?;
        // A verified profile logs in with its address, unless another profile does already.
        if let Some((_, email_id)) = log_in {
            let command = profile::Command::TakeLogInEmail { email_id };
            let by = By::OPERATOR;
            let taken = decision.order_at::<Profile>(stream, by, command, created_at).await;
            taken.or_refuse(|_| Unfit::IdTaken)?;
        }
        if let Some(hash) = hash {
            let changed_at = record.modified_at.or(created_at);
            let command = profile::Command::ChangePassword;
            let changed = decision.order_at::<Profile>(stream, by, command, changed_at).await;
            changed.or_refuse(|_| Unfit::IdTaken)?;
            decision.row(password(tenant, *id, hash));
        }
        let collisions = decision.collisions(&[PROFILE_ID, USERNAME]).await?;
        if collisions.iter().any(|one| one.kind == PROFILE_ID) {
            return Err(Halt::Refused(Unfit::IdTaken));
        }
        if let Some(username) = collisions.first() {
            return Err(Halt::Refused(Unfit::UsernameTaken(shown(username.holder))));
        }
        decision.take(Claim::import_record(tenant, line), stream);
        Ok(Taken::New)
    }
}
