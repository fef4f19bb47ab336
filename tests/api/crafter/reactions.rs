//! What follows for the profiles of a tenant from a change of it (contract 4.7): for a few before
//! the answer, for all before long, each by an event of its own that moves no `lastModified`.

use std::collections::BTreeMap;

use chrono::Utc;
use serde_json::{Value, json};

use crate::support::crafter::{Crafter, PASSWORD, attribute, text, until, uuid};

/// More profiles than are looked at at once, twice.
const MANY: usize = 2_500;

/// How many events of this name there are, and on how many streams.
async fn events(crafter: &Crafter, name: &str) -> (i64, i64) {
    let client = crafter.engine.connection().await.unwrap();
    let sql = "select count(*), count(distinct stream_id) from log.events where name = $1";
    let row = client.query_one(sql, &[&name]).await.unwrap();
    (row.get(0), row.get(1))
}

async fn all_have(crafter: &Crafter, name: &str, count: usize) {
    let count = i64::try_from(count).unwrap();
    until(name, async || events(crafter, name).await.0 >= count).await;
    assert_eq!(events(crafter, name).await, (count, count), "{name}");
}

/// Waits until no change of a tenant is left to follow.
async fn quiet(crafter: &Crafter) {
    let head = crafter.head().await;
    let reacted = async || {
        let client = crafter.engine.connection().await.unwrap();
        let sql = "select coalesce((select position from ops.reactions where reaction = 'log'), 0),
            (select count(*) from ops.walks)";
        let row = client.query_one(sql, &[]).await.unwrap();
        row.get::<_, i64>(0) >= head && row.get::<_, i64>(1) == 0
    };
    until("nothing is left to follow", reacted).await;
}

/// As a crash leaves it that comes after the work and before its end is on record.
async fn walk_again(crafter: &Crafter) {
    let client = crafter.engine.connection().await.unwrap();
    let sql = "insert into ops.walks (position, tenant_id, after_profile_id)
        select position, tenant_id, $1 from log.events
        where name in ('OfferedRoleRemoved', 'AttributeRemoved', 'AttributeDefined')";
    client.execute(sql, &[&uuid::Uuid::nil()]).await.unwrap();
    drop(client);
    quiet(crafter).await;
}

async fn profile(crafter: &Crafter, id: &str) -> Value {
    crafter.get(&format!("profile/{id}"), &[]).await.answers(200)
}

async fn count(crafter: &Crafter, query: &str) -> Value {
    let parameters = [("tenantName", "t"), ("query", query)];
    crafter.get("profile/count_by_query", &parameters).await.answers(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_few_profiles_have_it_all_when_the_answer_comes() {
    let crafter = Crafter::start().await;
    let definitions = json!([attribute("gone", "TEXT"), attribute("kept", "TEXT")]);
    let t = json!({ "availableRoles": ["GONE", "KEPT"], "attributeDefinitions": definitions });
    crafter.tenant("t", t).await;
    let given = [("attributes", r#"{"gone":"x","kept":"y"}"#), ("role", "GONE,KEPT,OTHER")];
    let id = text(&crafter.profile("t", "ada", &given).await["id"]);
    let before = profile(&crafter, &id).await;
    crafter.form("tenant/t/roles/remove", &[("role", "GONE")]).await.answers(200);
    assert_eq!(profile(&crafter, &id).await["roles"], json!(["KEPT", "OTHER"]));
    let remove = "tenant/t/attribute_definitions/remove";
    crafter.form(remove, &[("attributeName", "gone")]).await.answers(200);
    assert_eq!(profile(&crafter, &id).await["attributes"], json!({ "kept": "y" }));
    let mut level = attribute("level", "COMPLEX");
    level["defaultValue"] = json!({ "points": 0 });
    let add = "tenant/t/attribute_definitions/add";
    crafter.json(add, json!([level])).await.answers(200);
    let after = profile(&crafter, &id).await;
    assert_eq!(after["attributes"], json!({ "kept": "y", "level": { "points": 0 } }));
    assert_eq!(after["lastModified"], before["lastModified"]);
    let listed = crafter.get("profile/range", &[("tenantName", "t")]).await.answers(200);
    assert_eq!(listed, json!([after]));
    let expected = ["ApplicationRoleWithdrawn", "AttributeWithdrawn", "AttributeDefaulted"];
    quiet(&crafter).await;
    assert_eq!(crafter.events(&id).await[2..], expected, "twice is once");
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_a_tenant_does_the_same() {
    let crafter = Crafter::start().await;
    let definitions = json!([attribute("gone", "TEXT"), attribute("kept", "TEXT")]);
    let t = json!({ "availableRoles": ["GONE", "KEPT"], "attributeDefinitions": definitions });
    crafter.tenant("t", t).await;
    let given = [("attributes", r#"{"gone":"x","kept":"y"}"#), ("role", "GONE,KEPT")];
    let id = text(&crafter.profile("t", "ada", &given).await["id"]);
    let mut new = attribute("new", "TEXT");
    new["defaultValue"] = json!("z");
    let mut kept = attribute("kept", "TEXT");
    kept["defaultValue"] = json!("not over what is there");
    let update = json!({
        "name": "t", "availableRoles": ["KEPT"], "attributeDefinitions": [kept, new],
    });
    crafter.json("tenant/update", update).await.answers(200);
    let after = profile(&crafter, &id).await;
    assert_eq!(after["roles"], json!(["KEPT"]));
    assert_eq!(after["attributes"], json!({ "kept": "y", "new": "z" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_that_a_definition_gets_later_fills_nothing_by_definitions_update() {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({ "attributeDefinitions": [attribute("a", "TEXT")] })).await;
    let id = crafter.profile_id("t", "ada").await;
    let mut a = attribute("a", "TEXT");
    a["defaultValue"] = json!("x");
    let update = "tenant/t/attribute_definitions/update";
    crafter.json(update, json!([a])).await.answers(200);
    quiet(&crafter).await;
    assert_eq!(profile(&crafter, &id).await["attributes"], json!({}));
    assert_eq!(crafter.profile("t", "eve", &[]).await["attributes"], json!({ "a": "x" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_that_tenant_update_brings_to_a_known_definition_fills_it_too() {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({ "attributeDefinitions": [attribute("a", "TEXT")] })).await;
    let id = crafter.profile_id("t", "ada").await;
    let mut a = attribute("a", "TEXT");
    a["defaultValue"] = json!("x");
    let update = json!({ "name": "t", "attributeDefinitions": [a] });
    crafter.json("tenant/update", update).await.answers(200);
    // Contract 4.7: it writes the default into every profile lacking the attribute.
    assert_eq!(profile(&crafter, &id).await["attributes"], json!({ "a": "x" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_profile_of_a_large_tenant_is_reached_by_one_event_each() {
    let crafter = Crafter::start().await;
    let t =
        json!({ "availableRoles": ["GONE"], "attributeDefinitions": [attribute("gone", "TEXT")] });
    crafter.tenant("t", t).await;
    let more = |_| json!({ "roles": ["GONE", "KEPT"], "attributes": { "gone": "x" } });
    crafter.profiles("t", MANY, more).await;
    crafter.form("tenant/t/roles/remove", &[("role", "GONE")]).await.answers(200);
    let remove = "tenant/t/attribute_definitions/remove";
    crafter.form(remove, &[("attributeName", "gone")]).await.answers(200);
    let mut level = attribute("level", "COMPLEX");
    level["defaultValue"] = json!(1);
    let add = "tenant/t/attribute_definitions/add";
    crafter.json(add, json!([level])).await.answers(200);
    for name in ["ApplicationRoleWithdrawn", "AttributeWithdrawn", "AttributeDefaulted"] {
        all_have(&crafter, name, MANY).await;
    }
    quiet(&crafter).await;
    assert_eq!(count(&crafter, "{roles: 'GONE'}").await, json!(0));
    assert_eq!(count(&crafter, "{roles: 'KEPT'}").await, json!(MANY));
    assert_eq!(count(&crafter, "{attributes.level: 1}").await, json!(MANY));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_tenant_all_its_profiles_go_and_their_usernames_are_free() {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({})).await;
    crafter.tenant("other", json!({})).await;
    crafter.profiles("t", MANY, |_| json!({})).await;
    let kept = crafter.profile_id("other", "ada").await;
    crafter.form("tenant/t/delete", &[]).await.is_empty();
    all_have(&crafter, "ProfileDeleted", MANY).await;
    quiet(&crafter).await;
    let t = [("tenantName", "t")];
    assert_eq!(crafter.get("profile/count", &t).await.answers(200), json!(0));
    assert_eq!(crafter.get("profile/range", &t).await.answers(200), json!([]));
    crafter.tenant("t", json!({})).await;
    assert_eq!(crafter.get("profile/count", &t).await.answers(200), json!(0));
    crafter.profile("t", "p00000", &[]).await;
    assert_eq!(profile(&crafter, &kept).await["username"], "ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_of_a_deleted_tenant_is_found_or_logs_in_from_the_answer_on() {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({})).await;
    let id = crafter.profile_id("t", "ada").await;
    let ticket = text(&crafter.log_in("t", "ada", PASSWORD).await.answers(200)["id"]);
    crafter.form("tenant/t/delete", &[]).await.is_empty();
    crafter.get(&format!("profile/{id}"), &[]).await.refused(404, "NO_SUCH_PROFILE");
    crafter.log_in("t", "ada", PASSWORD).await.refused(401, "BAD_CREDENTIALS");
    let by_ticket = crafter.get("profile/by_ticket", &[("ticketId", &ticket)]).await;
    by_ticket.refused(404, "NO_SUCH_PROFILE");
    let found = crafter.get("profile/by_ids", &[("id", &id)]).await.answers(200);
    assert_eq!(found, json!([]));
    quiet(&crafter).await;
    assert_eq!(crafter.password(&id).await, None, "no hash outlives its profile");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_that_was_interrupted_goes_on_where_it_was_and_does_nothing_twice() {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({ "availableRoles": ["GONE"] })).await;
    crafter.profiles("t", MANY, |_| json!({ "roles": ["GONE"] })).await;
    crafter.form("tenant/t/roles/remove", &[("role", "GONE")]).await.answers(200);
    all_have(&crafter, "ApplicationRoleWithdrawn", MANY).await;
    quiet(&crafter).await;
    walk_again(&crafter).await;
    assert_eq!(events(&crafter, "ApplicationRoleWithdrawn").await.0, MANY as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_is_offered_again_at_once_is_taken_from_all_who_had_it_before() {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({ "availableRoles": ["R"] })).await;
    crafter.profiles("t", MANY, |_| json!({ "roles": ["R"] })).await;
    crafter.form("tenant/t/roles/remove", &[("role", "R")]).await.answers(200);
    crafter.form("tenant/t/roles/add", &[("role", "R")]).await.answers(200);
    all_have(&crafter, "ApplicationRoleWithdrawn", MANY).await;
    quiet(&crafter).await;
    assert_eq!(count(&crafter, "{roles: 'R'}").await, json!(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_or_taken_since_stays_when_a_walk_comes_late() {
    let crafter = Crafter::start().await;
    let mut filled = attribute("filled", "TEXT");
    filled["defaultValue"] = json!("by default");
    let definitions = json!([attribute("a", "TEXT"), filled]);
    let t = json!({ "availableRoles": ["R"], "attributeDefinitions": definitions });
    crafter.tenant("t", t).await;
    let given = [("attributes", r#"{"a":"old"}"#), ("role", "R")];
    let id = text(&crafter.profile("t", "ada", &given).await["id"]);
    let other = text(&crafter.profile("t", "bob", &given).await["id"]);
    crafter.form("tenant/t/roles/remove", &[("role", "R")]).await.answers(200);
    let remove = "tenant/t/attribute_definitions/remove";
    crafter.form(remove, &[("attributeName", "a")]).await.answers(200);
    crafter.form("tenant/t/roles/add", &[("role", "R")]).await.answers(200);
    let add = "tenant/t/attribute_definitions/add";
    let mut a = attribute("a", "TEXT");
    a["defaultValue"] = json!("by default");
    crafter.json(add, json!([a])).await.answers(200);
    quiet(&crafter).await;
    // Ada is given again what she lost, and rid of what she was given.
    crafter.form(&format!("profile/{id}/roles/add"), &[("role", "R")]).await.answers(200);
    let attributes = format!("profile/{id}/attributes");
    crafter.json(&format!("{attributes}/update"), json!({ "a": "new" })).await.answers(200);
    let gone = [("attributeName", "filled")];
    crafter.form(&format!("{attributes}/remove"), &gone).await.answers(200);
    // Bob changes something else: to keep is not to be given.
    crafter.form(&format!("profile/{other}/roles/add"), &[("role", "S")]).await.answers(200);
    let before = crafter.events(&other).await;
    walk_again(&crafter).await;
    assert_eq!(crafter.events(&other).await, before, "a default given again is not taken first");
    let ada = profile(&crafter, &id).await;
    assert_eq!(ada["roles"], json!(["R"]));
    assert_eq!(ada["attributes"], json!({ "a": "new" }));
    let bob = profile(&crafter, &other).await;
    assert_eq!(bob["roles"], json!(["S"]));
    assert_eq!(bob["attributes"], json!({ "a": "by default", "filled": "by default" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_made_while_a_role_is_withdrawn_may_have_it() {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({ "availableRoles": ["R"] })).await;
    crafter.form("tenant/t/roles/remove", &[("role", "R")]).await.answers(200);
    quiet(&crafter).await;
    // Contract 1: roles of profiles are never checked against those that the tenant offers.
    let made = crafter.profile("t", "ada", &[("role", "R")]).await;
    let begun = Utc::now();
    quiet(&crafter).await;
    let after = profile(&crafter, &text(&made["id"])).await;
    assert_eq!(after["roles"], json!(["R"]));
    assert!(after["createdOn"].as_i64().unwrap() <= begun.timestamp_millis());
}

#[tokio::test(flavor = "multi_thread")]
async fn reactions_are_on_record_as_the_systems_with_what_caused_them() {
    let crafter = Crafter::start().await;
    let root = crafter.api.token("root").await;
    crafter.form("tenant/acme/roles/add", &[("role", "R")]).await.answers(200);
    let id = text(&crafter.profile("acme", "ada", &[("role", "R")]).await["id"]);
    crafter.form("tenant/acme/roles/remove", &[("role", "R")]).await.answers(200);
    let path = format!("/api/v1/profiles/{}/history?order=newest&limit=1", uuid(&id));
    let page = crafter.api.get(&root, &path).await.answers(200);
    let event: BTreeMap<String, Value> = serde_json::from_value(page["events"][0].clone()).unwrap();
    assert_eq!(event["name"], "ApplicationRoleWithdrawn");
    assert_eq!(event["real_actor"]["kind"], "system");
}
