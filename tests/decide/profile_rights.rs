//! Who may register, change and delete a profile (contract 1.3, 4.9, 4.11): for each order by each
//! role, of oneself and of another, as oneself and acting as another.

use dossier::domain::ids::{DepartmentId, ProfileId};
use dossier::domain::permission::{Authority, Facet, Standing};
use dossier::domain::profile::{Attributes, Command, Event, Profile, Refusal, Registration};

use crate::support::given::{Given, ROLES, TARGET, given};

use super::{HISTORY, NO_ROLE, PHYSICS, email, name, person, request_limit, role, standing};

const REAL: u128 = 7;

/// A person acting as nobody else.
fn by(effective: Standing) -> Authority {
    let real = effective.profile;
    Authority::Profile { effective, real }
}

/// The real actor acting as this profile.
fn acting_as(effective: Standing) -> Authority {
    Authority::Profile { effective, real: person(REAL) }
}

/// Another person of this role, in the target's department.
fn other(key: &str) -> Standing {
    standing(person(1), key, &[HISTORY])
}

/// The target itself.
fn itself(key: &str) -> Standing {
    standing(TARGET, key, &[HISTORY])
}

/// The target, of this role.
fn target(key: &str) -> Given<Profile> {
    given([Event::ProfileRegistered(Registration {
        name: Some(name("Ada")),
        emails: vec![email("ada@example.com")],
        roles: role(key).map(|role| role.key).into_iter().collect(),
        departments: vec![HISTORY],
        request_limit: Some(request_limit(10)),
        active: Some(true),
        ..Registration::default()
    })])
}

fn register(roles: &[&str], departments: &[DepartmentId]) -> Command {
    Command::RegisterProfile(Registration {
        emails: vec![],
        roles: roles.iter().filter_map(|key| role(key)).collect(),
        departments: departments.to_vec(),
        duplicated_from: Some(person(5)),
        ..Registration::default()
    })
}

fn registered(roles: &[&str], departments: &[DepartmentId]) -> Event {
    Event::ProfileRegistered(Registration {
        emails: vec![],
        roles: roles.iter().map(|key| (*key).to_owned()).collect(),
        departments: departments.to_vec(),
        duplicated_from: Some(person(5)),
        ..Registration::default()
    })
}

fn rename() -> Command {
    Command::RenameProfile { name: name("Ada Lovelace") }
}

fn renamed() -> Event {
    Event::ProfileRenamed { name: name("Ada Lovelace") }
}

fn roles(keys: &[&str]) -> Command {
    Command::AssignRoles { roles: keys.iter().filter_map(|key| role(key)).collect() }
}

fn roles_assigned(keys: &[&str]) -> Event {
    Event::RolesAssigned { roles: keys.iter().map(|key| (*key).to_owned()).collect() }
}

fn departments(departments: &[DepartmentId]) -> Command {
    Command::AssignDepartments { departments: departments.to_vec() }
}

fn departments_assigned(departments: &[DepartmentId]) -> Event {
    Event::DepartmentsAssigned { departments: departments.to_vec() }
}

fn no_emails() -> Command {
    Command::AssignEmails { emails: vec![] }
}

/// A change of each facet of a target of this role, with what it leads to.
fn facets(key: &str) -> Vec<(Facet, Command, Event)> {
    let limit = request_limit(20);
    let year = Attributes::from([("year".to_owned(), serde_json::json!(1815).into())]);
    let attributed = Event::AttributesAssigned { attributes: year.clone(), removed: vec![] };
    vec![
        (Facet::Name, rename(), renamed()),
        (Facet::Emails, no_emails(), Event::EmailsAssigned { emails: vec![] }),
        (Facet::Roles, roles(&[key, "guest"]), roles_assigned(&[key, "guest"])),
        (Facet::Departments, departments(&[]), departments_assigned(&[])),
        (
            Facet::RequestLimit,
            Command::AssignRequestLimit { request_limit: limit.clone() },
            Event::RequestLimitAssigned { request_limit: limit },
        ),
        (Facet::Activity, Command::DeactivateProfile, Event::ProfileDeactivated {}),
        (
            Facet::Attributes,
            Command::AssignAttributes { attributes: year, removed: vec![] },
            attributed,
        ),
    ]
}

/// The form of the target as it stands: an order for each facet that leaves it as it is.
fn whole_form(key: &str) -> Vec<Command> {
    vec![
        Command::RenameProfile { name: name("Ada") },
        Command::AssignEmails { emails: vec![email("ada@example.com")] },
        roles(&[key]),
        departments(&[HISTORY]),
        Command::AssignRequestLimit { request_limit: request_limit(10) },
        Command::ActivateProfile,
        Command::AssignAttributes {
            attributes: Attributes::new(),
            removed: vec!["year".to_owned()],
        },
    ]
}

fn keys() -> impl Iterator<Item = &'static str> {
    ROLES.into_iter().map(|(key, _)| key).chain([NO_ROLE])
}

#[test]
fn admins_and_superadmins_register_profiles() {
    for key in keys() {
        let outcome = given::<Profile>([]).when_by((by(other(key)), register(&[], &[])));
        if ["superadmin", "admin"].contains(&key) {
            outcome.then([registered(&[], &[])]);
        } else {
            outcome.refused(Refusal::NotPermitted);
        }
    }
}

#[test]
fn nobody_registers_with_a_role_above_their_own() {
    let admin = || by(other("admin"));
    let up_to_own = ["admin", "instructional", "custom"];
    let outcome = given::<Profile>([]).when_by((admin(), register(&up_to_own, &[])));
    outcome.then([registered(&up_to_own, &[])]);
    // Every role counts, not only the first.
    let above = register(&["guest", "superadmin"], &[]);
    let refusal = Refusal::RoleAboveOwn("superadmin".to_owned());
    given::<Profile>([]).when_by((admin(), above)).refused(refusal);
}

#[test]
fn admins_register_into_their_departments_or_none_and_superadmins_into_any() {
    let admin = || by(other("admin"));
    for own in [&[][..], &[HISTORY]] {
        let outcome = given::<Profile>([]).when_by((admin(), register(&[], own)));
        outcome.then([registered(&[], own)]);
    }
    for foreign in [&[PHYSICS][..], &[HISTORY, PHYSICS]] {
        let outcome = given::<Profile>([]).when_by((admin(), register(&[], foreign)));
        outcome.refused(Refusal::DepartmentNotHeld);
        let outcome =
            given::<Profile>([]).when_by((by(other("superadmin")), register(&[], foreign)));
        outcome.then([registered(&[], foreign)]);
    }
}

#[test]
fn whether_a_profile_exists_is_not_said_to_those_who_may_not_register() {
    let order = (by(other("member")), register(&[], &[]));
    target("member").when_by(order).refused(Refusal::NotPermitted);
    let order = (by(other("admin")), register(&[], &[]));
    target("member").when_by(order).refused(Refusal::AlreadyRegistered);
}

#[test]
fn every_facet_of_another_needs_the_right_to_edit_and_no_more() {
    for (key, allowed) in [
        ("superadmin", true),
        ("admin", true),
        ("instructional", true),
        ("member", false),
        ("guest", false),
        ("custom", false),
        (NO_ROLE, false),
    ] {
        for (_, command, event) in facets("member") {
            let outcome = target("member").when_by((by(other(key)), command));
            if allowed {
                outcome.then([event]);
            } else {
                outcome.refused(Refusal::NotPermitted);
            }
        }
    }
}

#[test]
fn one_who_may_not_edit_is_refused_even_what_changes_nothing() {
    for command in whole_form("admin") {
        let outcome = target("admin").when_by((by(other("admin")), command));
        outcome.refused(Refusal::NotPermitted);
    }
}

#[test]
fn nobody_gives_another_a_role_above_their_own() {
    let instructional = || by(other("instructional"));
    let up_to_own = ["instructional", "guest"];
    let outcome = target("member").when_by((instructional(), roles(&up_to_own)));
    outcome.then([roles_assigned(&up_to_own)]);
    let refusal = Refusal::RoleAboveOwn("admin".to_owned());
    let outcome = target("member").when_by((instructional(), roles(&["guest", "admin"])));
    outcome.refused(refusal);
}

#[test]
fn nobody_below_superadmin_gives_another_a_department_they_are_not_in() {
    let outcome = target("member").when_by((by(other("admin")), departments(&[HISTORY, PHYSICS])));
    outcome.refused(Refusal::DepartmentNotHeld);
    let outcome = target("member").when_by((by(other("admin")), departments(&[])));
    outcome.then([departments_assigned(&[])]);
    let any = (by(other("superadmin")), departments(&[PHYSICS]));
    target("member").when_by(any).then([departments_assigned(&[PHYSICS])]);
}

#[test]
fn of_oneself_each_facet_has_its_own_rule() {
    for key in keys() {
        for (facet, command, event) in facets(key) {
            let allowed = match facet {
                Facet::Name | Facet::Emails => true,
                Facet::Departments | Facet::Attributes => ["superadmin", "admin"].contains(&key),
                Facet::Roles | Facet::RequestLimit | Facet::Activity => key == "superadmin",
                Facet::Application => false,
            };
            let outcome = target(key).when_by((by(itself(key)), command));
            if allowed {
                outcome.then([event]);
            } else {
                outcome.refused(Refusal::OwnFacetFixed(facet));
            }
        }
    }
}

#[test]
fn nobody_changes_their_own_role_to_a_lower_one_below_superadmin() {
    let outcome = target("admin").when_by((by(itself("admin")), roles(&["guest"])));
    outcome.refused(Refusal::OwnFacetFixed(Facet::Roles));
    let outcome = target("superadmin").when_by((by(itself("superadmin")), roles(&["guest"])));
    outcome.then([roles_assigned(&["guest"])]);
}

#[test]
fn an_admin_gives_itself_only_departments_it_is_in() {
    let outcome = target("admin").when_by((by(itself("admin")), departments(&[HISTORY, PHYSICS])));
    outcome.refused(Refusal::DepartmentNotHeld);
}

#[test]
fn what_stays_as_it_is_needs_no_right_to_change_it() {
    for key in keys() {
        for command in whole_form(key) {
            target(key).when_by((by(itself(key)), command.clone())).then_nothing();
            target(key).when_by((acting_as(itself(key)), command)).then_nothing();
        }
    }
}

#[test]
fn roles_above_ones_own_may_stay_where_they_are() {
    let both = ["member", "superadmin"];
    let kept = given::<Profile>([super::profile::registered(), roles_assigned(&both)]);
    kept.when_by((by(other("admin")), roles(&both))).then_nothing();
    let refusal = Refusal::RoleAboveOwn("superadmin".to_owned());
    kept.when_by((by(other("admin")), roles(&["guest", "superadmin"]))).refused(refusal);
}

#[test]
fn emails_and_roles_of_whom_one_acts_as_are_fixed() {
    let superadmin = || acting_as(itself("superadmin"));
    for (facet, command, event) in facets("superadmin") {
        let outcome = target("superadmin").when_by((superadmin(), command));
        if matches!(facet, Facet::Emails | Facet::Roles) {
            outcome.refused(Refusal::FixedWhileEmulating(facet));
        } else {
            outcome.then([event]);
        }
    }
}

#[test]
fn emails_of_whom_one_acts_as_are_fixed_for_every_role() {
    for key in keys() {
        let outcome = target(key).when_by((acting_as(itself(key)), no_emails()));
        outcome.refused(Refusal::FixedWhileEmulating(Facet::Emails));
        target(key).when_by((acting_as(itself(key)), rename())).then([renamed()]);
    }
}

#[test]
fn others_are_changed_with_the_rights_of_whom_one_acts_as() {
    let guest = acting_as(other("guest"));
    target("member").when_by((guest, rename())).refused(Refusal::NotPermitted);
    for (_, command, event) in facets("member") {
        target("member").when_by((acting_as(other("admin")), command)).then([event]);
    }
}

#[test]
fn those_who_may_delete_do() {
    for (key, allowed) in keys().map(|key| (key, ["superadmin", "admin"].contains(&key))) {
        let outcome = target("member").when_by((by(other(key)), Command::DeleteProfile));
        if allowed {
            outcome.then([Event::ProfileDeleted {}]);
        } else {
            outcome.refused(Refusal::NotPermitted);
        }
    }
}

#[test]
fn an_admin_deletes_no_admin_and_nobody_unseen() {
    let outcome = target("admin").when_by((by(other("admin")), Command::DeleteProfile));
    outcome.refused(Refusal::NotPermitted);
    let elsewhere = standing(person(1), "admin", &[PHYSICS]);
    let outcome = target("member").when_by((by(elsewhere), Command::DeleteProfile));
    outcome.refused(Refusal::NotPermitted);
}

#[test]
fn nobody_deletes_themselves() {
    for key in keys() {
        let outcome = target(key).when_by((by(itself(key)), Command::DeleteProfile));
        outcome.refused(Refusal::SelfDeletion);
    }
}

#[test]
fn neither_the_effective_nor_the_real_actor_is_deleted() {
    let delete = |effective: Standing, real: ProfileId| {
        let authority = Authority::Profile { effective, real };
        target("superadmin").when_by((authority, Command::DeleteProfile))
    };
    delete(itself("superadmin"), person(REAL)).refused(Refusal::SelfDeletion);
    delete(other("superadmin"), TARGET).refused(Refusal::SelfDeletion);
    delete(other("superadmin"), person(REAL)).then([Event::ProfileDeleted {}]);
}
