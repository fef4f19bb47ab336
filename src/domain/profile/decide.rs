//! The rules of profiles (contract 1.3, 4.4 to 4.6, 4.9; Crafter contract 4.5 to 4.7).

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::domain::Rules;
use crate::domain::ids::{DepartmentId, ProfileId};
use crate::domain::permission::{self, Authority, Facet, RankedRole, Ranks, Standing, Unranked};
use crate::domain::values::Email;

use super::commands::{Command, LockPolicy};
use super::events::{Event, Registration};
use super::state::{Facts, Profile, State};

/// Why an order is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("profile not found")]
    ProfileNotFound,
    #[error("not permitted")]
    NotPermitted,
    #[error("cannot delete yourself")]
    SelfDeletion,
    #[error("a profile with this id exists already")]
    AlreadyRegistered,
    #[error("the role {0} ranks above your own")]
    RoleAboveOwn(String),
    #[error("this is not one of your departments")]
    DepartmentNotHeld,
    #[error("you may not change this of your own profile")]
    OwnFacetFixed(Facet),
    #[error("this cannot be changed while you act as this profile")]
    FixedWhileEmulating(Facet),
}

impl Refusal {
    /// The field of the request that it concerns (contract 2, `ProfileFieldError`).
    pub fn field(&self) -> &'static str {
        match self {
            Refusal::ProfileNotFound | Refusal::NotPermitted | Refusal::SelfDeletion => {
                "profile_id"
            }
            Refusal::AlreadyRegistered => "id",
            Refusal::RoleAboveOwn(_) => "role_ids",
            Refusal::DepartmentNotHeld => "department_ids",
            Refusal::OwnFacetFixed(facet) | Refusal::FixedWhileEmulating(facet) => field(*facet),
        }
    }
}

fn field(facet: Facet) -> &'static str {
    match facet {
        Facet::Name => "name",
        Facet::Emails => "email_ids",
        Facet::Roles => "role_ids",
        Facet::Departments => "department_ids",
        Facet::RequestLimit => "request_limit_id",
        Facet::Activity => "flag_id",
        Facet::Attributes => "attributes",
        Facet::Application => "profile_id",
    }
}

/// Who gives an order to a profile, and the ranks of its tenant's roles.
#[derive(Clone, Copy)]
pub struct By<'a> {
    pub authority: &'a Authority,
    pub ranks: &'a dyn Ranks,
}

impl By<'_> {
    /// The operator of the installation: ranks do not matter.
    pub const OPERATOR: By<'static> = By { authority: &Authority::Operator, ranks: &Unranked };
}

impl<'a> By<'a> {
    /// An application whose access token permits it to change profiles.
    pub fn application(ranks: &'a dyn Ranks) -> By<'a> {
        By { authority: &Authority::Application, ranks }
    }
}

impl Rules for Profile {
    type Command = Command;
    type By<'a> = By<'a>;
    type Refusal = Refusal;

    fn decide(
        id: Uuid,
        state: &State,
        by: By<'_>,
        command: Command,
    ) -> Result<Vec<Event>, Refusal> {
        let By { authority: by, ranks } = by;
        let facet = facet(&command);
        if matches!(by, Authority::Application) && !permission::is_open_to_applications(facet) {
            return Err(Refusal::NotPermitted);
        }
        if let Command::RegisterProfile(registration) = command {
            return register(state, by, registration);
        }
        let facts = state.live().ok_or(Refusal::ProfileNotFound)?;
        let target = facts.standing(ProfileId(id), |key| ranks.rank(key));
        let deleting = matches!(command, Command::DeleteProfile);
        match by {
            Authority::Operator => {}
            Authority::Application => may_apply(facts, &target, &command)?,
            Authority::Profile { effective, real } if deleting => {
                may_delete(effective, *real, &target)?;
            }
            Authority::Profile { effective, .. } if !permission::can_edit(effective, &target) => {
                return Err(Refusal::NotPermitted);
            }
            Authority::Profile { .. } if facet == Facet::Application => {
                return Err(Refusal::NotPermitted);
            }
            Authority::Profile { .. } => {}
        }
        let may_claim = !matches!(by, Authority::Application);
        let events = changes(facts, command.clone(), may_claim);
        // Clients send whole forms: a value that stays the same needs no permission.
        if let (Authority::Profile { effective, .. }, false, false) =
            (by, deleting, events.is_empty())
        {
            may_change(effective, by.is_emulation(), &target, &command)?;
        }
        Ok(events)
    }
}

fn register(
    state: &State,
    by: &Authority,
    registration: Registration<RankedRole>,
) -> Result<Vec<Event>, Refusal> {
    let claims_log_ins = !matches!(by, Authority::Application);
    match by {
        Authority::Operator => {}
        Authority::Application => {
            if !registration.roles.is_empty() {
                return Err(Refusal::NotPermitted);
            }
        }
        Authority::Profile { effective, .. } => {
            if !permission::can_create(effective) || !registration.application_roles.is_empty() {
                return Err(Refusal::NotPermitted);
            }
            may_assign(effective, &registration.roles, &registration.departments)?;
        }
    }
    if *state != State::Absent {
        return Err(Refusal::AlreadyRegistered);
    }
    let registration = registration.with_keys();
    let emails = with_log_ins(registration.emails, &[], claims_log_ins);
    Ok(vec![Event::ProfileRegistered(Registration { emails, ..registration })])
}

/// Applications cannot change the log-in addresses of profiles with directory roles, nor disable or
/// delete admins.
fn may_apply(facts: &Facts, target: &Standing, command: &Command) -> Result<(), Refusal> {
    let allowed = match command {
        Command::AssignEmails { emails } => {
            let log_ins = || facts.emails.iter().filter(|email| email.login);
            target.role.is_none()
                || log_ins().all(|email| emails.iter().any(|one| one.id == email.id))
        }
        Command::DeactivateProfile | Command::DeleteProfile => !target.is_admin(),
        Command::VerifyProfile { log_in_email_is_free } => {
            target.role.is_none() || !log_in_email_is_free
        }
        Command::TakeLogInEmail { .. } => target.role.is_none(),
        _ => true,
    };
    if allowed { Ok(()) } else { Err(Refusal::NotPermitted) }
}

fn may_delete(by: &Standing, real: ProfileId, target: &Standing) -> Result<(), Refusal> {
    // Contract 4.9: while emulating, neither the effective nor the real actor may be deleted.
    if target.profile == by.profile || target.profile == real {
        return Err(Refusal::SelfDeletion);
    }
    if !permission::can_delete(by, target) {
        return Err(Refusal::NotPermitted);
    }
    Ok(())
}

fn may_change(
    by: &Standing,
    emulating: bool,
    target: &Standing,
    command: &Command,
) -> Result<(), Refusal> {
    let facet = facet(command);
    if by.profile == target.profile {
        if !permission::may_change_own(by, facet) {
            return Err(Refusal::OwnFacetFixed(facet));
        }
        // Contract 4.11: while emulating, nobody changes the log-ins or the rights of the effective
        // profile.
        if emulating && matches!(facet, Facet::Emails | Facet::Roles) {
            return Err(Refusal::FixedWhileEmulating(facet));
        }
    }
    match command {
        Command::AssignRoles { roles } => may_assign(by, roles, &[]),
        Command::AssignDepartments { departments } => may_assign(by, &[], departments),
        _ => Ok(()),
    }
}

fn may_assign(
    by: &Standing,
    roles: &[RankedRole],
    departments: &[DepartmentId],
) -> Result<(), Refusal> {
    if let Some(role) = roles.iter().find(|role| !permission::can_assign_role(by, role.rank)) {
        return Err(Refusal::RoleAboveOwn(role.key.clone()));
    }
    if !permission::can_assign_departments(by, departments) {
        return Err(Refusal::DepartmentNotHeld);
    }
    Ok(())
}

fn facet(command: &Command) -> Facet {
    match command {
        Command::RegisterProfile(_)
        | Command::ActivateProfile
        | Command::DeactivateProfile
        | Command::DeleteProfile => Facet::Activity,
        Command::RenameProfile { .. } => Facet::Name,
        Command::AssignEmails { .. } => Facet::Emails,
        Command::AssignRoles { .. } => Facet::Roles,
        Command::AssignDepartments { .. } => Facet::Departments,
        Command::AssignRequestLimit { .. } => Facet::RequestLimit,
        Command::AssignAttributes { .. }
        | Command::DefaultAttribute { .. }
        | Command::WithdrawAttribute { .. } => Facet::Attributes,
        Command::AssignUsername { .. }
        | Command::AssignApplicationRoles { .. }
        | Command::WithdrawApplicationRole { .. }
        | Command::VerifyProfile { .. }
        | Command::TakeLogInEmail { .. }
        | Command::ChangePassword
        | Command::LogIn { .. }
        | Command::StoreAttachment(_) => Facet::Application,
    }
}

fn changes(facts: &Facts, command: Command, may_claim: bool) -> Vec<Event> {
    let event = match command {
        Command::RegisterProfile(_) => None,
        Command::RenameProfile { name } => {
            (facts.name.as_ref() != Some(&name)).then_some(Event::ProfileRenamed { name })
        }
        Command::AssignEmails { emails } => {
            let emails = with_log_ins(emails, &facts.emails, may_claim);
            (facts.emails != emails).then_some(Event::EmailsAssigned { emails })
        }
        Command::AssignRoles { roles } => {
            let roles = keys(roles);
            (facts.roles != roles).then_some(Event::RolesAssigned { roles })
        }
        Command::AssignDepartments { departments } => {
            (facts.departments != departments).then_some(Event::DepartmentsAssigned { departments })
        }
        Command::AssignRequestLimit { request_limit } => (facts.request_limit.as_ref()
            != Some(&request_limit))
        .then_some(Event::RequestLimitAssigned { request_limit }),
        Command::ActivateProfile => {
            (facts.active != Some(true)).then_some(Event::ProfileActivated {})
        }
        Command::DeactivateProfile => {
            (facts.active != Some(false)).then_some(Event::ProfileDeactivated {})
        }
        Command::AssignAttributes { mut attributes, mut removed } => {
            removed.retain(|name| !attributes.contains_key(name));
            attributes.retain(|name, value| facts.attributes.get(name) != Some(value));
            removed.retain(|name| facts.attributes.contains_key(name));
            (!attributes.is_empty() || !removed.is_empty())
                .then_some(Event::AttributesAssigned { attributes, removed })
        }
        Command::DefaultAttribute { name, value } => {
            let lacking = !facts.attributes.contains_key(&name);
            lacking.then_some(Event::AttributeDefaulted { name, value })
        }
        Command::WithdrawAttribute { name } => {
            let held = facts.attributes.contains_key(&name);
            held.then_some(Event::AttributeWithdrawn { name })
        }
        Command::AssignUsername { username } => (facts.username.as_ref() != Some(&username))
            .then(|| Event::UsernameAssigned { username: username.into() }),
        Command::AssignApplicationRoles { roles } => {
            (facts.application_roles != roles).then_some(Event::ApplicationRolesAssigned { roles })
        }
        Command::WithdrawApplicationRole { role } => facts
            .application_roles
            .contains(&role)
            .then_some(Event::ApplicationRoleWithdrawn { role }),
        Command::VerifyProfile { log_in_email_is_free } => {
            return verify(facts, log_in_email_is_free);
        }
        Command::TakeLogInEmail { email_id } => {
            let held = facts.emails.iter().any(|email| email.id == email_id && !email.login);
            held.then_some(Event::LogInEmailTaken { email_id })
        }
        Command::ChangePassword => Some(Event::PasswordChanged {}),
        Command::LogIn { right: true, .. } => Some(Event::LogInSucceeded {}),
        Command::LogIn { right: false, now, policy } => return failed_log_in(facts, now, policy),
        Command::StoreAttachment(attachment) => (!facts.attachments.contains(&attachment))
            .then_some(Event::AttachmentStored(attachment)),
        Command::DeleteProfile => Some(Event::ProfileDeleted {}),
    };
    event.into_iter().collect()
}

/// Crafter contract 4.5: verifying also enables. A verified address becomes a log-in unless another
/// profile has it.
fn verify(facts: &Facts, log_in_email_is_free: bool) -> Vec<Event> {
    let mut events = Vec::new();
    if !facts.verified {
        events.push(Event::ProfileVerified {});
    }
    if !facts.is_active() {
        events.push(Event::ProfileActivated {});
    }
    let email = facts.emails.first().filter(|email| log_in_email_is_free && !email.login);
    events.extend(email.map(|email| Event::LogInEmailTaken { email_id: email.id }));
    events
}

/// Crafter contract 4.6: the counter survives a lock, so the next failure after it locks again.
fn failed_log_in(facts: &Facts, now: DateTime<Utc>, policy: LockPolicy) -> Vec<Event> {
    if facts.is_locked(now) {
        return vec![];
    }
    let mut events = vec![Event::LogInFailed {}];
    if facts.failed_log_ins + 1 >= policy.failures_max {
        events.push(Event::LogInLocked { until: now + Duration::minutes(policy.lock_minutes) });
    }
    events
}

fn keys(roles: Vec<RankedRole>) -> Vec<String> {
    roles.into_iter().map(|role| role.key).collect()
}

/// Each added address becomes a log-in if it may. An order that cannot claim one is then refused.
/// An address that stays is as before.
fn with_log_ins(emails: Vec<Email>, before: &[Email], may_claim: bool) -> Vec<Email> {
    let kept = |email: &Email| before.iter().find(|one| one.id == email.id).map(|one| one.login);
    let log_in = |email: &Email| kept(email).unwrap_or(may_claim);
    emails.into_iter().map(|email| Email { login: log_in(&email), ..email }).collect()
}
