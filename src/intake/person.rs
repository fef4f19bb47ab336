//! A person in an import file or a catalogue: first facts and dated changes. They become the events
//! of one profile, each with the time at which it became true.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, SubsecRound, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::claims::{Claim, LOGIN_EMAIL};
use crate::domain::ids::{ProfileId, TenantId};
use crate::domain::permission::{Authority, RankedRole};
use crate::domain::profile::{By, Command, Profile, Refusal, Registration};
use crate::domain::tenant::{Catalogue, Tenant};
use crate::domain::values::{self, Email, Name, RequestLimit, ValueKind};
use crate::engine::kept::secrets::ValueIds;
use crate::engine::write::decision::Decision;
use crate::engine::write::execute::{self, CommandContext};
use crate::engine::write::halt::{Halt, Ordered};
use crate::engine::write::mint;
use crate::engine::{Engine, Priority};

use super::operator;

/// Longest id of a line of a file of people, in characters.
const LINE_ID_CHARACTERS_MAX: usize = 200;

/// A person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The id of the line itself.
    pub id: String,
    pub name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub emails: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub roles: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub departments: Vec<String>,
    pub request_limit: Option<i64>,
    pub active: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    pub attributes: BTreeMap<String, Value>,
    #[serde(default, deserialize_with = "instant")]
    pub occurred_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "or_default")]
    pub changes: Vec<Change>,
}

/// A later change of a person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    #[serde(default, deserialize_with = "instant")]
    pub occurred_at: Option<DateTime<Utc>>,
    pub name: Option<String>,
    pub emails: Option<Vec<String>>,
    pub roles: Option<Vec<String>>,
    pub departments: Option<Vec<String>>,
    pub request_limit: Option<i64>,
    pub active: Option<bool>,
    #[serde(default, deserialize_with = "or_default")]
    pub attributes: BTreeMap<String, Value>,
}

/// Why a person is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("id: 1 to {LINE_ID_CHARACTERS_MAX} characters")]
    LineId,
    #[error(transparent)]
    Value(#[from] values::Invalid),
    #[error("no role has the key {0:?}")]
    Role(String),
    #[error("no department has the key {0:?}")]
    Department(String),
    #[error("an e-mail address belongs to another profile")]
    EmailTaken,
    #[error("a change has an earlier time than the one before it")]
    OutOfOrder,
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// The result for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Imported, as this many events.
    In { profile: ProfileId, events: usize },
    /// The line was imported before, as this profile.
    Before(ProfileId),
}

/// Takes a person into a tenant, unless the line was imported before.
///
/// # Errors
/// The reason; nothing changes then.
pub async fn take_in(
    engine: &Engine,
    tenant: TenantId,
    ids: &ValueIds,
    person: &Person,
    operation: &'static str,
) -> Result<Taken, Halt<Unfit>> {
    let context = CommandContext {
        tenant,
        envelope: Arc::new(operator(operation)),
        area: "profile",
        priority: Priority::Caller,
    };
    let id = ProfileId(mint::new_id());
    let executed = engine.execute(&context, &TakeIn { person, ids, id }).await;
    executed.map(|executed| executed.value)
}

struct TakeIn<'a> {
    person: &'a Person,
    ids: &'a ValueIds,
    /// The name of the person's profile, for messages.
    id: ProfileId,
}

impl execute::Change for TakeIn<'_> {
    type Done = Taken;
    type Refusal = Unfit;

    async fn decide(&self, decision: &mut Decision<'_>) -> Result<Taken, Halt<Unfit>> {
        let TakeIn { person, ids, id: profile } = *self;
        let tenant = decision.tenant;
        if !(1..=LINE_ID_CHARACTERS_MAX).contains(&person.id.chars().count()) {
            return Err(Halt::Refused(Unfit::LineId));
        }
        let line = Claim::import_line(tenant, &person.id);
        // The claims of the line and of every address that the person ever had, in one query.
        let later = person.changes.iter().filter_map(|change| change.emails.as_ref()).flatten();
        let addresses = person.emails.iter().chain(later);
        let log_ins = addresses.map(|address| Claim::login_email(tenant, address).key);
        let asked: Vec<Uuid> = log_ins.chain([line.key]).collect();
        if let Some(before) = decision.holders(&asked).await?.get(&line.key) {
            return Ok(Taken::Before(ProfileId(before.holder)));
        }
        decision.take(line, profile.0);
        let catalogue = decision.load::<Tenant>(tenant.0).await?.state;
        let by = By { authority: &Authority::Operator, ranks: &*catalogue };
        let facts = Facts { catalogue: &catalogue, ids };
        let mut events = 0;
        for (at, commands) in facts.commands(person).map_err(Halt::Refused)? {
            for command in commands {
                let ordered = match command {
                    Command::RegisterProfile(_) => {
                        decision.begin_at::<Profile>(profile.0, by, command, at)
                    }
                    command => decision.order_at::<Profile>(profile.0, by, command, at).await,
                };
                events += ordered.or_refuse(Unfit::Refused)?.len();
            }
        }
        match decision.collisions(&[LOGIN_EMAIL]).await?.is_empty() {
            true => Ok(Taken::In { profile, events }),
            false => Err(Halt::Refused(Unfit::EmailTaken)),
        }
    }
}

struct Facts<'a> {
    catalogue: &'a Catalogue,
    ids: &'a ValueIds,
}

type Dated = (Option<DateTime<Utc>>, Vec<Command>);

impl Facts<'_> {
    fn commands(&self, person: &Person) -> Result<Vec<Dated>, Unfit> {
        let register = Command::RegisterProfile(Registration {
            name: Some(self.name(&person.name)?),
            emails: self.emails(&person.emails)?,
            roles: self.roles(&person.roles)?,
            departments: self.departments(&person.departments)?,
            request_limit: person.request_limit.map(|limit| self.limit(limit)).transpose()?,
            active: person.active,
            attributes: person
                .attributes
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.clone(), value.clone().into()))
                .collect(),
            ..Registration::default()
        });
        let mut dated = vec![(person.occurred_at, vec![register])];
        let mut last = person.occurred_at;
        for change in &person.changes {
            // A change without a time becomes true at the import: after it only changes without a
            // time can follow.
            let early = match (last, change.occurred_at) {
                (Some(last), Some(next)) => next < last,
                (None, Some(_)) => true,
                (_, None) => false,
            };
            if early {
                return Err(Unfit::OutOfOrder);
            }
            last = change.occurred_at;
            dated.push((change.occurred_at, self.change(change)?));
        }
        Ok(dated)
    }

    fn change(&self, change: &Change) -> Result<Vec<Command>, Unfit> {
        let mut commands = Vec::new();
        if let Some(name) = &change.name {
            commands.push(Command::RenameProfile { name: self.name(name)? });
        }
        if let Some(emails) = &change.emails {
            commands.push(Command::AssignEmails { emails: self.emails(emails)? });
        }
        if let Some(roles) = &change.roles {
            commands.push(Command::AssignRoles { roles: self.roles(roles)? });
        }
        if let Some(departments) = &change.departments {
            let departments = self.departments(departments)?;
            commands.push(Command::AssignDepartments { departments });
        }
        if let Some(limit) = change.request_limit {
            commands.push(Command::AssignRequestLimit { request_limit: self.limit(limit)? });
        }
        if let Some(active) = change.active {
            commands.push(match active {
                true => Command::ActivateProfile,
                false => Command::DeactivateProfile,
            });
        }
        if !change.attributes.is_empty() {
            let (set, removed): (BTreeMap<_, _>, BTreeMap<_, _>) =
                change.attributes.clone().into_iter().partition(|(_, value)| !value.is_null());
            commands.push(Command::AssignAttributes {
                attributes: set.into_iter().map(|(name, value)| (name, value.into())).collect(),
                removed: removed.into_keys().collect(),
            });
        }
        Ok(commands)
    }

    fn name(&self, name: &str) -> Result<Name, Unfit> {
        let name = values::parse_name(name)?;
        Ok(Name { id: self.ids.id(ValueKind::Name, &name), name: name.into() })
    }

    fn emails(&self, addresses: &[String]) -> Result<Vec<Email>, Unfit> {
        let mut emails: Vec<Email> = Vec::new();
        for address in addresses {
            let address = values::parse_email(address)?;
            let id = self.ids.id(ValueKind::Email, &address);
            let email = Email { id, address: address.into(), login: true };
            if !emails.contains(&email) {
                emails.push(email);
            }
        }
        Ok(emails)
    }

    fn limit(&self, requests_per_day: i64) -> Result<RequestLimit, Unfit> {
        let requests_per_day = values::parse_request_limit(requests_per_day)?;
        let id = self.ids.id(ValueKind::RequestLimit, &requests_per_day.to_string());
        Ok(RequestLimit { id, requests_per_day })
    }

    fn roles(&self, keys: &[String]) -> Result<Vec<RankedRole>, Unfit> {
        let ranked = keys.iter().map(|key| {
            let rank = self.catalogue.rank(key).ok_or_else(|| Unfit::Role(key.clone()))?;
            Ok(RankedRole { key: key.clone(), rank })
        });
        ranked.collect()
    }

    fn departments(&self, keys: &[String]) -> Result<Vec<crate::domain::ids::DepartmentId>, Unfit> {
        let found = keys.iter().map(|key| {
            let department = self.catalogue.department_by_key(key);
            department.map(|one| one.id).ok_or_else(|| Unfit::Department(key.clone()))
        });
        found.collect()
    }
}

/// `null` counts as absent.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A date (its first instant in UTC) or an RFC 3339 time.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    if text.starts_with(['-', '+']) || text.starts_with("0000") {
        return Err(serde::de::Error::custom("a time lies between the years 1 and 9999"));
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(Some(date.and_time(NaiveTime::MIN).and_utc()));
    }
    let time = DateTime::parse_from_rfc3339(&text);
    time.map(|time| Some(time.with_timezone(&Utc).trunc_subsecs(6))).map_err(|_| {
        serde::de::Error::custom(format!("{text:?} is neither a date nor an RFC 3339 time"))
    })
}
