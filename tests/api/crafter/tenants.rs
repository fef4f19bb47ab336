//! `/api/1/tenant` (contract 1, 3).

use serde_json::{Value, json};

use crate::support::crafter::{Crafter, attribute, each, text};

async fn names(crafter: &Crafter, tenant: &str) -> Vec<String> {
    let tenant = crafter.get(&format!("tenant/{tenant}"), &[]).await.answers(200);
    each(&tenant["attributeDefinitions"], "name")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_has_every_field_and_a_made_id() {
    let crafter = Crafter::start().await;
    let asked = json!({ "name": "bare", "id": "5f1d7b02e4b0c2a900000001" });
    let mut made = crafter.json("tenant/create", asked).await.answers(200);
    assert_eq!(crafter.get("tenant/bare", &[]).await.answers(200), made);
    let id = text(&made["id"]);
    assert_ne!(id, "5f1d7b02e4b0c2a900000001");
    made["id"] = json!("made");
    let bare = json!({
        "name": "bare", "verifyNewProfiles": false, "availableRoles": [], "ssoEnabled": false,
        "attributeDefinitions": [], "cleanseAttributes": true, "id": "made",
    });
    assert_eq!(made, bare);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tenant_is_made_with_is_shown_in_its_order() {
    let crafter = Crafter::start().await;
    let definition = json!({
        "permissions": [{ "allowedActions": ["READ_ATTRIBUTE"], "application": "engine" }],
        "name": "firstName", "metadata": { "label": "First", "displayOrder": 0, "type": "TEXT" },
        "defaultValue": { "deep": [1, null] },
    });
    let bare = json!({
        "permissions": [], "name": "bare", "metadata": null, "defaultValue": null,
    });
    let asked = json!({
        "name": "full", "verifyNewProfiles": true, "availableRoles": ["Z", "A"],
        "ssoEnabled": true, "attributeDefinitions": [definition, bare], "cleanseAttributes": false,
    });
    let mut made = crafter.json("tenant/create", asked.clone()).await.answers(200);
    assert!(made.as_object_mut().unwrap().remove("id").is_some());
    assert_eq!(made, asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_replaces_all_but_name_and_id() {
    let crafter = Crafter::start().await;
    let definitions = json!([attribute("a", "TEXT"), attribute("b", "TEXT")]);
    let full = json!({
        "verifyNewProfiles": true, "availableRoles": ["A", "B"], "ssoEnabled": true,
        "attributeDefinitions": definitions, "cleanseAttributes": false,
    });
    let made = crafter.tenant("t", full).await;
    let update = json!({
        "name": "t", "id": "else", "availableRoles": ["B", "C"],
        "attributeDefinitions": [attribute("b", "LARGE_TEXT"), attribute("c", "TEXT")],
    });
    let after = crafter.json("tenant/update", update).await.answers(200);
    assert_eq!(after["id"], made["id"]);
    assert_eq!(after["availableRoles"], json!(["B", "C"]));
    assert_eq!(each(&after["attributeDefinitions"], "name"), ["b", "c"]);
    assert_eq!(after["attributeDefinitions"][0]["metadata"]["type"], "LARGE_TEXT");
    let flags = [&after["verifyNewProfiles"], &after["ssoEnabled"], &after["cleanseAttributes"]];
    assert_eq!(flags, [&json!(false), &json!(false), &json!(true)]);
    assert_eq!(crafter.get("tenant/t", &[]).await.answers(200), after);
    let emptied = crafter.json("tenant/update", json!({ "name": "t" })).await.answers(200);
    assert_eq!(emptied["availableRoles"], json!([]));
    assert_eq!(emptied["attributeDefinitions"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_taken_once_and_free_when_its_tenant_is_gone() {
    let crafter = Crafter::start().await;
    let made = crafter.tenant("t", json!({})).await;
    crafter.json("tenant/create", json!({ "name": "t" })).await.refused(409, "TENANT_EXISTS");
    crafter.json("tenant/create", json!({ "name": "acme" })).await.refused(409, "TENANT_EXISTS");
    crafter.tenant("T", json!({})).await;
    crafter.form("tenant/t/delete", &[]).await.is_empty();
    crafter.get("tenant/t", &[]).await.refused(404, "NO_SUCH_TENANT");
    crafter.form("tenant/t/delete", &[]).await.is_empty();
    let again = crafter.tenant("t", json!({})).await;
    assert_ne!(again["id"], made["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_are_counted_and_listed_whoever_made_them() {
    let crafter = Crafter::start().await;
    assert_eq!(crafter.get("tenant/count", &[]).await.answers(200), json!(1));
    crafter.tenant("one", json!({})).await;
    crafter.tenant("two", json!({ "availableRoles": ["A"] })).await;
    assert_eq!(crafter.get("tenant/count", &[]).await.answers(200), json!(3));
    let all = crafter.get("tenant/all", &[]).await.answers(200);
    let mut listed = each(&all, "name");
    listed.sort();
    assert_eq!(listed, ["acme", "one", "two"]);
    let two = crafter.get("tenant/two", &[]).await.answers(200);
    assert!(all.as_array().unwrap().contains(&two));
    crafter.form("tenant/one/delete", &[]).await.is_empty();
    assert_eq!(crafter.get("tenant/count", &[]).await.answers(200), json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn listing_and_counting_take_a_permission_for_every_tenant() {
    let crafter = Crafter::start().await;
    let token = crafter.token_for("acme").await;
    let by = crafter.by(&token);
    by.get("tenant/count", &[]).await.refused(403, "ACTION_DENIED");
    by.get("tenant/all", &[]).await.refused(403, "ACTION_DENIED");
    by.json("tenant/create", &[], json!({ "name": "acme" })).await.refused(403, "ACTION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_added_and_removed_and_what_is_so_already_stays() {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({ "availableRoles": ["A"] })).await;
    let add: &[(&str, &str)] = &[("role", "B"), ("role", "A"), ("role", "C,D")];
    let after = crafter.form("tenant/t/roles/add", add).await.answers(200);
    assert_eq!(after["availableRoles"], json!(["A", "B", "C,D"]));
    let after = crafter.form("tenant/t/roles/add", &[("role", " E , F,")]).await.answers(200);
    assert_eq!(after["availableRoles"], json!(["A", "B", "C,D", "E", "F"]));
    let after = crafter.form("tenant/t/roles/remove", &[("role", "B,X,E")]).await.answers(200);
    assert_eq!(after["availableRoles"], json!(["A", "C,D", "F"]));
    let head = crafter.head().await;
    crafter.form("tenant/t/roles/add", &[("role", "A")]).await.answers(200);
    crafter.form("tenant/t/roles/remove", &[("role", "X")]).await.answers(200);
    crafter.form("tenant/t/roles/remove", &[("role", "")]).await.answers(200);
    crafter.form("tenant/t/roles/add", &[]).await.refused(400, "OTHER");
    assert_eq!(crafter.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_new_profiles_are_verified_is_said_in_any_word_for_it() {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({})).await;
    for (word, verified) in [("yes", true), ("0", false), ("TRUE", true), ("Off", false)] {
        let path = "tenant/t/verify_new_profiles";
        let after = crafter.form(path, &[("verify", word)]).await.answers(200);
        assert_eq!(after["verifyNewProfiles"], verified);
    }
    for parameters in [&[][..], &[("verify", "")], &[("verify", "perhaps")]] {
        crafter.form("tenant/t/verify_new_profiles", parameters).await.refused(400, "OTHER");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_are_added_unless_defined_updated_if_defined_and_removed() {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({ "attributeDefinitions": [attribute("a", "TEXT")] })).await;
    let path = |what: &str| format!("tenant/t/attribute_definitions/{what}");
    let added = json!([attribute("a", "LARGE_TEXT"), attribute("b", "TEXT")]);
    let after = crafter.json(&path("add"), added).await.answers(200);
    assert_eq!(after["attributeDefinitions"][0]["metadata"]["type"], "TEXT");
    assert_eq!(each(&after["attributeDefinitions"], "name"), ["a", "b"]);
    let updated = json!([attribute("b", "COMPLEX"), attribute("c", "TEXT")]);
    let after = crafter.json(&path("update"), updated).await.answers(200);
    assert_eq!(after["attributeDefinitions"][1]["metadata"]["type"], "COMPLEX");
    assert_eq!(each(&after["attributeDefinitions"], "name"), ["a", "b"]);
    let names_to_remove = [("attributeName", "a"), ("attributeName", "x")];
    let after = crafter.form(&path("remove"), &names_to_remove).await.answers(200);
    assert_eq!(each(&after["attributeDefinitions"], "name"), ["b"]);
    assert_eq!(names(&crafter, "t").await, ["b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_come_as_a_list_and_their_names_have_no_dots() {
    let crafter = Crafter::start().await;
    let add = "tenant/acme/attribute_definitions/add";
    let head = crafter.head().await;
    for body in [
        json!(attribute("a", "TEXT")),
        json!([{ "name": "a.b" }]),
        json!([{ "name": "$a" }]),
        json!([{ "name": "" }]),
        json!([{}]),
        json!([[]]),
        json!([{ "name": "a", "type": "TEXT" }]),
        json!([{ "name": "a", "metadata": [] }]),
    ] {
        crafter.json(add, body).await.refused(400, "OTHER");
    }
    assert_eq!(crafter.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_cannot_be_changed() {
    let crafter = Crafter::start().await;
    crafter.get("tenant/none", &[]).await.refused(404, "NO_SUCH_TENANT");
    let update = crafter.json("tenant/update", json!({ "name": "none" })).await;
    update.refused(404, "NO_SUCH_TENANT");
    for (path, parameters) in [
        ("roles/add", [("role", "A")]),
        ("roles/remove", [("role", "A")]),
        ("verify_new_profiles", [("verify", "true")]),
        ("attribute_definitions/remove", [("attributeName", "a")]),
    ] {
        let answer = crafter.form(&format!("tenant/none/{path}"), &parameters).await;
        answer.refused(404, "NO_SUCH_TENANT");
    }
    for path in ["add", "update"] {
        let path = format!("tenant/none/attribute_definitions/{path}");
        crafter.json(&path, json!([])).await.refused(404, "NO_SUCH_TENANT");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_programs_of_other_faces_belong_to_is_not_deleted() {
    let crafter = Crafter::start().await;
    let head = crafter.head().await;
    crafter.form("tenant/acme/delete", &[]).await.refused(403, "ACTION_DENIED");
    assert_eq!(crafter.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_hold_whatever_a_path_can_hold() {
    let crafter = Crafter::start().await;
    for (name, path) in [("a.b", "a.b"), ("a b/ü?", "a%20b%2F%C3%BC%3F"), ("x.json", "x.json.json")]
    {
        crafter.tenant(name, json!({})).await;
        let found = crafter.get(&format!("tenant/{path}"), &[]).await.answers(200);
        assert_eq!(found["name"], name);
    }
    for name in [json!(""), json!("x".repeat(201)), Value::Null] {
        crafter.json("tenant/create", json!({ "name": name })).await.refused(400, "OTHER");
    }
}
