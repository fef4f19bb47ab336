//! The state of a tenant: the catalogue that profiles choose from.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::claims::Claim;
use crate::domain::ids::{DepartmentId, RoleId, SettingId, TenantId};
use crate::domain::permission::Ranks;
use crate::domain::{Aggregate, Area, attributes};

use super::events::{AttributeDefinition, Event};

/// The aggregate.
pub struct Tenant;

/// A tenant's name and catalogue; entries in the order in which they were first defined.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    /// None before the tenant is registered, and after it is deleted.
    pub name: Option<String>,
    /// The name that it has, or had until it was deleted: what was made under the name keeps it
    /// (Crafter contract 4.7).
    pub last_name: Option<String>,
    pub verifies_new_profiles: bool,
    pub offers_single_sign_on: bool,
    pub cleanses_attributes: bool,
    pub application_roles: Vec<String>,
    pub attributes: Vec<AttributeDefinition>,
    pub roles: Vec<Role>,
    pub departments: Vec<Department>,
    pub settings: Vec<Setting>,
    pub issuers: Vec<Issuer>,
    department_places: HashMap<DepartmentId, usize>,
}

/// A directory role.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    pub id: RoleId,
    pub key: String,
    pub rank: u8,
    pub name: String,
    pub description: String,
    pub artifacts: Vec<String>,
    /// Whether it sees all history of its tenant (History contract 0.2).
    pub audits: bool,
}

/// A department.
#[derive(Clone, Debug, PartialEq)]
pub struct Department {
    pub id: DepartmentId,
    pub key: String,
    pub name: String,
    pub description: String,
    pub settings: Vec<String>,
}

/// A setting with its theme.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub id: SettingId,
    pub key: String,
    pub name: String,
    pub active: bool,
    pub colors: BTreeMap<String, String>,
}

/// An issuer of tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Issuer {
    pub issuer: String,
    pub audience: String,
    pub algorithms: Vec<String>,
    pub jwks_file: Option<String>,
    pub jwks_url: Option<String>,
    pub auto_provision_guests: bool,
}

impl Default for Catalogue {
    fn default() -> Self {
        Catalogue {
            name: None,
            last_name: None,
            verifies_new_profiles: false,
            offers_single_sign_on: false,
            // Crafter contract 3: cleansing is on unless it was turned off.
            cleanses_attributes: true,
            application_roles: vec![],
            attributes: vec![],
            roles: vec![],
            departments: vec![],
            settings: vec![],
            issuers: vec![],
            department_places: HashMap::new(),
        }
    }
}

impl Catalogue {
    /// The rank of the role with this key.
    pub fn rank(&self, key: &str) -> Option<u8> {
        self.role(key).map(|role| role.rank)
    }

    /// The role of this key.
    pub fn role(&self, key: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.key == key)
    }

    /// The role of this id.
    pub fn role_by_id(&self, id: RoleId) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }

    /// The department of this id.
    pub fn department(&self, id: DepartmentId) -> Option<&Department> {
        self.department_places.get(&id).and_then(|place| self.departments.get(*place))
    }

    /// The department of this key.
    pub fn department_by_key(&self, key: &str) -> Option<&Department> {
        self.departments.iter().find(|department| department.key == key)
    }

    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&AttributeDefinition> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The setting of this key.
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    fn place_departments(&mut self) {
        let places = self.departments.iter().enumerate();
        self.department_places = places.map(|(place, department)| (department.id, place)).collect();
    }
}

impl Ranks for Catalogue {
    fn rank(&self, key: &str) -> Option<u8> {
        Catalogue::rank(self, key)
    }
}

impl Aggregate for Tenant {
    const AREA: Area = Area::Tenant;
    type State = Catalogue;
    type Event = Event;

    fn weight(catalogue: &Catalogue) -> usize {
        let values = |one: &AttributeDefinition| {
            let values = one.metadata.iter().chain(&one.default_value);
            values.map(attributes::weight).sum::<usize>()
        };
        catalogue.attributes.iter().map(values).sum()
    }

    /// The id of a deleted tenant stays claimed; its name becomes free.
    fn claims(tenant: TenantId, _: Uuid, catalogue: &Catalogue) -> Vec<Claim> {
        let id = catalogue.last_name.iter().map(|_| Claim::tenant_id(tenant));
        let name = catalogue.name.iter().map(|name| Claim::tenant_name(name));
        id.chain(name).collect()
    }

    fn evolve(catalogue: &mut Catalogue, event: &Event, _: DateTime<Utc>) {
        match event.clone() {
            Event::TenantRegistered { name } => {
                catalogue.last_name = Some(name.clone());
                catalogue.name = Some(name);
            }
            Event::RoleDefined { id, key, rank, name, description, artifacts, audits } => {
                let role = Role { id, key, rank, name, description, artifacts, audits };
                define(&mut catalogue.roles, role, |a, b| a.key == b.key);
            }
            Event::RoleRemoved { key } => catalogue.roles.retain(|role| role.key != key),
            Event::DepartmentDefined { id, key, name, description, settings } => {
                let department = Department { id, key, name, description, settings };
                define(&mut catalogue.departments, department, |a, b| a.key == b.key);
                let place = catalogue.departments.iter().position(|one| one.id == id);
                catalogue.department_places.insert(id, place.unwrap_or_default());
            }
            Event::DepartmentRemoved { key } => {
                catalogue.departments.retain(|department| department.key != key);
                catalogue.place_departments();
            }
            Event::SettingDefined { id, key, name, active, colors } => {
                let setting = Setting { id, key, name, active, colors };
                define(&mut catalogue.settings, setting, |a, b| a.key == b.key);
            }
            Event::SettingRemoved { key } => {
                catalogue.settings.retain(|setting| setting.key != key);
            }
            Event::IssuerTrusted {
                issuer,
                audience,
                algorithms,
                jwks_file,
                jwks_url,
                auto_provision_guests,
            } => {
                let trusted = Issuer {
                    issuer,
                    audience,
                    algorithms,
                    jwks_file,
                    jwks_url,
                    auto_provision_guests,
                };
                define(&mut catalogue.issuers, trusted, |a, b| a.issuer == b.issuer);
            }
            Event::IssuerDistrusted { issuer } => {
                catalogue.issuers.retain(|one| one.issuer != issuer);
            }
            Event::VerificationRequired {} => catalogue.verifies_new_profiles = true,
            Event::VerificationWaived {} => catalogue.verifies_new_profiles = false,
            Event::SingleSignOnOffered {} => catalogue.offers_single_sign_on = true,
            Event::SingleSignOnWithdrawn {} => catalogue.offers_single_sign_on = false,
            Event::CleansingEnabled {} => catalogue.cleanses_attributes = true,
            Event::CleansingDisabled {} => catalogue.cleanses_attributes = false,
            Event::ApplicationRoleOffered { role } => catalogue.application_roles.push(role),
            Event::OfferedRoleRemoved { role } => {
                catalogue.application_roles.retain(|one| *one != role);
            }
            Event::AttributeDefined(definition) | Event::AttributeRedefined(definition) => {
                define(&mut catalogue.attributes, definition, |a, b| a.name == b.name);
            }
            Event::AttributeRemoved { name } => {
                catalogue.attributes.retain(|attribute| attribute.name != name);
            }
            Event::TenantDeleted { name } => {
                *catalogue = Catalogue { last_name: Some(name), ..Catalogue::default() };
            }
        }
    }
}

/// Puts an entry in the place of the one that it redefines, otherwise at the end.
fn define<T>(entries: &mut Vec<T>, entry: T, same: impl Fn(&T, &T) -> bool) {
    match entries.iter_mut().find(|one| same(one, &entry)) {
        Some(one) => *one = entry,
        None => entries.push(entry),
    }
}
