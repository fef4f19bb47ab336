//! Drafts (contract 4.7, 4.8).

use serde_json::json;

use crate::support::api::Api;

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_the_whole_form_and_moves_by_versions() {
    let api = Api::start().await;
    let token = api.token("ada").await;
    let first = json!({ "name": "Eve", "email": "eve@acme.example", "request_limit": 7,
        "role_ids": [api.role("member")], "flag_id": api.flag(false) });
    let saved = api.v5(&token, "draft", first).await.answers(200);
    assert_eq!(saved["new_version"], 1);
    assert_eq!(saved["form_state"]["request_limit_ids"].as_array().unwrap().len(), 1);
    let second = json!({ "input_draft_id": saved["draft_id"], "expected_version": 1, "name": "E" });
    let saved = api.v5(&token, "draft", second).await.answers(200);
    assert_eq!(saved["new_version"], 2);
    assert_eq!(saved["form_state"]["email_ids"], json!([]));
    let listed = api.v5(&token, "drafts", json!({})).await.answers(200);
    assert_eq!(listed["entries"].as_array().unwrap().len(), 1);
    assert_eq!(listed["entries"][0]["version"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_save_is_repeated_safely_and_a_stale_one_gets_the_current_state() {
    let api = Api::start().await;
    let token = api.token("ada").await;
    let draft = api.v5(&token, "draft", json!({ "name": "A" })).await.answers(200);
    let id = &draft["draft_id"];
    let save = json!({ "input_draft_id": id, "expected_version": 1, "name": "B" });
    for _ in 0..2 {
        let saved = api.v5(&token, "draft", save.clone()).await.answers(200);
        assert_eq!(saved["new_version"], 2);
    }
    let stale = json!({ "input_draft_id": id, "expected_version": 1, "name": "C" });
    let refused = api.v5(&token, "draft", stale).await.answers(409);
    assert_eq!(refused["code"], "draft_version_conflict");
    assert_eq!(refused["current_version"], 2);
    assert_eq!(refused["draft_id"], *id);
    assert!(refused["form_state"]["name_id"].is_string());
    let new = api.v5(&token, "draft", json!({ "expected_version": 3 })).await;
    assert_eq!(new.answers(409)["code"], "draft_version_conflict");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_draft_is_not_there() {
    let api = Api::start().await;
    let (ada, root) = (api.token("ada").await, api.token("root").await);
    let draft = api.v5(&ada, "draft", json!({ "name": "A" })).await.answers(200);
    let save = json!({ "input_draft_id": draft["draft_id"], "expected_version": 1 });
    assert_eq!(api.v5(&root, "draft", save).await.answers(404)["code"], "draft_not_found");
    let form = json!({ "draft_id": draft["draft_id"] });
    assert_eq!(api.v5(&root, "get", form.clone()).await.answers(404)["code"], "draft_not_found");
    let form = api.v5(&ada, "get", form).await.answers(200);
    assert_eq!(form["draft_version"], 1);
    assert_eq!(form["names"]["resource"]["name"], "A");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_nothing_and_impossible_values_are_named() {
    let api = Api::start().await;
    let token = api.token("ada").await;
    let nothing = uuid::Uuid::now_v7();
    let body = json!({ "name_id": nothing, "role_ids": [nothing], "flag_id": nothing });
    let answer = api.v5(&token, "draft", body).await.answers(400);
    assert_eq!(answer["code"], "invalid_reference");
    assert_eq!(answer["errors"].as_array().unwrap().len(), 3);
    let body = json!({ "email": "nobody", "request_limit": 0 });
    let answer = api.v5(&token, "draft", body).await.answers(400);
    assert_eq!(answer["code"], "invalid_value");
    assert_eq!(answer["errors"].as_array().unwrap().len(), 2);
}
