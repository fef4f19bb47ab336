//! One directory, several faces: what is made here is seen there, and neither grants what the
//! other trusts.

use dossier::domain::object_id::shown;
use serde_json::{Value, json};

use crate::support::crafter::{Crafter, PASSWORD, attribute, each, text, uuid};

async fn place() -> (Crafter, String) {
    let crafter = Crafter::start().await;
    let definitions = ["displayName", "firstName", "lastName"].map(|name| attribute(name, "TEXT"));
    let add = "tenant/acme/attribute_definitions/add";
    crafter.json(add, json!(definitions)).await.answers(200);
    let root = crafter.api.token("root").await;
    (crafter, root)
}

async fn search(crafter: &Crafter, token: &str, term: &str) -> Value {
    crafter.v5(token, "search", json!({ "search": term })).await.answers(200)["profiles"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_made_here_is_found_by_search_under_what_it_is_called() {
    let (crafter, root) = place().await;
    for (username, attributes, called) in [
        ("one", r#"{"displayName":"Zed One","firstName":"No"}"#, "Zed One"),
        ("two", r#"{"firstName":"Zed","lastName":"Two"}"#, "Zed Two"),
        ("zed3", "{}", "zed3"),
    ] {
        let made = crafter.profile("acme", username, &[("attributes", attributes)]).await;
        let found = search(&crafter, &root, called).await;
        assert_eq!(each(&found, "name"), [called]);
        assert_eq!(found[0]["profile_id"], json!(uuid(&text(&made["id"]))));
    }
    let all = search(&crafter, &root, "zed").await;
    assert_eq!(all.as_array().unwrap().len(), 3);
    let by_address = search(&crafter, &root, "two@acme").await;
    assert_eq!(each(&by_address, "name"), ["Zed Two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_what_it_is_called_is_found_and_a_deleted_one_no_more() {
    let (crafter, root) = place().await;
    let attributes = [("attributes", r#"{"displayName":"Before"}"#)];
    let id = text(&crafter.profile("acme", "ada", &attributes).await["id"]);
    let path = format!("profile/{id}/attributes/update");
    crafter.json(&path, json!({ "displayName": "After" })).await.answers(200);
    assert_eq!(search(&crafter, &root, "before").await, json!([]));
    assert_eq!(each(&search(&crafter, &root, "after").await, "name"), ["After"]);
    crafter.form(&format!("profile/{id}/delete"), &[]).await.is_empty();
    assert_eq!(search(&crafter, &root, "after").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_history_says_which_application_it_was() {
    let (crafter, root) = place().await;
    let id = crafter.profile_id("acme", "ada").await;
    let token = crafter.token_for("acme").await;
    crafter.by(&token).form(&format!("profile/{id}/disable"), &[]).await.answers(200);
    let path = format!("/api/v1/profiles/{}/history?order=oldest", uuid(&id));
    let page = crafter.api.get(&root, &path).await.answers(200);
    let events = page["events"].as_array().unwrap();
    assert_eq!(
        each(&page["events"], "name"),
        ["ProfileRegistered", "PasswordChanged", "ProfileDeactivated"]
    );
    for (event, application, operation) in
        [(&events[0], "tests", "create_profile"), (&events[2], "one", "disable_profile")]
    {
        assert_eq!(event["real_actor"]["kind"], "access_token", "{event}");
        assert_eq!(event["real_actor"]["name"], application);
        assert_eq!((&event["face"], &event["operation"]), (&json!("crafter"), &json!(operation)));
        assert_eq!(event["channel"], "http");
    }
    assert_ne!(events[0]["real_actor"]["id"], events[2]["real_actor"]["id"]);
    assert!(!page.to_string().contains(PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_made_elsewhere_is_known_here_by_its_id_for_a_username() {
    let (crafter, root) = place().await;
    let id = shown(crafter.create(&root, json!({ "name": "Elsewhere" })).await);
    let found = crafter.get(&format!("profile/{id}"), &[]).await.answers(200);
    assert_eq!((&found["username"], &found["email"]), (&json!(id), &Value::Null));
    let by_name = [("tenantName", "acme"), ("username", id.as_str())];
    let found = crafter.get("profile/by_username", &by_name).await.answers(200);
    assert_eq!(found["id"], json!(id));
    crafter.log_in("acme", &id, "").await.refused(401, "BAD_CREDENTIALS");
    let count = crafter.get("profile/count", &[("tenantName", "acme")]).await.answers(200);
    assert_eq!(count, json!(7));
    let update = [("username", "now"), ("password", "now-secret")];
    crafter.form(&format!("profile/{id}/update"), &update).await.answers(200);
    crafter.log_in("acme", "now", "now-secret").await.answers(200);
    let gone = crafter.get("profile/by_username", &by_name).await;
    gone.refused(404, "NO_SUCH_PROFILE");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_here_may_nothing_on_the_other_faces() {
    let (crafter, root) = place().await;
    let roles = [("role", "superadmin"), ("role", "PROFILE_SUPERADMIN")];
    let id = text(&crafter.profile("acme", "ada", &roles).await["id"]);
    let token = crafter.token_of(uuid(&id));
    let context = crafter.v5(&token, "context", json!({})).await.answers(200);
    assert_eq!((&context["role"], &context["scoped_roles"]), (&Value::Null, &json!([])));
    let made = json!({ "profiles": [{ "name": "X" }] });
    assert_eq!(crafter.v5(&token, "create", made).await.answers(403)["code"], "forbidden");
    let item = json!({ "profile_id": crafter.id("mia").await, "name": "Taken over" });
    let update = crafter.v5(&token, "update", json!({ "profiles": [item] })).await.answers(200);
    assert_eq!(update["results"][0]["success"], false, "{update}");
    // Nor is a role of the other face one of an application.
    let mia = crafter.id("mia").await.to_string();
    let found = crafter.get(&format!("profile/{mia}"), &[]).await.answers(200);
    assert_eq!(found["roles"], json!([]));
    assert_eq!(crafter.v5(&root, "search", json!({})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_application_roles_is_changed_over_there_by_superadmins_only() {
    let (crafter, root) = place().await;
    let ada = crafter.api.token("ada").await;
    let mia = crafter.id("mia").await;
    let rename = async |token: &str, name: &str| {
        let item = json!({ "profile_id": mia, "name": name });
        let answer = crafter.v5(token, "update", json!({ "profiles": [item] })).await;
        answer.answers(200)["results"][0]["success"].clone()
    };
    assert_eq!(rename(&ada, "By Admin").await, true);
    let add = [("role", "SOCIAL_ADMIN")];
    crafter.form(&format!("profile/{mia}/roles/add"), &add).await.answers(200);
    assert_eq!(rename(&ada, "Refused").await, false);
    let ids = json!({ "profile_ids": [mia] });
    let deleted = crafter.v5(&ada, "delete", ids).await.answers(200);
    assert_eq!(deleted["results"][0]["success"], false);
    assert_eq!(rename(&root, "By Superadmin").await, true);
    crafter.form(&format!("profile/{mia}/roles/remove"), &add).await.answers(200);
    assert_eq!(rename(&ada, "By Admin Again").await, true);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deactivated_over_there_cannot_log_in_here() {
    let (crafter, root) = place().await;
    let id = crafter.profile_id("acme", "ada").await;
    let person = uuid(&id);
    let activity = async |active: bool| {
        let item = json!({ "profile_id": person, "flag_id": crafter.flag(active) });
        let answer = crafter.v5(&root, "update", json!({ "profiles": [item] })).await;
        assert_eq!(answer.answers(200)["results"][0]["success"], true);
    };
    activity(false).await;
    crafter.log_in("acme", "ada", PASSWORD).await.refused(403, "DISABLED_PROFILE");
    let found = crafter.get(&format!("profile/{id}"), &[]).await.answers(200);
    assert_eq!(found["enabled"], false);
    activity(true).await;
    crafter.log_in("acme", "ada", PASSWORD).await.answers(200);
    let ids = json!({ "profile_ids": [person] });
    crafter.v5(&root, "delete", ids).await.answers(200);
    crafter.log_in("acme", "ada", PASSWORD).await.refused(401, "BAD_CREDENTIALS");
    crafter.profile("acme", "ada", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_given_here_is_no_log_in_there_until_it_is_verified() {
    let (crafter, root) = place().await;
    crafter.profile("acme", "ada", &[]).await;
    let email = crafter.email(&root, "ada@acme.example").await;
    let taken = crafter.id("ada").await;
    let found = crafter.get(&format!("profile/{taken}"), &[]).await.answers(200);
    // The other one's is verified by whoever keeps that directory.
    assert_eq!(found["email"], "ada@acme.example");
    assert!(!email.is_empty());
    let made = crafter.profile("acme", "eve", &[("email", "eve@acme.example")]).await;
    assert_eq!(made["verified"], false);
    let item = json!({ "name": "Eve", "email": "eve@acme.example" });
    let created = crafter.v5(&root, "create", json!({ "profiles": [item] })).await.answers(200);
    assert_eq!(created["results"][0]["success"], true, "{created}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_id_of_24_digits_is_shown_and_found_as_it_is() {
    let (crafter, _) = place().await;
    let oid = "5f1d7b02e4b0c2a900000001";
    let profile = json!([{ "_id": { "$oid": oid }, "tenant": "acme", "username": "old",
        "email": "old@acme.example", "enabled": true }]);
    crafter.take_in(json!({ "profile": profile })).await;
    for id in [oid.to_owned(), oid.to_uppercase()] {
        let found = crafter.get(&format!("profile/{id}"), &[]).await.answers(200);
        assert_eq!(found["id"], oid);
        let found = crafter.get("profile/by_ids", &[("id", &id)]).await.answers(200);
        assert_eq!(each(&found, "username"), ["old"]);
    }
    for query in [
        format!("{{_id: '{oid}'}}"),
        format!("{{_id: {{$oid: '{oid}'}}}}"),
        format!("{{_id: ObjectId(\"{oid}\")}}"),
    ] {
        let parameters = [("tenantName", "acme"), ("query", query.as_str())];
        let found = crafter.get("profile/by_query", &parameters).await.answers(200);
        assert_eq!(each(&found, "id"), [oid], "{query}");
    }
    let create = "authentication/ticket/create";
    let ticket = crafter.form(create, &[("profileId", oid)]).await.answers(200);
    assert_eq!(ticket["profileId"], oid);
    crafter.form(&format!("profile/{oid}/delete"), &[]).await.is_empty();
    let gone = crafter.get(&format!("profile/{oid}"), &[]).await;
    gone.refused(404, "NO_SUCH_PROFILE");
}
