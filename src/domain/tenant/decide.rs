//! The rules of tenants, for orders of the operator and of applications.

use uuid::Uuid;

use crate::domain::Rules;

use super::commands::{ApplicationCommand, Command};
use super::events::Event;
use super::state::{Catalogue, Tenant};

/// Why an order is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the tenant is not registered")]
    TenantAbsent,
}

impl Rules for Tenant {
    type Command = Command;
    type By<'a> = ();
    type Refusal = Refusal;

    /// The events of an order to a tenant with this catalogue; none when it changes nothing.
    ///
    /// # Errors
    /// [`Refusal::TenantAbsent`] for anything but its registration.
    fn decide(
        _: Uuid,
        catalogue: &Catalogue,
        (): (),
        command: Command,
    ) -> Result<Vec<Event>, Refusal> {
        if let Command::RegisterTenant { name } = command {
            let new = catalogue.name.is_none();
            return Ok(new.then_some(Event::TenantRegistered { name }).into_iter().collect());
        }
        if catalogue.name.is_none() {
            return Err(Refusal::TenantAbsent);
        }
        Ok(change(catalogue, command).into_iter().collect())
    }
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
                audits: role.audits,
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
                auto_provision_guests: issuer.auto_provision_guests,
            })
        }
        Command::DistrustIssuer { issuer } => {
            let known = catalogue.issuers.iter().any(|one| one.issuer == issuer);
            known.then_some(Event::IssuerDistrusted { issuer })
        }
        Command::DeleteTenant => catalogue.name.clone().map(|name| Event::TenantDeleted { name }),
        Command::ForApplications(command) => for_applications(catalogue, command),
    }
}

/// Orders about what only applications use (Crafter contract 1, 4.7).
fn for_applications(catalogue: &Catalogue, command: ApplicationCommand) -> Option<Event> {
    match command {
        ApplicationCommand::RequireVerification { required } => {
            let changes = catalogue.verifies_new_profiles != required;
            let event = [Event::VerificationWaived {}, Event::VerificationRequired {}];
            changes.then(|| event[usize::from(required)].clone())
        }
        ApplicationCommand::OfferSingleSignOn { offered } => {
            let changes = catalogue.offers_single_sign_on != offered;
            let event = [Event::SingleSignOnWithdrawn {}, Event::SingleSignOnOffered {}];
            changes.then(|| event[usize::from(offered)].clone())
        }
        ApplicationCommand::CleanseAttributes { cleansed } => {
            let changes = catalogue.cleanses_attributes != cleansed;
            let event = [Event::CleansingDisabled {}, Event::CleansingEnabled {}];
            changes.then(|| event[usize::from(cleansed)].clone())
        }
        ApplicationCommand::OfferApplicationRole { role } => {
            let known = catalogue.application_roles.contains(&role);
            (!known).then_some(Event::ApplicationRoleOffered { role })
        }
        ApplicationCommand::WithdrawApplicationRole { role } => {
            let known = catalogue.application_roles.contains(&role);
            known.then_some(Event::OfferedRoleRemoved { role })
        }
        ApplicationCommand::DefineAttribute(definition) => {
            let same = catalogue.attribute(&definition.name) == Some(&definition);
            (!same).then_some(Event::AttributeDefined(definition))
        }
        ApplicationCommand::RedefineAttribute(definition) => {
            let known = catalogue.attribute(&definition.name);
            known
                .is_some_and(|one| *one != definition)
                .then_some(Event::AttributeRedefined(definition))
        }
        ApplicationCommand::RemoveAttribute { name } => {
            catalogue.attribute(&name).is_some().then_some(Event::AttributeRemoved { name })
        }
    }
}
