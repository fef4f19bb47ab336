//! Attributes of profiles: who may read, write and remove them, and what becomes of their values
//! (contract 4.3, 4.7).

use serde_json::{Value, json};

use crate::support::crafter::{Crafter, attribute, attribute_for, text};

/// Attributes that `engine` may read, write, remove, or none of it, and one for all.
async fn place() -> (Crafter, String, String) {
    let crafter = Crafter::start().await;
    let only = |action: &str| json!([{ "application": "engine", "allowedActions": [action] }]);
    let master = json!([{ "application": "tests", "allowedActions": ["*"] }]);
    let with_master = |action: &str| {
        let mut permissions = only(action);
        permissions.as_array_mut().unwrap().extend(master.as_array().unwrap().clone());
        permissions
    };
    let definitions = json!([
        attribute_for("readable", "TEXT", with_master("READ_ATTRIBUTE")),
        attribute_for("writable", "TEXT", with_master("WRITE_ATTRIBUTE")),
        attribute_for("removable", "TEXT", with_master("REMOVE_ATTRIBUTE")),
        attribute_for("hidden", "TEXT", master.clone()),
        attribute("open", "COMPLEX"),
    ]);
    crafter.tenant("t", json!({ "attributeDefinitions": definitions })).await;
    let all = r#"{"readable":"r","writable":"w","removable":"x","hidden":"h",
                  "open":{"deep":[{"a":1},{"a":2}]}}"#;
    let id = text(&crafter.profile("t", "ada", &[("attributes", all)]).await["id"]);
    let permissions = json!([{ "tenant": "t", "allowedActions": ["*"] }]);
    let engine = crafter.token("engine", permissions).await;
    (crafter, engine, id)
}

fn names(attributes: &Value) -> Vec<&str> {
    attributes.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_application_may_not_read_is_in_no_answer() {
    let (crafter, engine, id) = place().await;
    let by = crafter.by(&engine);
    let tenant = ("tenantName", "t");
    let query = ("query", "{username: 'ada'}");
    let one = by.get(&format!("profile/{id}"), &[]).await.answers(200);
    assert_eq!(names(&one["attributes"]), ["open", "readable"]);
    let attributes = by.get(&format!("profile/{id}/attributes"), &[]).await.answers(200);
    assert_eq!(attributes, one["attributes"]);
    let ones = [
        by.get("profile/by_username", &[tenant, ("username", "ada")]).await,
        by.get("profile/one_by_query", &[tenant, query]).await,
        by.form(&format!("profile/{id}/enable"), &[]).await,
        by.form(&format!("profile/{id}/update"), &[]).await,
    ];
    for answer in ones {
        assert_eq!(answer.answers(200)["attributes"], one["attributes"]);
    }
    let lists = [
        by.get("profile/by_query", &[tenant, query]).await,
        by.get("profile/by_ids", &[("id", &id)]).await,
        by.get("profile/range", &[tenant]).await,
        by.get("profile/by_existing_attribute", &[tenant, ("attributeName", "open")]).await,
    ];
    for answer in lists {
        assert_eq!(answer.answers(200)[0]["attributes"], one["attributes"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_one_that_may_not_be_written_stores_nothing_at_all() {
    let (crafter, engine, id) = place().await;
    let by = crafter.by(&engine);
    let head = crafter.head().await;
    for refused in ["readable", "removable", "hidden"] {
        let body = json!({ "writable": "new", (refused): "new" });
        let answer = by.json(&format!("profile/{id}/attributes/update"), &[], body.clone()).await;
        answer.refused(403, "ACTION_DENIED");
        let update = [("enabled", "false"), ("attributes", &*body.to_string())];
        by.form(&format!("profile/{id}/update"), &update).await.refused(403, "ACTION_DENIED");
    }
    let undefined = json!({ "writable": "new", "nothing": 1 });
    let answer = by.json(&format!("profile/{id}/attributes/update"), &[], undefined).await;
    answer.refused(400, "ATTRIBUTE_NOT_DEFINED");
    let create = |attributes: &'static str| {
        [
            ("tenantName", "t"),
            ("username", "eve"),
            ("email", "a@b"),
            ("enabled", "1"),
            ("attributes", attributes),
        ]
    };
    let answer = by.form("profile/create", &create(r#"{"hidden":1}"#)).await;
    answer.refused(403, "ACTION_DENIED");
    let answer = by.form("profile/create", &create(r#"{"writable":1,"nothing":1}"#)).await;
    answer.refused(400, "ATTRIBUTE_NOT_DEFINED");
    assert_eq!(crafter.head().await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_to_a_write_shows_what_was_written_beside_what_is_readable() {
    let (crafter, engine, id) = place().await;
    let by = crafter.by(&engine);
    let path = format!("profile/{id}/attributes/update");
    let after = by.json(&path, &[], json!({ "writable": "new" })).await.answers(200);
    assert_eq!(names(&after["attributes"]), ["open", "readable", "writable"]);
    assert_eq!(after["attributes"]["writable"], "new");
    let found = by.get(&format!("profile/{id}"), &[]).await.answers(200);
    assert_eq!(names(&found["attributes"]), ["open", "readable"]);
    let all = crafter.get(&format!("profile/{id}"), &[]).await.answers(200);
    assert_eq!(all["attributes"]["writable"], "new");
    assert_eq!(all["attributes"]["hidden"], "h");
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_takes_the_permission_to_remove_for_each() {
    let (crafter, engine, id) = place().await;
    let by = crafter.by(&engine);
    let path = format!("profile/{id}/attributes/remove");
    let head = crafter.head().await;
    for (names, status, code) in [
        ("removable,writable", 403, "ACTION_DENIED"),
        ("readable", 403, "ACTION_DENIED"),
        ("removable,nothing", 400, "ATTRIBUTE_NOT_DEFINED"),
    ] {
        by.form(&path, &[("attributeName", names)]).await.refused(status, code);
    }
    by.form(&path, &[]).await.refused(400, "OTHER");
    assert_eq!(crafter.head().await, head);
    by.form(&path, &[("attributeName", "removable")]).await.answers(200);
    let all = crafter.get(&format!("profile/{id}/attributes"), &[]).await.answers(200);
    assert_eq!(names(&all), ["hidden", "open", "readable", "writable"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_permission_that_fits_an_application_decides_alone() {
    let crafter = Crafter::start().await;
    let permissions = json!([
        { "application": "engine", "allowedActions": ["READ_ATTRIBUTE"] },
        { "application": "*", "allowedActions": ["WRITE_ATTRIBUTE"] },
        { "application": "engine", "allowedActions": ["*"] },
    ]);
    let definitions = json!([
        attribute_for("a", "TEXT", permissions),
        attribute_for("nobody", "TEXT", json!([])),
    ]);
    crafter.tenant("t", json!({ "attributeDefinitions": definitions })).await;
    let id = text(&crafter.profile("t", "ada", &[("attributes", r#"{"a":"x"}"#)]).await["id"]);
    let all = json!([{ "tenant": "*", "allowedActions": ["*"] }]);
    let (engine, social) =
        (crafter.token("engine", all.clone()).await, crafter.token("social", all).await);
    let path = format!("profile/{id}/attributes");
    assert_eq!(crafter.by(&engine).get(&path, &[]).await.answers(200), json!({ "a": "x" }));
    assert_eq!(crafter.by(&social).get(&path, &[]).await.answers(200), json!({}));
    let path = format!("profile/{id}/attributes/update");
    let new = json!({ "a": "y" });
    let by_engine = crafter.by(&engine).json(&path, &[], new.clone()).await;
    by_engine.refused(403, "ACTION_DENIED");
    let written = crafter.by(&social).json(&path, &[], new.clone()).await.answers(200);
    assert_eq!(written["attributes"], new);
    let answer = crafter.json(&path, json!({ "nobody": 1 })).await;
    answer.refused(403, "ACTION_DENIED");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_attributes_asked_for_are_returned() {
    let (crafter, engine, id) = place().await;
    let by = crafter.by(&engine);
    let path = format!("profile/{id}");
    for (wanted, expected) in [
        ("readable", json!({ "readable": "r" })),
        ("readable,hidden,nothing", json!({ "readable": "r" })),
        ("$none", json!({})),
        ("readable,$none", json!({})),
        ("open.deep", json!({ "open": { "deep": [{ "a": 1 }, { "a": 2 }] } })),
        ("open.nothing", json!({ "open": {} })),
    ] {
        let found = by.get(&path, &[("attributeToReturn", wanted)]).await.answers(200);
        assert_eq!(found["attributes"], expected, "{wanted}");
    }
    let twice = [("attributeToReturn", "readable"), ("attributeToReturn", "open")];
    let found = by.get(&path, &twice).await.answers(200);
    assert_eq!(names(&found["attributes"]), ["open", "readable"]);
    let all = by.get(&path, &[("attributeToReturn", "")]).await.answers(200);
    assert_eq!(names(&all["attributes"]), ["open", "readable"]);
    let after = by.form(&format!("{path}/enable"), &[("attributeToReturn", "open.deep")]).await;
    assert_eq!(after.answers(200)["attributes"], json!({}));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_merges_key_by_key_and_null_is_a_value() {
    let (crafter, _, id) = place().await;
    let body = json!({ "open": [1.5, true, null], "hidden": null });
    let path = format!("profile/{id}/attributes/update");
    let after = crafter.json(&path, body).await.answers(200);
    assert_eq!(after["attributes"]["open"], json!([1.5, true, null]));
    assert_eq!(after["attributes"]["hidden"], Value::Null);
    assert_eq!(after["attributes"]["readable"], "r");
    let update = [("attributes", r#"{"readable":"s"}"#)];
    let after = crafter.form(&format!("profile/{id}/update"), &update).await.answers(200);
    assert_eq!(after["attributes"]["readable"], "s");
    assert_eq!(names(&after["attributes"]).len(), 5);
    let found = crafter.get(&format!("profile/{id}/attributes"), &[]).await.answers(200);
    assert_eq!(found, after["attributes"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_is_escaped_when_made_or_updated_but_not_by_attributes_update() {
    let crafter = Crafter::start().await;
    let mut greeting = attribute("greeting", "LARGE_TEXT");
    greeting["defaultValue"] = json!("<é>");
    let bare = json!({ "name": "bare", "permissions": attribute("x", "")["permissions"] });
    let definitions = json!([
        attribute("name", "TEXT"),
        attribute("list", "STRING_LIST"),
        attribute("complex", "COMPLEX"),
        greeting,
        bare,
    ]);
    crafter.tenant("t", json!({ "attributeDefinitions": definitions })).await;
    let given = json!({
        "name": "<b>\"&'é", "list": ["<", "ok"], "complex": { "a": "<" }, "bare": "<",
    });
    let made = crafter.profile("t", "ada", &[("attributes", &given.to_string())]).await;
    let escaped = json!({
        "name": "&lt;b&gt;&quot;&amp;'&eacute;", "list": ["&lt;", "ok"],
        "complex": { "a": "<" }, "bare": "<", "greeting": "&lt;&eacute;&gt;",
    });
    assert_eq!(made["attributes"], escaped);
    let path = format!("profile/{}", text(&made["id"]));
    let update = [("attributes", r#"{"name":"<"}"#)];
    let after = crafter.form(&format!("{path}/update"), &update).await.answers(200);
    assert_eq!(after["attributes"]["name"], "&lt;");
    let raw = crafter.json(&format!("{path}/attributes/update"), json!({ "name": "<" })).await;
    assert_eq!(raw.answers(200)["attributes"]["name"], "<");
    let plain = json!({ "name": "t", "cleanseAttributes": false,
        "attributeDefinitions": [attribute("name", "TEXT")] });
    crafter.json("tenant/update", plain).await.answers(200);
    let made = crafter.profile("t", "eve", &[("attributes", r#"{"name":"<é>"}"#)]).await;
    assert_eq!(made["attributes"]["name"], "<é>");
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_fill_what_is_not_given_also_where_the_caller_may_not_write() {
    let crafter = Crafter::start().await;
    let mut level = attribute_for("level", "COMPLEX", json!([]));
    level["defaultValue"] = json!({ "points": 0 });
    let mut color = attribute("color", "TEXT");
    color["defaultValue"] = json!("red");
    crafter.tenant("t", json!({ "attributeDefinitions": [level, color] })).await;
    let made = crafter.profile("t", "ada", &[("attributes", r#"{"color":null}"#)]).await;
    // Contract 1: a new profile is answered with all its attributes, readable or not.
    assert_eq!(made["attributes"], json!({ "level": { "points": 0 }, "color": null }));
    let found = crafter.get(&format!("profile/{}", text(&made["id"])), &[]).await.answers(200);
    assert_eq!(found["attributes"], json!({ "color": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_are_an_object_as_text_or_nothing() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    for text in ["[]", "7", "firstName=John", "{", "{\"a\":\"\\u0000\"}", "null"] {
        let answer = crafter.form(&format!("profile/{id}/update"), &[("attributes", text)]).await;
        answer.refused(400, "PARAM_DESERIALIZATION_ERROR");
    }
    let path = format!("profile/{id}/attributes/update");
    for body in [json!([]), json!(7), json!(null)] {
        crafter.json(&path, body).await.refused(400, "OTHER");
    }
    crafter.json(&path, json!({})).await.answers(200);
}
