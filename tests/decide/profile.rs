//! What becomes of a profile: registered once, changed where something changes, deleted for good.
//! Who may order it: `profile_rights.rs`.

use dossier::domain::Rules;
use dossier::domain::permission::{Authority, Facet};
use dossier::domain::profile::{
    Attributes, By, Command, Event, Profile, Refusal, Registration, State,
};
use dossier::domain::values::Email;
use serde_json::json;

use crate::support::given::{Given, TARGET, given, noon, rank};

use super::{HISTORY, NO_ROLE, PHYSICS, email, name, person, request_limit, role};

/// Ordered by the operator, of whom no rights are asked.
fn order(command: Command) -> (Authority, Command) {
    (Authority::Operator, command)
}

fn attributes(values: &[(&str, i64)]) -> Attributes {
    values.iter().map(|(name, value)| ((*name).to_owned(), json!(value).into())).collect()
}

fn register() -> Command {
    Command::RegisterProfile(Registration {
        name: Some(name("Ada")),
        emails: vec![email("ada@example.com")],
        roles: vec![role("member").expect("a role of these tests")],
        departments: vec![HISTORY],
        request_limit: Some(request_limit(10)),
        active: Some(true),
        attributes: attributes(&[("year", 1815)]),
        ..Registration::default()
    })
}

pub(super) fn registered() -> Event {
    Event::ProfileRegistered(Registration {
        name: Some(name("Ada")),
        emails: vec![email("ada@example.com")],
        roles: vec!["member".to_owned()],
        departments: vec![HISTORY],
        request_limit: Some(request_limit(10)),
        active: Some(true),
        attributes: attributes(&[("year", 1815)]),
        ..Registration::default()
    })
}

/// A profile of which nothing is known but that it is there.
fn bare() -> Event {
    Event::ProfileRegistered(Registration {
        emails: vec![],
        roles: vec![],
        departments: vec![],
        ..Registration::default()
    })
}

fn ada() -> Given<Profile> {
    given([registered()])
}

fn roles(keys: &[&str]) -> Command {
    let roles = keys.iter().map(|key| role(key).expect("a role of these tests"));
    Command::AssignRoles { roles: roles.collect() }
}

fn assign_attributes(values: &[(&str, i64)], removed: &[&str]) -> Command {
    let removed = removed.iter().map(|name| (*name).to_owned()).collect();
    Command::AssignAttributes { attributes: attributes(values), removed }
}

/// Each order that is no registration, and none that leaves [`registered`] as it is.
fn changes() -> Vec<Command> {
    vec![
        Command::RenameProfile { name: name("Ada Lovelace") },
        Command::AssignEmails { emails: vec![] },
        roles(&["guest"]),
        Command::AssignDepartments { departments: vec![PHYSICS] },
        Command::AssignRequestLimit { request_limit: request_limit(20) },
        Command::DeactivateProfile,
        Command::ActivateProfile,
        assign_attributes(&[("year", 1816)], &[]),
        Command::DeleteProfile,
    ]
}

#[test]
fn a_profile_is_registered_with_its_first_facts() {
    given::<Profile>([]).when_by(order(register())).then([registered()]);
    let State::Live(facts) = ada().state else { panic!("not live") };
    assert_eq!(facts.name, Some(name("Ada")));
    assert_eq!(facts.registered_at, noon());
}

#[test]
fn a_profile_is_registered_only_once_even_after_its_deletion() {
    ada().when_by(order(register())).refused(Refusal::AlreadyRegistered);
    let deleted = given::<Profile>([registered(), Event::ProfileDeleted {}]);
    deleted.when_by(order(register())).refused(Refusal::AlreadyRegistered);
}

#[test]
fn a_registered_address_is_a_log_in() {
    let as_given = Email { login: false, ..email("ada@example.com") };
    let Command::RegisterProfile(registration) = register() else { panic!("not a registration") };
    let registration = Registration { emails: vec![as_given], ..registration };
    let command = Command::RegisterProfile(registration);
    given::<Profile>([]).when_by(order(command)).then([registered()]);
}

#[test]
fn nothing_is_ordered_to_a_profile_that_is_not_there() {
    for command in changes() {
        given::<Profile>([]).when_by(order(command.clone())).refused(Refusal::ProfileNotFound);
        let deleted = given::<Profile>([registered(), Event::ProfileDeleted {}]);
        deleted.when_by(order(command)).refused(Refusal::ProfileNotFound);
    }
}

#[test]
fn a_new_name_is_a_renaming() {
    let command = Command::RenameProfile { name: name("Ada Lovelace") };
    let renamed = Event::ProfileRenamed { name: name("Ada Lovelace") };
    ada().when_by(order(command.clone())).then([renamed.clone()]);
    given::<Profile>([bare()]).when_by(order(command)).then([renamed]);
}

#[test]
fn addresses_are_assigned_as_a_whole_and_in_order() {
    let (old, new) = (email("ada@example.com"), email("a@example.com"));
    for emails in [vec![], vec![new.clone()], vec![old.clone(), new.clone()], vec![new, old]] {
        let command = Command::AssignEmails { emails: emails.clone() };
        ada().when_by(order(command)).then([Event::EmailsAssigned { emails }]);
    }
}

#[test]
fn roles_are_assigned_as_a_whole_and_in_order() {
    for keys in [&[][..], &["guest"], &["member", "guest"], &["guest", "member"]] {
        let keys_owned = keys.iter().map(|key| (*key).to_owned()).collect();
        ada().when_by(order(roles(keys))).then([Event::RolesAssigned { roles: keys_owned }]);
    }
}

#[test]
fn departments_are_assigned_as_a_whole_and_in_order() {
    for departments in [vec![], vec![PHYSICS], vec![HISTORY, PHYSICS], vec![PHYSICS, HISTORY]] {
        let command = Command::AssignDepartments { departments: departments.clone() };
        ada().when_by(order(command)).then([Event::DepartmentsAssigned { departments }]);
    }
}

#[test]
fn a_request_limit_is_replaced() {
    let limit = |limit| Command::AssignRequestLimit { request_limit: request_limit(limit) };
    let assigned = |limit| Event::RequestLimitAssigned { request_limit: request_limit(limit) };
    ada().when_by(order(limit(11))).then([assigned(11)]);
    given::<Profile>([bare()]).when_by(order(limit(10))).then([assigned(10)]);
}

#[test]
fn a_profile_is_deactivated_and_activated_again() {
    ada().when_by(order(Command::DeactivateProfile)).then([Event::ProfileDeactivated {}]);
    let inactive = given::<Profile>([registered(), Event::ProfileDeactivated {}]);
    inactive.when_by(order(Command::ActivateProfile)).then([Event::ProfileActivated {}]);
}

#[test]
fn a_profile_without_a_flag_counts_as_active_and_may_get_either_flag() {
    let flagless = given::<Profile>([bare()]);
    assert!(flagless.state.live().is_some_and(|facts| facts.is_active()));
    flagless.when_by(order(Command::ActivateProfile)).then([Event::ProfileActivated {}]);
    flagless.when_by(order(Command::DeactivateProfile)).then([Event::ProfileDeactivated {}]);
}

#[test]
fn only_attributes_that_change_are_recorded() {
    let event = |values, removed: &[&str]| Event::AttributesAssigned {
        attributes: attributes(values),
        removed: removed.iter().map(|name| (*name).to_owned()).collect(),
    };
    let set = assign_attributes(&[("year", 1815), ("month", 12)], &["day"]);
    ada().when_by(order(set)).then([event(&[("month", 12)], &[])]);
    let change = assign_attributes(&[("year", 1816)], &[]);
    ada().when_by(order(change)).then([event(&[("year", 1816)], &[])]);
    let remove = assign_attributes(&[], &["year", "day"]);
    ada().when_by(order(remove)).then([event(&[], &["year"])]);
}

#[test]
fn assigned_attributes_join_those_that_are_there() {
    let assigned = |values, removed: &[&str]| Event::AttributesAssigned {
        attributes: attributes(values),
        removed: removed.iter().map(|name| (*name).to_owned()).collect(),
    };
    let events =
        [registered(), assigned(&[("month", 12)], &[]), assigned(&[("day", 10)], &["year"])];
    let State::Live(facts) = given::<Profile>(events).state else { panic!("not live") };
    assert_eq!(facts.attributes, attributes(&[("day", 10), ("month", 12)]));
}

#[test]
fn a_profile_is_deleted_with_what_it_last_was() {
    ada().when_by(order(Command::DeleteProfile)).then([Event::ProfileDeleted {}]);
    let renamed = Event::ProfileRenamed { name: name("Ada Lovelace") };
    let deleted = given::<Profile>([registered(), renamed, Event::ProfileDeleted {}]).state;
    assert_eq!(deleted.live(), None);
    let last = deleted.last_known().and_then(|facts| facts.name.clone());
    assert_eq!(last, Some(name("Ada Lovelace")));
}

#[test]
fn nothing_is_known_of_a_profile_that_never_was() {
    let absent = given::<Profile>([]).state;
    assert_eq!((absent.live(), absent.last_known()), (None, None));
}

#[test]
fn what_is_so_already_is_no_event() {
    for command in [
        Command::RenameProfile { name: name("Ada") },
        Command::AssignEmails { emails: vec![email("ada@example.com")] },
        // How an address arrives from a form: nobody has claimed it yet.
        Command::AssignEmails { emails: vec![Email { login: false, ..email("ada@example.com") }] },
        roles(&["member"]),
        Command::AssignDepartments { departments: vec![HISTORY] },
        Command::AssignRequestLimit { request_limit: request_limit(10) },
        Command::ActivateProfile,
        assign_attributes(&[("year", 1815)], &["month"]),
        assign_attributes(&[], &[]),
    ] {
        ada().when_by(order(command)).then_nothing();
    }
}

#[test]
fn every_change_is_seen_in_the_state() {
    for command in changes() {
        let decided = given::<Profile>([registered()]);
        let by = By { authority: &Authority::Operator, ranks: &rank };
        let events = Profile::decide(TARGET.0, &decided.state, by, command.clone());
        let events = events.expect("the operator may");
        // The one order that leaves it as it is.
        assert_eq!(events.is_empty(), command == Command::ActivateProfile);
        let after = given::<Profile>([registered()].into_iter().chain(events.clone())).state;
        assert_eq!(after == decided.state, events.is_empty(), "{command:?}");
    }
}

#[test]
fn events_of_a_profile_that_is_not_there_change_nothing() {
    let renamed = || Event::ProfileRenamed { name: name("Eve") };
    assert_eq!(given::<Profile>([renamed()]).state, State::Absent);
    let deleted = [registered(), Event::ProfileDeleted {}];
    let before = given::<Profile>(deleted.clone()).state;
    assert_eq!(given::<Profile>(deleted.into_iter().chain([renamed()])).state, before);
}

#[test]
fn the_role_of_a_profile_is_the_first_that_its_tenant_knows() {
    let stands = |keys: &[&str]| {
        let roles = keys.iter().map(|key| (*key).to_owned()).collect();
        let state = given::<Profile>([registered(), Event::RolesAssigned { roles }]).state;
        state.live().and_then(|facts| facts.standing(person(1), rank).role)
    };
    assert_eq!(stands(&["guest", "admin"]), role("guest"));
    assert_eq!(stands(&["removed", "admin"]), role("admin"));
    assert_eq!(stands(&["removed"]), None);
    assert_eq!(stands(&[]), role(NO_ROLE));
}

#[test]
fn refusals_name_the_field_they_are_about() {
    for (refusal, field) in [
        (Refusal::ProfileNotFound, "profile_id"),
        (Refusal::NotPermitted, "profile_id"),
        (Refusal::SelfDeletion, "profile_id"),
        (Refusal::AlreadyRegistered, "id"),
        (Refusal::RoleAboveOwn("admin".to_owned()), "role_ids"),
        (Refusal::DepartmentNotHeld, "department_ids"),
        (Refusal::OwnFacetFixed(Facet::Roles), "role_ids"),
        (Refusal::FixedWhileEmulating(Facet::Emails), "email_ids"),
    ] {
        assert_eq!(refusal.field(), field);
    }
    for (facet, field) in [
        (Facet::Name, "name"),
        (Facet::Emails, "email_ids"),
        (Facet::Roles, "role_ids"),
        (Facet::Departments, "department_ids"),
        (Facet::RequestLimit, "request_limit_id"),
        (Facet::Activity, "flag_id"),
        (Facet::Attributes, "attributes"),
    ] {
        assert_eq!(Refusal::OwnFacetFixed(facet).field(), field);
    }
}

#[test]
fn messages_of_deletion_are_those_of_the_contract() {
    let refusals = [Refusal::ProfileNotFound, Refusal::NotPermitted, Refusal::SelfDeletion];
    let messages = ["profile not found", "not permitted", "cannot delete yourself"];
    assert_eq!(refusals.map(|refusal| refusal.to_string()), messages);
}
