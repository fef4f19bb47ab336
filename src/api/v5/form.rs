//! The form of a profile, as the sections that `get` shows (contract 4.2), made from the profile or
//! from a draft of it.

use uuid::Uuid;

use crate::api::people::actor::Actor;
use crate::domain::draft::Form;
use crate::domain::ids::flag_id;
use crate::domain::profile::Facts;
use crate::domain::tenant::{Catalogue, Department, Role};

use super::types::draft::ProfileDraftFormState;
use super::types::resource::{
    ProfileDepartmentResource, ProfileEmailResource, ProfileFlagConfig, ProfileNameResource,
    ProfileRequestLimitResource, ProfileRoleResource,
};
use super::types::section::{
    ProfileDepartmentSection, ProfileEmailSection, ProfileFlagSection, ProfileNameSection,
    ProfileRequestLimitSection, ProfileRoleSection,
};

/// The sections of a form.
pub struct Sections {
    pub names: ProfileNameSection,
    pub emails: ProfileEmailSection,
    pub request_limits: ProfileRequestLimitSection,
    pub flags: ProfileFlagSection,
    pub departments: ProfileDepartmentSection,
    pub roles: ProfileRoleSection,
}

/// The values that a profile has, as a form.
pub fn of_profile(facts: &Facts) -> Form {
    Form {
        name: facts.name.clone(),
        emails: facts.emails.clone(),
        roles: facts.roles.clone(),
        departments: facts.departments.clone(),
        request_limit: facts.request_limit.clone(),
        active: facts.active,
    }
}

/// The sections of `form` with the options that `actor` may choose.
pub fn sections(form: &Form, actor: &Actor, limits: Vec<ProfileRequestLimitResource>) -> Sections {
    let catalogue = &*actor.catalogue;
    let name = form.name.as_ref().map(|name| ProfileNameResource {
        id: Some(name.id.0),
        name: Some(name.name.0.clone()),
        generated: Some(false),
    });
    let emails = form.emails.iter().map(|email| ProfileEmailResource {
        id: Some(email.id.0),
        email: Some(email.address.0.clone()),
        generated: Some(false),
    });
    let limit = form.request_limit.as_ref().map(|limit| ProfileRequestLimitResource {
        id: Some(limit.id.0),
        requests_per_day: Some(limit.requests_per_day.into()),
        generated: Some(false),
    });
    let flags = [true, false].map(|active| flag(actor.tenant(), active));
    let selected_departments =
        form.departments.iter().filter_map(|id| catalogue.department(*id)).map(department);
    let superadmin = actor.effective.is_superadmin();
    let own = |one: &&Department| superadmin || actor.effective.departments.contains(&one.id);
    let offered_departments = catalogue.departments.iter().filter(own).map(department);
    let selected_roles = form.roles.iter().filter_map(|key| catalogue.role(key)).map(role);
    let options = role_options(actor);
    let offered_roles = options.iter().filter_map(|key| catalogue.role(key)).map(role);
    Sections {
        names: ProfileNameSection::new(name),
        emails: ProfileEmailSection::new(emails.collect()),
        request_limits: ProfileRequestLimitSection::new(limit, limits),
        flags: ProfileFlagSection::new(
            form.active.map(|active| flag(actor.tenant(), active)),
            flags.into(),
        ),
        departments: ProfileDepartmentSection::new(
            selected_departments.collect(),
            offered_departments.collect(),
        ),
        roles: ProfileRoleSection::new(selected_roles.collect(), offered_roles.collect()),
    }
}

/// Contract 1.3: the roles that an actor may assign, highest first, `custom` last.
pub fn role_options(actor: &Actor) -> Vec<String> {
    if actor.effective.role.is_none() {
        return vec![];
    }
    let mut roles: Vec<&Role> =
        actor.catalogue.roles.iter().filter(|role| role.rank <= actor.effective.rank()).collect();
    roles.sort_by_key(|role| {
        let custom = role.key == crate::domain::permission::CUSTOM;
        (custom, std::cmp::Reverse(role.rank))
    });
    roles.into_iter().map(|role| role.key.clone()).collect()
}

fn flag(tenant: crate::domain::ids::TenantId, active: bool) -> ProfileFlagConfig {
    let description = if active { "the profile may act" } else { "the profile may not act" };
    ProfileFlagConfig {
        key: "active".to_owned(),
        label: "Active".to_owned(),
        description: Some(description.to_owned()),
        icon_id: None,
        flag_option_id: Some(flag_id(tenant, active).0),
        show: true,
        required: false,
        generated: Some(false),
    }
}

fn department(department: &Department) -> ProfileDepartmentResource {
    ProfileDepartmentResource {
        id: Some(department.id.0),
        name: Some(department.name.clone()),
        description: Some(department.description.clone()),
        generated: Some(false),
    }
}

fn role(role: &Role) -> ProfileRoleResource {
    ProfileRoleResource {
        id: Some(role.id.0),
        role: Some(role.key.clone()),
        name: Some(role.name.clone()),
        description: Some(role.description.clone()),
        icon_value: None,
        color_hex: None,
    }
}

/// A form as ids (contract 2, `ProfileDraftFormState`).
pub fn state(
    form: &Form,
    tenant: crate::domain::ids::TenantId,
    catalogue: &Catalogue,
) -> ProfileDraftFormState {
    let role_id = |key: &String| catalogue.role(key).map(|role| role.id.0);
    ProfileDraftFormState {
        name_id: form.name.as_ref().map(|name| name.id.0),
        flag_id: form.active.map(|active| flag_id(tenant, active).0),
        department_ids: form.departments.iter().map(|one| one.0).collect(),
        email_ids: form.emails.iter().map(|one| one.id.0).collect(),
        role_ids: form.roles.iter().filter_map(role_id).collect(),
        request_limit_ids: form.request_limit.iter().map(|one| one.id.0).collect::<Vec<Uuid>>(),
    }
}
