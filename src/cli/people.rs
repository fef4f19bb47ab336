//! People as import files and catalogues tell of them: first facts and dated changes, which become
//! one profile's events, each true when it says.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveTime, SubsecRound, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::Aggregate;
use crate::domain::ids::{ProfileId, TenantId};
use crate::domain::permission::{Authority, RankedRole};
use crate::domain::profile::{Command, Profile, Refusal, Registration, State, decide};
use crate::domain::tenant::{Catalogue, Tenant};
use crate::domain::values::{self, Email, Name, RequestLimit, ValueKind};
use crate::engine::execute::{Decision, Halt, Order};
use crate::engine::secrets::ValueIds;
use crate::engine::{Engine, Priority, claims, mint};

use super::open::operator;

/// Longest id of a line, in characters.
const LINE_ID_CHARACTERS_MAX: usize = 200;

/// A person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The line's own id.
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

/// What became true of a person later.
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
    #[error("id: 1 to 200 characters")]
    LineId,
    #[error(transparent)]
    Value(#[from] values::Invalid),
    #[error("no role has the key {0:?}")]
    Role(String),
    #[error("no department has the key {0:?}")]
    Department(String),
    #[error("an e-mail address belongs to another profile")]
    EmailTaken,
    #[error("a change lies before the one above it")]
    OutOfOrder,
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// What became of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// As this many events.
    In { profile: ProfileId, events: usize },
    /// The line was imported before: as this profile.
    Before(ProfileId),
}

/// Takes a person into a tenant, unless its line was before.
///
/// # Errors
/// Why not; nothing is changed then.
pub async fn take_in(
    engine: &Engine,
    tenant: TenantId,
    ids: &ValueIds,
    person: &Person,
    operation: &'static str,
) -> Result<Taken, Halt<Unfit>> {
    let order = Order {
        tenant,
        envelope: Arc::new(operator(operation)),
        area: "profile",
        priority: Priority::Caller,
    };
    let minted = ProfileId(mint::new_id());
    let person = Arc::new(person.clone());
    let executed = engine
        .execute(&order, |decision| {
            let (person, ids) = (person.clone(), ids.clone());
            Box::pin(async move { plan(decision, &ids, &person, minted).await })
        })
        .await;
    executed.map(|executed| executed.value)
}

async fn plan(
    decision: &mut Decision<'_>,
    ids: &ValueIds,
    person: &Person,
    id: ProfileId,
) -> Result<Taken, Halt<Unfit>> {
    let tenant = decision.tenant;
    let characters = person.id.chars().count();
    if characters == 0 || characters > LINE_ID_CHARACTERS_MAX {
        return Err(Halt::Refused(Unfit::LineId));
    }
    let line = claims::import_line(tenant, &person.id);
    // The line and every address it ever had, in one query.
    let later = person.changes.iter().filter_map(|change| change.emails.as_ref()).flatten();
    let addresses = person.emails.iter().chain(later);
    let mut asked: Vec<Uuid> =
        addresses.map(|address| claims::login_email(tenant, address)).collect();
    asked.push(line);
    let held = decision.engine.reader.claims(&asked).await?;
    if let Some(before) = held.get(&line) {
        return Ok(Taken::Before(ProfileId(before.holder)));
    }
    let catalogue = decision.load::<Tenant>(tenant.0).await?.state;
    let facts = Facts { catalogue: &catalogue, ids };
    let mut state = State::Absent;
    let mut events = 0;
    for (occurred_at, commands) in facts.commands(person).map_err(Halt::Refused)? {
        for command in commands {
            let rank = |key: &str| catalogue.rank(key);
            let decided = decide(id, &state, &Authority::Operator, rank, command);
            let decided = decided.map_err(|refusal| Halt::Refused(refusal.into()))?;
            for event in &decided {
                Profile::evolve(&mut state, event, occurred_at.unwrap_or_default());
            }
            events += decided.len();
            decision.append::<Profile>(id.0, decided, occurred_at)?;
        }
    }
    let emails = state.live().map(|facts| facts.emails.clone()).unwrap_or_default();
    for email in &emails {
        let claim = claims::take_login_email(tenant, &email.address.0, id);
        if held.contains_key(&claim.claim) {
            return Err(Halt::Refused(Unfit::EmailTaken));
        }
        decision.take(claim);
    }
    decision.take(claims::take_import_line(tenant, &person.id, id));
    Ok(Taken::In { profile: id, events })
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
            // Without a time of its own a change is true as of the import: nothing can follow it
            // but others of that kind.
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

/// `null` means the same as absent.
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
