//! Context, get, docs, tags and refresh (contract 4.1, 4.2, 4.10, 4.14).

use serde_json::json;

use crate::support::api::Api;

#[tokio::test(flavor = "multi_thread")]
async fn the_context_tells_role_sections_and_theme() {
    let api = Api::start().await;
    let ada = api.token("ada").await;
    let context = api.v5(&ada, "context", json!({})).await.answers(200);
    assert_eq!(context["role"], "admin");
    assert_eq!(context["available_sections"], json!(["home", "management"]));
    assert_eq!(context["scoped_roles"], json!(["guest", "instructional", "member"]));
    assert_eq!(context["theme"]["primary"], "#102030");
    assert_eq!(context["theme"]["chart5"], json!(null));
    assert_eq!(context["role_resources"].as_array().unwrap().len(), 6);
    let other = json!({ "department_id": api.department("south") });
    let answer = api.v5(&ada, "context", other.clone()).await;
    assert_eq!(answer.answers(403)["code"], "department_forbidden");
    let root = api.token("root").await;
    let context = api.v5(&root, "context", other).await.answers(200);
    assert!(context["settings_id"].is_string());
    assert_eq!(context["theme"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_of_a_new_profile_is_empty_and_says_who_may_fill_it() {
    let api = Api::start().await;
    for (who, may) in [("root", true), ("ada", true), ("ian", false), ("gil", false)] {
        let token = api.token(who).await;
        let form = api.v5(&token, "get", json!({})).await.answers(200);
        assert_eq!(form["profile_exists"], false);
        assert_eq!(form["can_edit"], may, "{who}");
        assert_eq!(form["disabled_reason"].is_null(), may);
        assert_eq!(form["names"]["resource"], json!(null));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_held_already_is_not_sent_again_until_something_changes() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let mia = api.id("mia").await;
    let body = json!({ "target_profile_id": mia });
    let first = api.v5(&token, "get", body.clone()).await;
    assert_eq!(first.headers["x-cache-tags"], "profiles");
    let etag = first.headers["etag"].to_str().unwrap().to_owned();
    let held = [("if-none-match", etag.as_str())];
    assert_eq!(api.v5_with(&token, "get", body.clone(), &held).await.status, 304);
    let bypass = [("if-none-match", etag.as_str()), ("x-bypass-cache", "1")];
    assert_eq!(api.v5_with(&token, "get", body.clone(), &bypass).await.status, 200);
    let item = json!({ "profile_id": mia, "name": "Changed" });
    api.v5(&token, "update", json!({ "profiles": [item] })).await.answers(200);
    assert_eq!(api.v5_with(&token, "get", body, &held).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_mends_rows_that_differ_and_puts_it_on_record() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let clean = api.v5(&token, "refresh", json!({})).await.answers(200);
    assert_eq!(clean["success"], true);
    assert_eq!(
        clean["refreshed_views"],
        json!(["profiles_view", "profile_search", "profile_counts", "profile_drafts_view"])
    );
    assert_eq!(clean["invalidated_tags"], json!(["profiles", "artifacts"]));
    let client = api.engine.connection().await.unwrap();
    for tampering in [
        "update profiles_view set name = 'Nobody' where name = 'Mia North'",
        "update profile_search set name = 'nobody' where name = 'Mia North'",
        "delete from profiles_view where name = 'Sam South'",
        "update profile_counts set profiles = 99 where dimension = 'role' and key = 'member'",
        "insert into profile_search select tenant_id, gen_random_uuid(), version, 'ghost', \
         username, attributes, email_keys, role_keys, department_ids, true from profile_search limit 1",
    ] {
        client.batch_execute(tampering).await.unwrap();
    }
    drop(client);
    api.v5(&token, "refresh", json!({})).await.answers(200);
    let page = api.get(&token, "/api/v1/events?name=ReadModelsRefreshed&limit=1").await;
    let page = page.answers(200);
    let differing = &page["events"][0]["payload"]["rows_differing"];
    assert_eq!(differing["profiles_view"], 2, "{page}");
    assert_eq!(differing["profile_search"], 2, "{page}");
    assert_eq!(differing["profile_counts"], 1, "{page}");
    let report = api.engine.replay(None, &dossier::projections::names(), false, &|_| {}).await;
    assert!(report.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_finds_and_removes_values_that_no_event_carries() {
    let api = Api::start().await;
    let client = api.engine.connection().await.unwrap();
    let forged = "insert into shared_values
        select tenant_id, gen_random_uuid(), kind, 'forged' from shared_values limit 3";
    client.batch_execute(forged).await.unwrap();
    let names = ["shared_values"];
    for (mend, differing) in [(false, 3), (true, 3), (false, 0)] {
        let report = api.engine.replay(None, &names, mend, &|_| {}).await.unwrap();
        assert_eq!(report.differing["shared_values"], differing);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_lists_all_fourteen_operations() {
    let api = Api::start().await;
    let token = api.token("gil").await;
    let docs = api.v5(&token, "docs", json!({ "entity_id": api.id("gil").await })).await;
    let docs = docs.answers(200);
    assert_eq!(docs["api_operations"].as_array().unwrap().len(), 14);
    let title = docs["page_metadata"]["detail"]["title"].as_str().unwrap();
    assert!(title.starts_with("Gil "), "{title}");
}
