//! What access tokens may do (Crafter contract 4.2 and 4.3), sentence by sentence.

use dossier::domain::entitlement::{
    AttributeAction, AttributePermission, TenantAction, TenantPermission, attribute_allows,
    everywhere_allows, tenant_allows,
};

fn on(tenant: &str, actions: &[&str]) -> TenantPermission {
    TenantPermission { tenant: tenant.to_owned(), allowed_actions: Some(owned(actions)) }
}

fn to(application: &str, actions: &[&str]) -> AttributePermission {
    AttributePermission {
        application: application.to_owned(),
        allowed_actions: Some(owned(actions)),
    }
}

fn owned(actions: &[&str]) -> Vec<String> {
    actions.iter().map(|action| (*action).to_owned()).collect()
}

fn reads(permissions: &[TenantPermission], tenant: &str) -> bool {
    tenant_allows(Some(permissions), tenant, TenantAction::ReadTenant)
}

#[test]
fn the_actions_have_the_names_of_the_contract() {
    let names = TenantAction::ALL.map(TenantAction::name);
    let published = [
        "CREATE_TENANT",
        "READ_TENANT",
        "UPDATE_TENANT",
        "DELETE_TENANT",
        "MANAGE_PROFILES",
        "MANAGE_TICKETS",
    ];
    assert_eq!(names, published);
    let names = AttributeAction::ALL.map(AttributeAction::name);
    assert_eq!(names, ["READ_ATTRIBUTE", "WRITE_ATTRIBUTE", "REMOVE_ATTRIBUTE"]);
}

#[test]
fn an_entry_for_the_tenant_grants_the_actions_it_lists_and_no_other() {
    for action in TenantAction::ALL {
        let permissions = [on("acme", &[action.name()])];
        for asked in TenantAction::ALL {
            assert_eq!(tenant_allows(Some(&permissions), "acme", asked), asked == action);
            assert!(!tenant_allows(Some(&permissions), "other", asked));
        }
    }
}

#[test]
fn a_star_stands_for_every_tenant_or_every_action() {
    assert!(reads(&[on("*", &["READ_TENANT"])], "acme"));
    for action in TenantAction::ALL {
        assert!(tenant_allows(Some(&[on("acme", &["*"])]), "acme", action));
    }
}

#[test]
fn the_first_entry_that_fits_decides_alone() {
    let (none, all) = (on("acme", &["MANAGE_TICKETS"]), on("*", &["*"]));
    assert!(!reads(&[none.clone(), all.clone()], "acme"));
    assert!(reads(&[all, none], "acme"));
}

#[test]
fn an_entry_for_another_tenant_is_passed_over() {
    assert!(reads(&[on("other", &[]), on("acme", &["READ_TENANT"])], "acme"));
    assert!(!reads(&[on("Acme", &["*"])], "acme"));
}

#[test]
fn without_a_fitting_entry_nothing_is_granted() {
    assert!(!reads(&[], "acme"));
    assert!(!tenant_allows(None, "acme", TenantAction::ReadTenant));
}

#[test]
fn an_entry_without_actions_decides_and_grants_nothing() {
    let silent = TenantPermission { tenant: "acme".to_owned(), allowed_actions: None };
    assert!(!reads(&[silent, on("*", &["*"])], "acme"));
}

#[test]
fn actions_that_nobody_knows_grant_nothing() {
    assert!(!reads(&[on("acme", &["read_tenant", "READ", "**", ""])], "acme"));
}

#[test]
fn what_concerns_every_tenant_needs_an_entry_for_every_tenant() {
    let create = TenantAction::CreateTenant;
    assert!(!everywhere_allows(Some(&[on("acme", &["*"])]), create));
    assert!(everywhere_allows(Some(&[on("acme", &[]), on("*", &["CREATE_TENANT"])]), create));
    assert!(!everywhere_allows(Some(&[on("*", &["READ_TENANT"]), on("*", &["*"])]), create));
    assert!(!everywhere_allows(None, create));
}

#[test]
fn the_first_permission_for_the_application_decides_alone() {
    let write = AttributeAction::Write;
    let (reader, all) = (to("engine", &["READ_ATTRIBUTE"]), to("*", &["*"]));
    let permissions = [reader.clone(), all.clone()];
    assert!(!attribute_allows(&permissions, Some("engine"), write));
    assert!(attribute_allows(&permissions, Some("engine"), AttributeAction::Read));
    assert!(attribute_allows(&permissions, Some("social"), write));
    assert!(attribute_allows(&[all, reader], Some("engine"), write));
}

#[test]
fn an_attribute_without_permissions_is_closed() {
    for action in AttributeAction::ALL {
        assert!(!attribute_allows(&[], Some("engine"), action));
        assert!(!attribute_allows(&[to("social", &["*"])], Some("engine"), action));
    }
}

#[test]
fn a_token_without_application_has_what_every_application_has() {
    let read = AttributeAction::Read;
    let (one, every) = (to("engine", &["*"]), to("*", &["READ_ATTRIBUTE"]));
    assert!(!attribute_allows(std::slice::from_ref(&one), None, read));
    assert!(attribute_allows(&[one, every], None, read));
}

#[test]
fn an_attribute_permission_without_actions_decides_and_grants_nothing() {
    let silent = AttributePermission { application: "*".to_owned(), allowed_actions: None };
    let permissions = [silent, to("engine", &["*"])];
    assert!(!attribute_allows(&permissions, Some("engine"), AttributeAction::Read));
}
