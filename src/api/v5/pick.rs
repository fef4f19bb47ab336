//! Finds what the ids and values in a request stand for: shared values, flags, roles, departments
//! (contract 1.4, 4.4).

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::api::app::App;
use crate::api::people::failure::{Failure, FieldError};
use crate::domain::folding::folded;
use crate::domain::ids::{DepartmentId, RoleId, TenantId, ValueId, flag_id};
use crate::domain::permission::RankedRole;
use crate::domain::tenant::Catalogue;
use crate::domain::values::{self, Email, Name, RequestLimit, ValueKind};
use crate::engine::Doing;
use crate::engine::kept::secrets::ValueIds;
use crate::projections::shared_values;

use super::IDS_MAX;

/// Finds what the ids and values of one request stand for.
pub struct Picker {
    tenant: TenantId,
    ids: ValueIds,
    values: HashMap<Uuid, shared_values::Row>,
}

impl Picker {
    /// Looks up all value ids of a request at once.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn look_up(
        app: &App,
        tenant: TenantId,
        wanted: impl IntoIterator<Item = Uuid>,
    ) -> Result<Picker, Failure> {
        let wanted: HashSet<Uuid> = wanted.into_iter().collect();
        let wanted: Vec<Uuid> = wanted.into_iter().collect();
        let ids = app.engine.secrets.value_ids(tenant).await?;
        let values = if wanted.is_empty() {
            HashMap::new()
        } else {
            let client = app.engine.connection().await?;
            shared_values::read::by_ids(&client, tenant.0, &wanted)
                .await
                .doing("reading shared values")?
        };
        Ok(Picker { tenant, ids, values })
    }

    /// The name, given by id or else by value.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn name(&self, id: Option<Uuid>, name: Option<&str>) -> Result<Option<Name>, FieldError> {
        if let Some(id) = id {
            let value = self.value(id, ValueKind::Name);
            let value = value.ok_or_else(|| unknown("name_id", "no such name"))?;
            return Ok(Some(Name { id: ValueId(id), name: value.into() }));
        }
        name.map(|name| self.made_name(name)).transpose()
    }

    /// The name with this value; its id is derived from the value.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn made_name(&self, name: &str) -> Result<Name, FieldError> {
        let name = values::parse_name(name).map_err(|error| unknown("name", error))?;
        Ok(Name { id: self.ids.id(ValueKind::Name, &name), name: name.into() })
    }

    /// The addresses of these ids, each once, in order.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn emails(&self, ids: &[Uuid]) -> Result<Vec<Email>, FieldError> {
        let emails = deduplicated(ids, "email_ids")?.into_iter().map(|id| {
            let value = self.value(id, ValueKind::Email);
            let value = value.ok_or_else(|| unknown("email_ids", "no such e-mail address"))?;
            Ok(Email { id: ValueId(id), address: value.into(), login: false })
        });
        emails.collect()
    }

    /// The address with this value; its id is derived from the value.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn made_email(&self, address: &str) -> Result<Email, FieldError> {
        let address = values::parse_email(address).map_err(|error| unknown("email", error))?;
        let id = self.ids.id(ValueKind::Email, &address);
        Ok(Email { id, address: address.into(), login: false })
    }

    /// The limit of this id.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn request_limit(&self, id: Uuid) -> Result<RequestLimit, FieldError> {
        let value = self.value(id, ValueKind::RequestLimit).and_then(|value| value.parse().ok());
        let requests_per_day =
            value.ok_or_else(|| unknown("request_limit_id", "no such request limit"))?;
        Ok(RequestLimit { id: ValueId(id), requests_per_day })
    }

    /// The limit with this value; its id is derived from the value.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn made_request_limit(&self, requests_per_day: i64) -> Result<RequestLimit, FieldError> {
        let requests_per_day = values::parse_request_limit(requests_per_day)
            .map_err(|error| unknown("request_limit", error))?;
        let id = self.ids.id(ValueKind::RequestLimit, &requests_per_day.to_string());
        Ok(RequestLimit { id, requests_per_day })
    }

    /// The flag of this id.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn flag(&self, id: Uuid) -> Result<bool, FieldError> {
        [true, false]
            .into_iter()
            .find(|active| flag_id(self.tenant, *active).0 == id)
            .ok_or_else(|| unknown("flag_id", "no such flag"))
    }

    fn value(&self, id: Uuid, kind: ValueKind) -> Option<String> {
        let row = self.values.get(&id).filter(|row| row.kind == kind.name())?;
        Some(row.value.clone())
    }
}

/// The roles of these ids, each once, in order.
///
/// # Errors
/// What is wrong with them.
pub fn roles(catalogue: &Catalogue, ids: &[Uuid]) -> Result<Vec<RankedRole>, FieldError> {
    let roles = deduplicated(ids, "role_ids")?.into_iter().map(|id| {
        let role = catalogue.role_by_id(RoleId(id));
        let role = role.ok_or_else(|| unknown("role_ids", "no such role"))?;
        Ok(RankedRole { key: role.key.clone(), rank: role.rank })
    });
    roles.collect()
}

/// The departments of these ids, or else of these names, each once, in order.
///
/// # Errors
/// What is wrong with them.
pub fn departments(
    catalogue: &Catalogue,
    ids: Option<&[Uuid]>,
    names: Option<&[String]>,
) -> Result<Option<Vec<DepartmentId>>, FieldError> {
    if let Some(ids) = ids {
        let found = deduplicated(ids, "department_ids")?.into_iter().map(|id| {
            let id = DepartmentId(id);
            let known = catalogue.department(id).is_some();
            known.then_some(id).ok_or_else(|| unknown("department_ids", "no such department"))
        });
        return found.collect::<Result<_, _>>().map(Some);
    }
    let Some(names) = names else { return Ok(None) };
    if names.len() > IDS_MAX {
        return Err(unknown("departments", format_args!("at most {IDS_MAX} names")));
    }
    let mut found = Vec::new();
    for name in names {
        let sought = folded(name.trim());
        let department = catalogue.departments.iter().find(|one| folded(&one.name) == sought);
        let id = department.ok_or_else(|| unknown("departments", "no such department"))?.id;
        if !found.contains(&id) {
            found.push(id);
        }
    }
    Ok(Some(found))
}

fn deduplicated(ids: &[Uuid], field: &'static str) -> Result<Vec<Uuid>, FieldError> {
    if ids.len() > IDS_MAX {
        return Err(unknown(field, format_args!("at most {IDS_MAX} ids")));
    }
    let mut seen = HashSet::new();
    Ok(ids.iter().copied().filter(|id| seen.insert(*id)).collect())
}

fn unknown(field: &'static str, message: impl ToString) -> FieldError {
    FieldError { field, message: message.to_string() }
}
