//! `selector` (Crafter contract 0): which fields of which beans are kept.

use dossier::api::crafter::error::Failure;
use dossier::api::crafter::parameters::Parameters;
use dossier::api::crafter::selector::{Bean, Selector};
use serde_json::{Value, json};

fn kept(selector: &str, bean: Bean, value: Value) -> Value {
    Selector::parse(selector).unwrap().kept(bean, value)
}

#[test]
fn only_the_fields_named_are_kept() {
    let profile = json!({"username": "ada", "email": "a@b", "id": "1", "attributes": {"id": 2}});
    let short = json!({"username": "ada", "email": "a@b"});
    assert_eq!(kept("Profile(username,email)", Bean::Profile, profile.clone()), short);
    assert_eq!(kept(" pROFILE ( email , username ) ", Bean::Profile, profile.clone()), short);
    // What the attributes hold are no beans.
    let attributes = json!({"attributes": {"id": 2}});
    assert_eq!(kept("Profile(attributes)", Bean::Profile, profile), attributes);
}

#[test]
fn each_bean_of_a_list_is_filtered() {
    let list = json!([{"username": "a", "id": "1"}, {"username": "b", "id": "2"}]);
    let short = json!([{"username": "a"}, {"username": "b"}]);
    assert_eq!(kept("Profile(username)", Bean::Profile, list), short);
}

#[test]
fn nested_beans_are_filtered_too() {
    let tenant = json!({
        "name": "acme",
        "attributeDefinitions": [
            {"name": "x", "permissions": [{"application": "*", "allowedActions": ["*"]}]},
        ],
        "id": "1",
    });
    let short = json!({
        "attributeDefinitions": [{"permissions": [{"application": "*"}]}],
        "id": "1",
    });
    let selector = "Tenant(id,attributeDefinitions), AttributeDefinition(permissions), \
                    AttributePermission(application)";
    assert_eq!(kept(selector, Bean::Tenant, tenant), short);
    let token = json!({"id": "t", "tenantPermissions": [{"tenant": "*", "allowedActions": null}]});
    let short = json!({"id": "t", "tenantPermissions": [{"tenant": "*"}]});
    assert_eq!(kept("TenantPermission(tenant)", Bean::AccessToken, token), short);
    let silent = json!({"id": "t", "tenantPermissions": null});
    assert_eq!(kept("TenantPermission(tenant)", Bean::AccessToken, silent.clone()), silent);
}

#[test]
fn beans_that_are_not_named_stay_as_they_are() {
    let ticket = json!({"tenant": "acme", "id": "1"});
    assert_eq!(kept("Profile(id),Unknown(x)", Bean::Ticket, ticket.clone()), ticket);
    assert_eq!(kept("Profile(id)", Bean::Profile, json!(5)), json!(5));
}

#[test]
fn the_same_bean_named_twice_keeps_the_fields_of_both() {
    let ticket = json!({"tenant": "acme", "id": "1", "profileId": "2"});
    let short = json!({"tenant": "acme", "id": "1"});
    assert_eq!(kept("Ticket(id),ticket(tenant)", Bean::Ticket, ticket), short);
}

#[test]
fn malformed_selectors_are_400() {
    let long = format!("Profile({})", "a".repeat(4_000));
    let selectors = [
        "Profile",
        "Profile(",
        "Profile)",
        "Profile()",
        "(id)",
        "Profile(id",
        "Profile(id),",
        "Profile(id)Ticket(id)",
        "Profile(a(b))",
        "Profile(a,,b)",
        "Pro file(a)",
        &long,
    ];
    for selector in selectors {
        let failure = Selector::parse(selector).unwrap_err();
        assert!(matches!(failure, Failure::Invalid(_)), "{selector}");
    }
}

#[test]
fn a_call_has_a_selector_only_if_it_says_one() {
    let of = |query: &str| Selector::of(&Parameters::read(Some(query), None, b"").unwrap());
    assert_eq!(of("selector="), Ok(None));
    assert_eq!(of("x=1"), Ok(None));
    assert_eq!(of("selector=Profile(id)"), Selector::parse("Profile(id)").map(Some));
    assert!(of("selector=x").is_err());
}
