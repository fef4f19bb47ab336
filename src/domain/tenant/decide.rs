//! What becomes of an order to a tenant. Only the operator gives any.

use super::commands::Command;
use super::events::Event;
use super::state::Catalogue;

/// The fact in the way of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the tenant is not registered")]
    TenantAbsent,
}

impl Refusal {
    /// A stable code for metrics and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::TenantAbsent => "tenant_absent",
        }
    }
}

/// What happens to a tenant with this catalogue on this order; nothing when it is so already.
///
/// # Errors
/// [`Refusal::TenantAbsent`] for anything but its registration.
pub fn decide(catalogue: &Catalogue, command: Command) -> Result<Vec<Event>, Refusal> {
    if let Command::RegisterTenant { name } = command {
        let new = catalogue.name.is_none();
        return Ok(new.then_some(Event::TenantRegistered { name }).into_iter().collect());
    }
    if catalogue.name.is_none() {
        return Err(Refusal::TenantAbsent);
    }
    Ok(change(catalogue, command).into_iter().collect())
}

fn change(catalogue: &Catalogue, command: Command) -> Option<Event> {
    match command {
        Command::RegisterTenant { .. } => None,
        Command::DefineRole(role) => {
            let same = catalogue.role(&role.key) == Some(&role);
            (!same).then_some(Event::RoleDefined {
                id: role.id,
                key: role.key,
                rank: role.rank,
                name: role.name,
                description: role.description,
                artifacts: role.artifacts,
            })
        }
        Command::RemoveRole { key } => {
            catalogue.role(&key).is_some().then_some(Event::RoleRemoved { key })
        }
        Command::DefineDepartment(department) => {
            let same = catalogue.department(department.id) == Some(&department);
            (!same).then_some(Event::DepartmentDefined {
                id: department.id,
                key: department.key,
                name: department.name,
                description: department.description,
                settings: department.settings,
            })
        }
        Command::RemoveDepartment { key } => {
            let known = catalogue.department_by_key(&key).is_some();
            known.then_some(Event::DepartmentRemoved { key })
        }
        Command::DefineSetting(setting) => {
            let same = catalogue.setting(&setting.key) == Some(&setting);
            (!same).then_some(Event::SettingDefined {
                id: setting.id,
                key: setting.key,
                name: setting.name,
                active: setting.active,
                colors: setting.colors,
            })
        }
        Command::RemoveSetting { key } => {
            catalogue.setting(&key).is_some().then_some(Event::SettingRemoved { key })
        }
        Command::TrustIssuer(issuer) => {
            let same = catalogue.issuers.contains(&issuer);
            (!same).then_some(Event::IssuerTrusted {
                issuer: issuer.issuer,
                audience: issuer.audience,
                algorithms: issuer.algorithms,
                jwks_file: issuer.jwks_file,
                jwks_url: issuer.jwks_url,
            })
        }
        Command::DistrustIssuer { issuer } => {
            let known = catalogue.issuers.iter().any(|one| one.issuer == issuer);
            known.then_some(Event::IssuerDistrusted { issuer })
        }
    }
}
