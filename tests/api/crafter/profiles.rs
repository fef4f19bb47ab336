//! `/api/1/profile`: making, finding and changing one (contract 0, 1, 3).

use serde_json::{Value, json};

use crate::support::crafter::{Crafter, MASTER, PASSWORD, attribute, each, nobody, text, until};

/// A call that changes a profile, and the profile then.
async fn changed(crafter: &Crafter, id: &str, what: &str, parameters: &[(&str, &str)]) -> Value {
    crafter.form(&format!("profile/{id}/{what}"), parameters).await.answers(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_profile_has_every_field_and_is_found_by_its_id() {
    let crafter = Crafter::start().await;
    let before = chrono::Utc::now().timestamp_millis();
    let mut made = crafter.profile("acme", "ada", &[("role", "B"), ("role", "A")]).await;
    let id = text(&made["id"]);
    let found = crafter.get(&format!("profile/{id}"), &[]).await.answers(200);
    let fields = made.as_object_mut().unwrap();
    for instant in ["createdOn", "lastModified"] {
        let made = fields.remove(instant).unwrap().as_i64().unwrap();
        let after = chrono::Utc::now().timestamp_millis();
        assert!((before..=after).contains(&made), "{instant}");
        assert!((before..=after).contains(&found[instant].as_i64().unwrap()), "{instant}");
    }
    let expected = json!({
        "username": "ada", "email": "ada@acme.example", "verified": false, "enabled": true,
        "tenant": "acme", "roles": ["B", "A"], "attributes": {}, "id": id,
    });
    assert_eq!(made, expected);
    assert_eq!(found.as_object().unwrap().len(), 10);
    assert_eq!(found["username"], "ada");
    assert_eq!(crafter.events(&id).await, ["ProfileRegistered", "PasswordChanged"]);
    assert!(!crafter.log().await.contains(PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn usernames_are_one_each_in_a_tenant_case_by_case() {
    let crafter = Crafter::start().await;
    crafter.tenant("other", json!({})).await;
    crafter.profile("acme", "ada", &[]).await;
    let again: &[(&str, &str)] = &[
        ("tenantName", "acme"),
        ("username", "ada"),
        ("email", "else@acme.example"),
        ("enabled", "no"),
    ];
    crafter.form("profile/create", again).await.refused(409, "PROFILE_EXISTS");
    crafter.profile("acme", "Ada", &[]).await;
    crafter.profile("other", "ada", &[]).await;
    let same_email = [("tenantName", "acme"), ("username", "eve"), ("enabled", "1")];
    let same_email = [&same_email[..], &[("email", "ada@acme.example")]].concat();
    let eve = crafter.form("profile/create", &same_email).await.answers(200);
    assert_eq!(eve["email"], "ada@acme.example");
    let by_name = [("tenantName", "acme"), ("username", "Ada")];
    let found = crafter.get("profile/by_username", &by_name).await.answers(200);
    assert_eq!(found["username"], "Ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_there_is_not_found_however_asked_for() {
    let crafter = Crafter::start().await;
    for (tenant, username) in [("acme", "nobody"), ("none", "nobody"), ("acme", "")] {
        let parameters = [("tenantName", tenant), ("username", username)];
        let answer = crafter.get("profile/by_username", &parameters).await;
        answer.refused(404, "NO_SUCH_PROFILE");
    }
    for id in [nobody().as_str(), "5f1d7b02e4b0c2a900000001", "nonsense", "%00x", "..."] {
        let answer = crafter.get(&format!("profile/{id}"), &[]).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{id}: {}", answer.text);
        assert!(answer.json()["errorCode"].is_string(), "{id}");
    }
    let changes: [(&str, &[(&str, &str)]); 8] = [
        ("update", &[]),
        ("enable", &[]),
        ("disable", &[]),
        ("roles/add", &[("role", "A")]),
        ("roles/remove", &[("role", "A")]),
        ("attributes/remove", &[("attributeName", "a")]),
        ("reset_password", &[("resetPasswordUrl", "https://acme.example/")]),
        ("verification_token/create", &[]),
    ];
    for (what, parameters) in changes {
        let path = format!("profile/{}/{what}", nobody());
        crafter.form(&path, parameters).await.refused(404, "NO_SUCH_PROFILE");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_is_given_and_nothing_that_is_empty() {
    let crafter = Crafter::start().await;
    let id = text(&crafter.profile("acme", "ada", &[("role", "A")]).await["id"]);
    let empty = [("username", ""), ("password", ""), ("email", ""), ("enabled", "")];
    let empty = [&empty[..], &[("attributes", "")]].concat();
    let head = crafter.head().await;
    let after = changed(&crafter, &id, "update", &empty).await;
    assert_eq!(crafter.head().await, head);
    let kept = [&after["username"], &after["email"], &after["enabled"], &after["roles"]];
    assert_eq!(kept, [&json!("ada"), &json!("ada@acme.example"), &json!(true), &json!(["A"])]);
    let all = [("username", "eva"), ("email", "Eva <eva@b>"), ("enabled", "off"), ("role", "B,C")];
    let after = changed(&crafter, &id, "update", &all).await;
    let kept = [&after["username"], &after["email"], &after["enabled"], &after["roles"]];
    let expected = [json!("eva"), json!("Eva <eva@b>"), json!(false), json!(["B", "C"])];
    assert_eq!(kept.map(Clone::clone), expected);
    let found = crafter.get(&format!("profile/{id}"), &[]).await.answers(200);
    assert_eq!(found["username"], "eva");
    assert_eq!(changed(&crafter, &id, "update", &[("role", "")]).await["roles"], json!([]));
    crafter.profile("acme", "ada", &[]).await;
    let clash = crafter.form(&format!("profile/{id}/update"), &[("username", "ada")]).await;
    clash.refused(409, "PROFILE_EXISTS");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_sets_the_password() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    changed(&crafter, &id, "update", &[("password", "another")]).await;
    crafter.log_in("acme", "ada", PASSWORD).await.refused(401, "BAD_CREDENTIALS");
    crafter.log_in("acme", "ada", "another").await.answers(200);
    let long = "x".repeat(1_025);
    let answer = crafter.form(&format!("profile/{id}/update"), &[("password", &long)]).await;
    answer.refused(400, "OTHER");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_a_profile_moves_when_it_was_last_modified() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let path = format!("profile/{id}");
    let mut before = crafter.get(&path, &[]).await.answers(200);
    for (what, parameters) in [
        ("disable", &[][..]),
        ("enable", &[]),
        ("roles/add", &[("role", "A")]),
        ("update", &[("email", "b@acme.example")]),
        ("update", &[("password", "another")]),
    ] {
        let after = changed(&crafter, &id, what, parameters).await;
        assert_eq!(after["createdOn"], before["createdOn"], "{what}");
        let moved = after["lastModified"].as_i64() > before["lastModified"].as_i64();
        assert!(moved, "{what}");
        before = crafter.get(&path, &[]).await.answers(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_added_and_removed_whether_the_tenant_offers_them_or_not() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let after = changed(&crafter, &id, "roles/add", &[("role", "B"), ("role", "A")]).await;
    assert_eq!(after["roles"], json!(["B", "A"]));
    let after = changed(&crafter, &id, "roles/add", &[("role", "A,C")]).await;
    assert_eq!(after["roles"], json!(["B", "A", "C"]));
    let after = changed(&crafter, &id, "roles/remove", &[("role", "B,X")]).await;
    assert_eq!(after["roles"], json!(["A", "C"]));
    let wrong_name = crafter.form(&format!("profile/{id}/roles/add"), &[("roles", "A")]).await;
    wrong_name.refused(400, "OTHER");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_profile_is_gone_and_its_username_free() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let path = format!("profile/{id}/delete");
    crafter.form(&path, &[]).await.is_empty();
    crafter.get(&format!("profile/{id}"), &[]).await.refused(404, "NO_SUCH_PROFILE");
    until("the password of a deleted profile is forgotten", async || {
        crafter.password(&id).await.is_none()
    })
    .await;
    crafter.form(&path, &[]).await.is_empty();
    crafter.form(&format!("profile/{}/delete", nobody()), &[]).await.is_empty();
    assert_ne!(crafter.profile_id("acme", "ada").await, id);
    assert_eq!(crafter.events(&id).await.last().unwrap(), "ProfileDeleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_write_a_path_leads_to_the_same() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let by = crafter.by(MASTER);
    let path = format!("profile/{id}");
    let plain = by.get(&path, &[]).await.answers(200);
    for caller in [
        by.ending(".json"),
        by.ending("/"),
        by.below("/crafter-profile"),
        by.below("/crafter-profile").ending(".json"),
    ] {
        assert_eq!(caller.get(&path, &[]).await.answers(200), plain);
        caller.form(&format!("{path}/enable"), &[]).await.answers(200);
        caller.get("profile/count", &[("tenantName", "acme")]).await.answers(200);
    }
    assert_eq!(by.below("/elsewhere").get(&path, &[]).await.status, 404);
    let twice = by.ending(".json.json").get(&path, &[]).await;
    twice.refused(404, "NO_SUCH_PROFILE");
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_come_from_query_and_form_alike() {
    let crafter = Crafter::start().await;
    let path = format!("/api/1/profile/create?accessTokenId={MASTER}&tenantName=acme&role=Q");
    let form = [("content-type", "application/x-www-form-urlencoded;charset=UTF-8")];
    let body = "username=%C3%BCber+ada&email=a%40b&enabled=Yes&role=F";
    let answer = crafter.send_bare("POST", &path, &form, body.into()).await.answers(200);
    assert_eq!(answer["username"], "über ada");
    assert_eq!(answer["email"], "a@b");
    assert_eq!(answer["roles"], json!(["Q", "F"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selector_keeps_only_the_fields_it_names() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let selector = [("selector", "profile(username,email)")];
    let found = crafter.get(&format!("profile/{id}"), &selector).await.answers(200);
    assert_eq!(found, json!({ "username": "ada", "email": "ada@acme.example" }));
    let selector = [("tenantName", "acme"), ("username", "ada"), ("selector", "Tenant(name)")];
    let found = crafter.get("profile/by_username", &selector).await.answers(200);
    assert_eq!(found.as_object().unwrap().len(), 10);
    let malformed = crafter.get(&format!("profile/{id}"), &[("selector", "Profile")]).await;
    malformed.refused(400, "OTHER");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_json_in_utf_8_without_cookies_or_cors() {
    let crafter = Crafter::start().await;
    let answer = crafter.get("profile/count", &[("tenantName", "none")]).await;
    assert_eq!(answer.text, "0");
    let kind = answer.headers["content-type"].to_str().unwrap().to_ascii_lowercase();
    assert!(kind.starts_with("application/json") && kind.contains("charset=utf-8"), "{kind}");
    assert_eq!(answer.headers["cache-control"], "no-store");
    for header in ["set-cookie", "access-control-allow-origin"] {
        assert!(!answer.headers.contains_key(header), "{header}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seed_of_a_first_boot_is_there_as_its_clients_expect() {
    let crafter = Crafter::start().await;
    let seed = serde_json::from_str(include_str!("../../../examples/crafter/seed.json")).unwrap();
    let summary = crafter.take_in(seed).await;
    assert_eq!((summary.tenants, summary.tokens, summary.profiles), (1, 3, 1));
    let admin = crafter.by("e8f5170c-877b-416f-b70f-4b09772f8e2d");
    assert_eq!(admin.get("access_token/all", &[]).await.answers(200)[1]["master"], true);
    let engine = crafter.by("b4d44030-d0af-11e3-9c1a-0800200c9a66").ending(".json");
    let tenant = engine.get("tenant/default", &[]).await.answers(200);
    assert_eq!(tenant["availableRoles"].as_array().unwrap().len(), 4);
    assert_eq!(tenant["attributeDefinitions"][5]["name"], "connections");
    let log_in = [("tenantName", "default"), ("username", "admin"), ("password", "admin")];
    let ticket = engine.form("authentication/authenticate", &log_in).await.answers(200);
    let profile = engine.get("profile/by_ticket", &[("ticketId", &text(&ticket["id"]))]).await;
    let profile = profile.answers(200);
    assert_eq!(profile["roles"], json!(["PROFILE_SUPERADMIN", "SOCIAL_SUPERADMIN"]));
    assert_eq!(profile["attributes"]["socialContexts"][0]["name"], "Default");
    engine.form("tenant/default/roles/add", &[("role", "X")]).await.refused(403, "ACTION_DENIED");
    engine.get("access_token/all", &[]).await.refused(403, "ACTION_DENIED");
    let seed = include_str!("../../../examples/crafter/seed.json");
    let again = crafter.take_in(serde_json::from_str(seed).unwrap()).await;
    assert_eq!((again.tenants, again.tokens, again.profiles, again.before), (0, 0, 0, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_in_once_is_not_brought_back_by_taking_it_in_again() {
    let crafter = Crafter::start().await;
    let token = "0e8f5170-877b-416f-b70f-4b09772f8e2d";
    let tokens = json!([{ "id": token, "application": "a", "tenantPermissions": [] }]);
    let tenants = json!([
        { "name": "t", "availableRoles": ["A", "B"] },
        { "name": "gone", "availableRoles": [] },
    ]);
    let named = |tenant: &str, name: &str| {
        let email = format!("{name}@{tenant}.example");
        json!({ "username": name, "tenant": tenant, "email": email, "password": PASSWORD })
    };
    let profiles = json!([named("t", "ada"), named("t", "bob"), named("gone", "eve")]);
    let seed = json!({ "accesstoken": tokens, "tenant": tenants, "profile": profiles });
    let first = crafter.take_in(seed.clone()).await;
    assert_eq!((first.tenants, first.tokens, first.profiles, first.bad), (2, 1, 3, 0));
    let by_name = [("tenantName", "t"), ("username", "ada")];
    let ada = text(&crafter.get("profile/by_username", &by_name).await.answers(200)["id"]);
    crafter.form(&format!("profile/{ada}/update"), &[("username", "lovelace")]).await.answers(200);
    let by_name = [("tenantName", "t"), ("username", "bob")];
    let bob = text(&crafter.get("profile/by_username", &by_name).await.answers(200)["id"]);
    crafter.form(&format!("profile/{bob}/delete"), &[]).await.is_empty();
    crafter.form("tenant/t/roles/remove", &[("role", "B")]).await.answers(200);
    crafter.form("tenant/gone/delete", &[]).await.is_empty();
    crafter.form(&format!("access_token/{token}/delete"), &[]).await.is_empty();
    let again = crafter.take_in(seed).await;
    assert_eq!((again.tenants, again.tokens, again.profiles), (0, 0, 0));
    assert_eq!((again.before, again.bad), (6, 0));
    assert_eq!(crafter.get("tenant/t", &[]).await.answers(200)["availableRoles"], json!(["A"]));
    let listed = crafter.get("profile/range", &[("tenantName", "t")]).await.answers(200);
    assert_eq!(each(&listed, "username"), ["lovelace"]);
    crafter.get("tenant/gone", &[]).await.refused(404, "NO_SUCH_TENANT");
    crafter.by(token).get("tenant/t", &[]).await.refused(403, "ACCESS_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_e_mail_address_that_is_none_is_refused_in_either_call() {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({ "attributeDefinitions": [attribute("a", "TEXT")] })).await;
    let id = crafter.profile_id("t", "ada").await;
    for email in ["a b@c", "a", "a@", "@b", "a@b c", "a@b, c@d"] {
        let create = [("tenantName", "t"), ("username", "x"), ("enabled", "1"), ("email", email)];
        let answer = crafter.form("profile/create", &create).await;
        answer.refused(400, "INVALID_EMAIL_ADDRESS");
        let answer = crafter.form(&format!("profile/{id}/update"), &[("email", email)]).await;
        answer.refused(400, "INVALID_EMAIL_ADDRESS");
    }
    let create = [("tenantName", "t"), ("username", "x"), ("enabled", "1"), ("email", "")];
    let answer = crafter.form("profile/create", &create).await;
    answer.refused(400, "INVALID_EMAIL_ADDRESS");
}
