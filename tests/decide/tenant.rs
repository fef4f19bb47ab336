//! A tenant's catalogue: what is defined takes effect once, what is removed is gone.

use std::collections::BTreeMap;

use dossier::domain::ids::{DepartmentId, RoleId, SettingId, TenantId, catalogue_id};
use dossier::domain::tenant::{
    Catalogue, Command, Department, Event, Issuer, Refusal, Role, Setting, Tenant,
};
use uuid::Uuid;

use crate::support::given::given;

const TENANT: TenantId = TenantId(Uuid::from_u128(0x7e));
const ISSUER: &str = "https://id.example";

fn registered() -> Event {
    Event::TenantRegistered { name: "default".to_owned() }
}

fn role(key: &str, rank: u8) -> Role {
    Role {
        id: RoleId(catalogue_id(TENANT, "role", key)),
        key: key.to_owned(),
        rank,
        name: key.to_uppercase(),
        description: String::new(),
        artifacts: vec!["profile".to_owned()],
        audits: false,
    }
}

fn department(key: &str, title: &str) -> Department {
    Department {
        id: DepartmentId(catalogue_id(TENANT, "department", key)),
        key: key.to_owned(),
        name: title.to_owned(),
        description: String::new(),
        settings: vec!["dark".to_owned()],
    }
}

fn setting(key: &str, active: bool) -> Setting {
    Setting {
        id: SettingId(catalogue_id(TENANT, "setting", key)),
        key: key.to_owned(),
        name: key.to_uppercase(),
        active,
        colors: BTreeMap::from([("primary".to_owned(), "#102030".to_owned())]),
    }
}

fn issuer(audience: &str) -> Issuer {
    Issuer {
        issuer: ISSUER.to_owned(),
        audience: audience.to_owned(),
        algorithms: vec!["RS256".to_owned()],
        jwks_file: None,
        jwks_url: Some(format!("{ISSUER}/keys")),
        auto_provision_guests: false,
    }
}

fn role_defined(role: Role) -> Event {
    let Role { id, key, rank, name, description, artifacts, audits } = role;
    Event::RoleDefined { id, key, rank, name, description, artifacts, audits }
}

fn department_defined(department: Department) -> Event {
    let Department { id, key, name, description, settings } = department;
    Event::DepartmentDefined { id, key, name, description, settings }
}

fn setting_defined(setting: Setting) -> Event {
    let Setting { id, key, name, active, colors } = setting;
    Event::SettingDefined { id, key, name, active, colors }
}

fn issuer_trusted(issuer: Issuer) -> Event {
    let Issuer { issuer, audience, algorithms, jwks_file, jwks_url, auto_provision_guests } =
        issuer;
    Event::IssuerTrusted {
        issuer,
        audience,
        algorithms,
        jwks_file,
        jwks_url,
        auto_provision_guests,
    }
}

fn remove_role(key: &str) -> Command {
    Command::RemoveRole { key: key.to_owned() }
}

fn remove_department(key: &str) -> Command {
    Command::RemoveDepartment { key: key.to_owned() }
}

fn remove_setting(key: &str) -> Command {
    Command::RemoveSetting { key: key.to_owned() }
}

fn distrust(issuer: &str) -> Command {
    Command::DistrustIssuer { issuer: issuer.to_owned() }
}

fn orders() -> [Command; 8] {
    [
        Command::DefineRole(role("admin", 4)),
        remove_role("admin"),
        Command::DefineDepartment(department("history", "History")),
        remove_department("history"),
        Command::DefineSetting(setting("dark", true)),
        remove_setting("dark"),
        Command::TrustIssuer(issuer("dossier")),
        distrust(ISSUER),
    ]
}

#[test]
fn a_tenant_is_registered_once() {
    let register = |name: &str| Command::RegisterTenant { name: name.to_owned() };
    given::<Tenant>([]).when(register("default")).then([registered()]);
    given::<Tenant>([registered()]).when(register("default")).then_nothing();
    given::<Tenant>([registered()]).when(register("other")).then_nothing();
}

#[test]
fn nothing_is_ordered_to_a_tenant_before_it_is_registered() {
    for order in orders() {
        given::<Tenant>([]).when(order).refused(Refusal::TenantAbsent);
    }
}

#[test]
fn what_is_new_is_defined() {
    let tenant = given::<Tenant>([registered()]);
    let [define_role, _, define_department, _, define_setting, _, trust, _] = orders();
    tenant.when(define_role).then([role_defined(role("admin", 4))]);
    let history = department_defined(department("history", "History"));
    tenant.when(define_department).then([history]);
    tenant.when(define_setting).then([setting_defined(setting("dark", true))]);
    tenant.when(trust).then([issuer_trusted(issuer("dossier"))]);
}

#[test]
fn what_is_so_already_is_not_defined_again() {
    let tenant = given::<Tenant>([
        registered(),
        role_defined(role("admin", 4)),
        department_defined(department("history", "History")),
        setting_defined(setting("dark", true)),
        issuer_trusted(issuer("dossier")),
    ]);
    let [define_role, _, define_department, _, define_setting, _, trust, _] = orders();
    for order in [define_role, define_department, define_setting, trust] {
        tenant.when(order).then_nothing();
    }
}

#[test]
fn a_difference_in_anything_defines_an_entry_anew() {
    let tenant = given::<Tenant>([
        registered(),
        role_defined(role("admin", 4)),
        department_defined(department("history", "History")),
        setting_defined(setting("dark", true)),
        issuer_trusted(issuer("dossier")),
    ]);
    let fewer = Role { artifacts: vec![], ..role("admin", 4) };
    let described =
        Department { description: "since 1837".to_owned(), ..department("history", "History") };
    for new in [role("admin", 3), fewer] {
        tenant.when(Command::DefineRole(new.clone())).then([role_defined(new)]);
    }
    for new in [department("history", "Histories"), described] {
        let defined = department_defined(new.clone());
        tenant.when(Command::DefineDepartment(new)).then([defined]);
    }
    let inactive = setting("dark", false);
    tenant.when(Command::DefineSetting(inactive.clone())).then([setting_defined(inactive)]);
    let other = issuer("other");
    tenant.when(Command::TrustIssuer(other.clone())).then([issuer_trusted(other)]);
}

#[test]
fn what_is_there_is_removed_and_once() {
    let tenant = given::<Tenant>([
        registered(),
        role_defined(role("admin", 4)),
        department_defined(department("history", "History")),
        setting_defined(setting("dark", true)),
        issuer_trusted(issuer("dossier")),
    ]);
    let key = |key: &str| key.to_owned();
    let removals = [
        (remove_role("admin"), Event::RoleRemoved { key: key("admin") }),
        (remove_department("history"), Event::DepartmentRemoved { key: key("history") }),
        (remove_setting("dark"), Event::SettingRemoved { key: key("dark") }),
        (distrust(ISSUER), Event::IssuerDistrusted { issuer: key(ISSUER) }),
    ];
    let bare = given::<Tenant>([registered()]);
    for (order, event) in removals {
        tenant.when(order.clone()).then([event]);
        bare.when(order).then_nothing();
    }
}

#[test]
fn removing_what_was_never_there_changes_nothing() {
    let tenant = given::<Tenant>([registered(), role_defined(role("admin", 4))]);
    // Keys are exact, and a key of another kind is another key.
    for order in [
        remove_role("Admin"),
        remove_department("admin"),
        remove_setting("admin"),
        distrust("admin"),
    ] {
        tenant.when(order).then_nothing();
    }
}

#[test]
fn a_redefined_entry_keeps_its_place() {
    let catalogue = given::<Tenant>([
        registered(),
        role_defined(role("admin", 4)),
        role_defined(role("member", 2)),
        role_defined(role("admin", 3)),
    ])
    .state;
    assert_eq!(catalogue.roles, [role("admin", 3), role("member", 2)]);
    assert_eq!(catalogue.rank("admin"), Some(3));
}

#[test]
fn an_entry_defined_again_after_its_removal_comes_last() {
    let catalogue = given::<Tenant>([
        registered(),
        setting_defined(setting("dark", true)),
        setting_defined(setting("light", true)),
        Event::SettingRemoved { key: "dark".to_owned() },
        setting_defined(setting("dark", false)),
    ])
    .state;
    assert_eq!(catalogue.settings, [setting("light", true), setting("dark", false)]);
}

#[test]
fn departments_are_found_by_id_and_key_whatever_was_removed_before_them() {
    let catalogue = given::<Tenant>([
        registered(),
        department_defined(department("history", "History")),
        department_defined(department("physics", "Physics")),
        department_defined(department("law", "Law")),
        Event::DepartmentRemoved { key: "history".to_owned() },
        department_defined(department("physics", "Natural Science")),
        department_defined(department("art", "Art")),
    ])
    .state;
    let found = [("physics", "Natural Science"), ("law", "Law"), ("art", "Art")];
    for (key, title) in found {
        let expected = department(key, title);
        assert_eq!(catalogue.department(expected.id), Some(&expected));
        assert_eq!(catalogue.department_by_key(key), Some(&expected));
    }
    let gone = department("history", "History");
    assert_eq!(catalogue.department(gone.id), None);
    assert_eq!(catalogue.department_by_key("history"), None);
}

#[test]
fn roles_are_found_by_key_and_id() {
    let catalogue = given::<Tenant>([registered(), role_defined(role("admin", 4))]).state;
    assert_eq!(catalogue.role("admin"), Some(&role("admin", 4)));
    assert_eq!(catalogue.role_by_id(role("admin", 4).id), Some(&role("admin", 4)));
    assert_eq!(catalogue.role("member"), None);
    assert_eq!(catalogue.role_by_id(role("member", 2).id), None);
    assert_eq!(catalogue.rank("member"), None);
}

#[test]
fn issuers_are_told_apart_by_their_name() {
    let other = Issuer { issuer: "https://other.example".to_owned(), ..issuer("dossier") };
    let catalogue = given::<Tenant>([
        registered(),
        issuer_trusted(issuer("dossier")),
        issuer_trusted(other.clone()),
        issuer_trusted(issuer("changed")),
    ])
    .state;
    assert_eq!(catalogue.issuers, [issuer("changed"), other]);
}

#[test]
fn an_unregistered_tenant_has_nothing() {
    assert_eq!(given::<Tenant>([]).state, Catalogue::default());
    assert_eq!(Catalogue::default().name, None);
}
