//! Every documented route of the face, called by those who may not: nothing is told, nothing
//! changes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::api::Answer;
use crate::support::crafter::{Caller, Crafter, MASTER, PASSWORD, text};

/// What a call brings besides its token.
#[derive(Clone, Debug)]
enum With {
    Query(Vec<(&'static str, String)>),
    Form(Vec<(&'static str, String)>),
    Json(Value),
    File,
}

/// A documented route, what stands for the parts of its path, and a call that would succeed.
struct Route {
    template: &'static str,
    path: String,
    with: With,
}

/// What there is in `acme` for these calls to be about.
struct There {
    profile: String,
    ticket: String,
    login: String,
    token: String,
}

async fn there(crafter: &Crafter) -> There {
    let profile = crafter.profile_id("acme", "ada").await;
    let made = async |path: &str| {
        let made = crafter.form(path, &[("profileId", &profile)]).await.answers(200);
        text(&made["id"])
    };
    let ticket = made("authentication/ticket/create").await;
    let login = made("authentication/persistent_login/create").await;
    let token = made(&format!("profile/{profile}/verification_token/create")).await;
    crafter.by(MASTER).upload(&profile, &[], "a.png", b"x").await.answers(200);
    There { profile, ticket, login, token }
}

fn query(parameters: &[(&'static str, &str)]) -> With {
    With::Query(parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
}

fn form(parameters: &[(&'static str, &str)]) -> With {
    With::Form(parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
}

fn routes(there: &There) -> Vec<Route> {
    let mut routes = access_token_and_tenant();
    routes.extend(profiles(there));
    routes.extend(one_profile(there));
    routes.extend(authentication(there));
    routes
}

fn route(template: &'static str, id: &str, with: With) -> Route {
    Route { template, path: template.replace("{id}", id).replace("{name}", "acme"), with }
}

fn access_token_and_tenant() -> Vec<Route> {
    let definitions = || With::Json(json!([{ "name": "a" }]));
    vec![
        route("access_token/create", "", With::Json(json!({}))),
        route("access_token/{id}", MASTER, query(&[])),
        route("access_token/all", "", query(&[])),
        route("access_token/{id}/delete", MASTER, form(&[])),
        route("tenant/create", "", With::Json(json!({ "name": "new" }))),
        route("tenant/{name}", "", query(&[])),
        route("tenant/update", "", With::Json(json!({ "name": "acme" }))),
        route("tenant/{name}/delete", "", form(&[])),
        route("tenant/count", "", query(&[])),
        route("tenant/all", "", query(&[])),
        route("tenant/{name}/verify_new_profiles", "", form(&[("verify", "true")])),
        route("tenant/{name}/roles/add", "", form(&[("role", "A")])),
        route("tenant/{name}/roles/remove", "", form(&[("role", "A")])),
        route("tenant/{name}/attribute_definitions/add", "", definitions()),
        route("tenant/{name}/attribute_definitions/update", "", definitions()),
        route("tenant/{name}/attribute_definitions/remove", "", form(&[("attributeName", "a")])),
    ]
}

fn profiles(there: &There) -> Vec<Route> {
    let acme = ("tenantName", "acme");
    let new = [("username", "eve"), ("email", "eve@acme.example"), ("enabled", "true"), acme];
    let shown = [("resetTokenId", there.token.as_str()), ("newPassword", "new")];
    let value = [acme, ("attributeName", "a"), ("attributeValue", "x")];
    vec![
        route("profile/create", "", form(&new)),
        route("profile/verify", "", form(&[("verificationTokenId", &there.token)])),
        route("profile/change_password", "", form(&shown)),
        route("profile/one_by_query", "", query(&[acme, ("query", "{}")])),
        route("profile/count_by_query", "", query(&[acme, ("query", "{}")])),
        route("profile/by_query", "", query(&[acme, ("query", "{}")])),
        route("profile/by_username", "", query(&[acme, ("username", "ada")])),
        route("profile/by_ticket", "", query(&[("ticketId", &there.ticket)])),
        route("profile/count", "", query(&[acme])),
        route("profile/by_ids", "", query(&[("id", &there.profile)])),
        route("profile/range", "", query(&[acme])),
        route("profile/by_role", "", query(&[acme, ("role", "A")])),
        route("profile/by_existing_attribute", "", query(&value[..2])),
        route("profile/by_attribute_value", "", query(&value)),
        route("profile/verification_token/{id}", &there.token, query(&[])),
        route("profile/verification_token/{id}/delete", &there.token, form(&[])),
    ]
}

fn one_profile(there: &There) -> Vec<Route> {
    let id = &there.profile;
    let url = [("resetPasswordUrl", "https://acme.example/")];
    let attachment = |template: &'static str| Route {
        template,
        path: template.replace("{id}", id).replace("{name}", "a"),
        with: query(&[]),
    };
    vec![
        route("profile/{id}", id, query(&[])),
        route("profile/{id}/update", id, form(&[("enabled", "false")])),
        route("profile/{id}/enable", id, form(&[])),
        route("profile/{id}/disable", id, form(&[])),
        route("profile/{id}/roles/add", id, form(&[("role", "A")])),
        route("profile/{id}/roles/remove", id, form(&[("role", "A")])),
        route("profile/{id}/attributes", id, query(&[])),
        route("profile/{id}/attributes/update", id, With::Json(json!({ "a": 1 }))),
        route("profile/{id}/attributes/remove", id, form(&[("attributeName", "a")])),
        route("profile/{id}/delete", id, form(&[])),
        route("profile/{id}/reset_password", id, form(&url)),
        route("profile/{id}/verification_token/create", id, form(&[])),
        route("profile/{id}/uploadAttachment", id, With::File),
        attachment("profile/{id}/attachment/{name}"),
        attachment("profile/{id}/attachment/{name}/details"),
        route("profile/{id}/attachments", id, query(&[])),
    ]
}

fn authentication(there: &There) -> Vec<Route> {
    let profile = [("profileId", there.profile.as_str())];
    let log_in = [("tenantName", "acme"), ("username", "ada"), ("password", PASSWORD)];
    let login = &there.login;
    vec![
        route("authentication/authenticate", "", form(&log_in)),
        route("authentication/ticket/create", "", form(&profile)),
        route("authentication/ticket/{id}", &there.ticket, query(&[])),
        route("authentication/ticket/{id}/invalidate", &there.ticket, form(&[])),
        route("authentication/persistent_login/create", "", form(&profile)),
        route("authentication/persistent_login/{id}", login, query(&[])),
        route("authentication/persistent_login/{id}/refresh_token", login, form(&[])),
        route("authentication/persistent_login/{id}/delete", login, form(&[])),
    ]
}

async fn call(by: &Caller<'_>, route: &Route, profile: &str) -> Answer {
    fn borrowed<'a>(parameters: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
        parameters.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
    match &route.with {
        With::Query(parameters) => by.get(&route.path, &borrowed(parameters)).await,
        With::Form(parameters) => by.form(&route.path, &borrowed(parameters)).await,
        With::Json(body) => by.json(&route.path, &[], body.clone()).await,
        With::File => by.upload(profile, &[], "a.png", b"other").await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_route_is_among_those_tested_here() {
    let crafter = Crafter::start().await;
    let tested = routes(&there(&crafter).await);
    let tested: BTreeSet<(String, String)> = tested
        .into_iter()
        .map(|route| {
            let method = if matches!(route.with, With::Query(_)) { "get" } else { "post" };
            (method.to_owned(), format!("/api/1/{}", route.template))
        })
        .collect();
    let document = serde_json::to_value(dossier::api::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let documented: BTreeSet<(String, String)> = paths
        .filter(|(path, _)| path.starts_with("/api/1/") && !path.contains("/monitoring/"))
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (method.clone(), path.clone()))
        })
        .collect();
    assert_eq!(tested, documented);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_valid_token_no_route_does_or_tells_anything() {
    let crafter = Crafter::start().await;
    let there = there(&crafter).await;
    let all = json!([{ "tenant": "*", "allowedActions": ["*"] }]);
    let expired = json!({
        "id": "expired", "master": true, "tenantPermissions": all, "expiresOn": 1,
    });
    crafter.json("access_token/create", expired).await.answers(200);
    let head = crafter.head().await;
    for route in routes(&there) {
        for token in ["", "unknown", "MASTER-TOKEN", "expired"] {
            let answer = call(&crafter.by(token), &route, &there.profile).await;
            assert_eq!(answer.status, 403, "{} {token:?}: {}", route.path, answer.text);
            answer.refused(403, "ACCESS_DENIED");
        }
    }
    assert_eq!(crafter.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_permission_here_may_nothing_on_any_route() {
    let crafter = Crafter::start().await;
    let there = there(&crafter).await;
    crafter.tenant("other", json!({})).await;
    let unrelated = json!([{ "tenant": "acme", "allowedActions": ["ANYTHING"] }]);
    let tokens = [
        crafter.token("tests", json!(null)).await,
        crafter.token("tests", json!([])).await,
        crafter.token("tests", unrelated).await,
        // All that there is to do, in another tenant.
        crafter.token_for("other").await,
    ];
    let head = crafter.head().await;
    for route in routes(&there) {
        for token in &tokens {
            let answer = call(&crafter.by(token), &route, &there.profile).await;
            assert_eq!(answer.status, 403, "{} {:?}: {}", route.path, route.with, answer.text);
            answer.refused(403, "ACTION_DENIED");
        }
    }
    assert_eq!(crafter.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_two_permissions_for_profiles_alone_is_not_enough() {
    let crafter = Crafter::start().await;
    let there = there(&crafter).await;
    let mut tokens = Vec::new();
    for action in ["READ_TENANT", "MANAGE_PROFILES"] {
        let permissions = json!([{ "tenant": "acme", "allowedActions": [action] }]);
        tokens.push(crafter.token("tests", permissions).await);
    }
    let head = crafter.head().await;
    for route in one_profile(&there) {
        for token in &tokens {
            let answer = call(&crafter.by(token), &route, &there.profile).await;
            assert_eq!(answer.status, 403, "{}: {}", route.path, answer.text);
            answer.refused(403, "ACTION_DENIED");
        }
    }
    assert_eq!(crafter.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_the_other_faces_open_nothing_here_nor_the_reverse() {
    let crafter = Crafter::start().await;
    let bearer = format!("Bearer {}", crafter.api.token("root").await);
    let path = "/api/1/tenant/all";
    let headers = [("x-api-key", crafter.key.as_str()), ("authorization", &bearer)];
    crafter.send_bare("GET", path, &headers, vec![]).await.refused(403, "ACCESS_DENIED");
    crafter.by(&crafter.key).get("tenant/all", &[]).await.refused(403, "ACCESS_DENIED");
    let search = "/api/v5/artifacts/profiles/search";
    let json = ("content-type", "application/json");
    let bearer = format!("Bearer {MASTER}");
    for headers in [
        vec![json, ("x-api-key", MASTER), ("authorization", &bearer)],
        vec![json, ("x-api-key", &crafter.key), ("authorization", &bearer)],
    ] {
        let path = format!("{search}?accessTokenId={MASTER}");
        let answer = crafter.send_bare("POST", &path, &headers, b"{}".to_vec()).await;
        assert_eq!(answer.status, 401, "{}", answer.text);
    }
}
