//! Brings about the tenants and catalogues in a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;

use crate::catalogue_file::{
    ApiKeyEntry, CatalogueFile, DepartmentEntry, IssuerEntry, ProfileEntry, RoleEntry,
    SettingEntry, TenantEntry,
};
use crate::domain::access::{Access, State as AccessState};
use crate::domain::claims::{API_KEY_NAME, Claim};
use crate::domain::ids::{DepartmentId, RoleId, SettingId, TenantId, catalogue_id};
use crate::domain::tenant::{
    Catalogue, Command, Department, Event, Issuer, Refusal, Role, Setting, Tenant,
};
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::{Change, CommandContext};
use crate::engine::write::halt::Halt;
use crate::engine::write::mint;
use crate::engine::{Engine, Priority};

use super::api_keys::{issue_api_key, make_key, revoke_api_key};
use super::person::{Person, Taken, take_in};
use super::{failed, operator};

/// Length of an API key that is read from a file.
const API_KEY_BYTES: std::ops::RangeInclusive<usize> = 32..=200;

/// How a file is applied.
pub struct How {
    pub dry_run: bool,
    pub prune: bool,
    /// What paths in the file are relative to.
    pub folder: PathBuf,
}

/// Applies a file; returns what changed, a line for each change.
///
/// # Errors
/// A profile is invalid, or the log cannot be read or written.
pub async fn apply(
    engine: &Engine,
    file: &CatalogueFile,
    how: &How,
) -> anyhow::Result<Vec<String>> {
    let mut changes = Vec::new();
    for entry in &file.tenants {
        let name = entry.name.get_ref();
        let known = engine.tenant_named(name).await?;
        let tenant = known.unwrap_or_else(|| TenantId(mint::new_id()));
        for event in apply_catalogue(engine, tenant, entry, how).await? {
            changes.push(format!("{name}: {}", told(&event)));
        }
        for key in &entry.api_keys {
            changes.extend(apply_key(engine, tenant, name, key, how).await?);
        }
        if how.prune {
            changes.extend(revoke_keys(engine, tenant, entry, how).await?);
        }
        let ids = engine.secrets.value_ids(tenant).await?;
        for profile in &entry.profiles {
            let person = person(profile);
            if how.dry_run {
                let line = Claim::import_line(tenant, &person.id);
                if engine.holder(line.key).await?.is_none() {
                    changes.push(format!("{name}: + profile {}", person.id));
                }
                continue;
            }
            let taken = failed(take_in(engine, tenant, &ids, &person, "apply").await);
            let taken = taken.with_context(|| format!("profile {}", person.id))?;
            if let Taken::In { profile, .. } = taken {
                changes.push(format!("{name}: + profile {} as {profile}", person.id));
            }
        }
    }
    Ok(changes)
}

async fn apply_catalogue(
    engine: &Engine,
    tenant: TenantId,
    entry: &TenantEntry,
    how: &How,
) -> anyhow::Result<Vec<Event>> {
    let context = CommandContext {
        tenant,
        envelope: Arc::new(operator("apply")),
        area: "tenant",
        priority: Priority::Caller,
    };
    let name = entry.name.get_ref().clone();
    let mut orders = vec![Command::RegisterTenant { name }];
    orders.extend(wanted(tenant, entry, &how.folder));
    let change = ApplyCatalogue { orders, dry_run: how.dry_run, prune: how.prune };
    failed(engine.execute(&context, &change).await).map(|executed| executed.value)
}

struct ApplyCatalogue {
    orders: Vec<Command>,
    dry_run: bool,
    prune: bool,
}

impl Change for ApplyCatalogue {
    type Done = Vec<Event>;
    type Refusal = Refusal;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<Vec<Event>, Halt<Refusal>> {
        let id = decision.tenant.0;
        let mut orders = self.orders.clone();
        if self.prune {
            let before = decision.load::<Tenant>(id).await?.state;
            orders.extend(unwanted(&before, &self.orders));
        }
        let mut events = Vec::new();
        for order in orders {
            events.extend(decision.order::<Tenant>(id, (), order).await?);
        }
        if self.dry_run {
            decision.take_back();
        }
        Ok(events)
    }
}

async fn apply_key(
    engine: &Engine,
    tenant: TenantId,
    tenant_name: &str,
    entry: &ApiKeyEntry,
    how: &How,
) -> anyhow::Result<Vec<String>> {
    let name = entry.name.get_ref();
    let known = engine.holder(Claim::api_key_name(tenant, name).key).await?.is_some();
    if known || how.dry_run {
        let would = (!known).then(|| format!("{tenant_name}: + API key {name}"));
        return Ok(would.into_iter().collect());
    }
    let (key, shown) = match &entry.key_file {
        Some(file) => {
            let path = how.folder.join(file.get_ref());
            let key = std::fs::read_to_string(&path)
                .with_context(|| format!("reading {}", path.display()))?;
            let key = key.trim().to_owned();
            if !API_KEY_BYTES.contains(&key.len()) {
                let (least, most) = (API_KEY_BYTES.start(), API_KEY_BYTES.end());
                anyhow::bail!("{}: an API key has {least} to {most} bytes", path.display());
            }
            (key, "from its file".to_owned())
        }
        None => {
            let key = make_key();
            (key.clone(), format!("shown this once: {key}"))
        }
    };
    issue_api_key(engine, tenant, name, entry.expires_at, &key).await?;
    Ok(vec![format!("{tenant_name}: + API key {name}, {shown}")])
}

/// Revokes the keys that the file does not name.
async fn revoke_keys(
    engine: &Engine,
    tenant: TenantId,
    entry: &TenantEntry,
    how: &How,
) -> anyhow::Result<Vec<String>> {
    let named = |name: &str| entry.api_keys.iter().any(|key| key.name.get_ref() == name);
    let mut changes = Vec::new();
    for (_, id) in engine.claimed(tenant, API_KEY_NAME).await? {
        let key = engine.load::<Access>(tenant, id).await?;
        let AccessState::Issued { name, .. } = &*key.state else { continue };
        if named(name) {
            continue;
        }
        changes.push(format!("{}: - API key {name}", entry.name.get_ref()));
        if !how.dry_run {
            revoke_api_key(engine, tenant, id).await?;
        }
    }
    Ok(changes)
}

/// What the file says of a tenant, as orders.
fn wanted(tenant: TenantId, entry: &TenantEntry, folder: &Path) -> Vec<Command> {
    let roles = entry.roles.iter().map(|one| Command::DefineRole(role(tenant, one)));
    let settings = entry.settings.iter().map(|one| Command::DefineSetting(setting(tenant, one)));
    let departments =
        entry.departments.iter().map(|one| Command::DefineDepartment(department(tenant, one)));
    let issuers = entry.issuers.iter().map(|one| Command::TrustIssuer(issuer(one, folder)));
    roles.chain(settings).chain(departments).chain(issuers).collect()
}

/// The orders that remove what the file does not name.
fn unwanted(catalogue: &Catalogue, wanted: &[Command]) -> Vec<Command> {
    let has = |find: &dyn Fn(&Command) -> bool| wanted.iter().any(find);
    let mut removals = Vec::new();
    for role in &catalogue.roles {
        if !has(&|one| matches!(one, Command::DefineRole(wanted) if wanted.key == role.key)) {
            removals.push(Command::RemoveRole { key: role.key.clone() });
        }
    }
    for old in &catalogue.departments {
        if !has(&|one| matches!(one, Command::DefineDepartment(new) if new.key == old.key)) {
            removals.push(Command::RemoveDepartment { key: old.key.clone() });
        }
    }
    for old in &catalogue.settings {
        if !has(&|one| matches!(one, Command::DefineSetting(new) if new.key == old.key)) {
            removals.push(Command::RemoveSetting { key: old.key.clone() });
        }
    }
    for old in &catalogue.issuers {
        if !has(&|one| matches!(one, Command::TrustIssuer(new) if new.issuer == old.issuer)) {
            removals.push(Command::DistrustIssuer { issuer: old.issuer.clone() });
        }
    }
    removals
}

fn role(tenant: TenantId, entry: &RoleEntry) -> Role {
    let key = entry.key.get_ref().clone();
    Role {
        id: RoleId(catalogue_id(tenant, "role", &key)),
        key,
        rank: u8::try_from(*entry.rank.get_ref()).unwrap_or_default(),
        name: entry.name.get_ref().clone(),
        description: entry.description.clone().unwrap_or_default(),
        artifacts: entry.artifacts.iter().map(|one| one.get_ref().clone()).collect(),
        audits: entry.audits,
    }
}

fn department(tenant: TenantId, entry: &DepartmentEntry) -> Department {
    let key = entry.key.get_ref().clone();
    Department {
        id: DepartmentId(catalogue_id(tenant, "department", &key)),
        key,
        name: entry.name.get_ref().clone(),
        description: entry.description.clone().unwrap_or_default(),
        settings: entry.settings.iter().map(|one| one.get_ref().clone()).collect(),
    }
}

fn setting(tenant: TenantId, entry: &SettingEntry) -> Setting {
    let key = entry.key.get_ref().clone();
    let colors = entry.colors.given();
    Setting {
        id: SettingId(catalogue_id(tenant, "setting", &key)),
        key,
        name: entry.name.get_ref().clone(),
        active: entry.active,
        colors: colors.map(|(use_of, one)| (use_of.to_owned(), one.get_ref().clone())).collect(),
    }
}

fn issuer(entry: &IssuerEntry, folder: &Path) -> Issuer {
    let absolute = |file: &str| {
        let path = folder.join(file);
        std::path::absolute(&path).unwrap_or(path).display().to_string()
    };
    Issuer {
        issuer: entry.issuer.get_ref().clone(),
        audience: entry.audience.get_ref().clone(),
        algorithms: entry.algorithms.get_ref().iter().map(|one| one.get_ref().clone()).collect(),
        jwks_file: entry.jwks_file.as_ref().map(|file| absolute(file.get_ref())),
        jwks_url: entry.jwks_url.as_ref().map(|url| url.get_ref().clone()),
        auto_provision_guests: entry.auto_provision_guests,
    }
}

fn person(entry: &ProfileEntry) -> Person {
    let texts = |list: &[toml::Spanned<String>]| {
        list.iter().map(|one| one.get_ref().clone()).collect::<Vec<_>>()
    };
    Person {
        id: entry.id.get_ref().clone(),
        name: entry.name.get_ref().clone(),
        emails: texts(&entry.emails),
        roles: texts(&entry.roles),
        departments: texts(&entry.departments),
        request_limit: entry.request_limit.as_ref().map(|limit| i64::from(*limit.get_ref())),
        active: None,
        attributes: Default::default(),
        occurred_at: None,
        changes: vec![],
    }
}

fn told(event: &Event) -> String {
    match event {
        Event::TenantRegistered { name } => format!("+ tenant {name}"),
        Event::RoleDefined { key, .. } => format!("+ role {key}"),
        Event::RoleRemoved { key } => format!("- role {key}"),
        Event::DepartmentDefined { key, .. } => format!("+ department {key}"),
        Event::DepartmentRemoved { key } => format!("- department {key}"),
        Event::SettingDefined { key, .. } => format!("+ setting {key}"),
        Event::SettingRemoved { key } => format!("- setting {key}"),
        Event::IssuerTrusted { issuer, .. } => format!("+ issuer {issuer}"),
        Event::IssuerDistrusted { issuer } => format!("- issuer {issuer}"),
        Event::VerificationRequired {} => "+ verification of new profiles".to_owned(),
        Event::VerificationWaived {} => "- verification of new profiles".to_owned(),
        Event::SingleSignOnOffered {} => "+ single sign-on".to_owned(),
        Event::SingleSignOnWithdrawn {} => "- single sign-on".to_owned(),
        Event::CleansingEnabled {} => "+ cleansing of attributes".to_owned(),
        Event::CleansingDisabled {} => "- cleansing of attributes".to_owned(),
        Event::ApplicationRoleOffered { role } => format!("+ application role {role}"),
        Event::OfferedRoleRemoved { role } => format!("- application role {role}"),
        Event::AttributeDefined(definition) => format!("+ attribute {}", definition.name),
        Event::AttributeRedefined(definition) => format!("~ attribute {}", definition.name),
        Event::AttributeRemoved { name } => format!("- attribute {name}"),
        Event::TenantDeleted { name } => format!("- tenant {name}"),
    }
}
