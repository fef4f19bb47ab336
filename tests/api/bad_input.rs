//! No input yields a 5xx, and none that is refused changes anything.

use serde_json::{Value, json};

use super::credentials::routes;
use crate::support::api::Api;

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_refused_on_every_route_and_changes_nothing() {
    let api = Api::start().await;
    let token = api.token("root").await;
    api.v5(&token, "context", json!({})).await.answers(200);
    let head = api.engine.head().await.unwrap();
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let bodies: Vec<Vec<u8>> = vec![
        b"{".to_vec(),
        b"[]".to_vec(),
        b"7".to_vec(),
        b"\xff\xfe".to_vec(),
        b"{\"search\": \"a\\u0000b\", \"profiles\": [{\"name\": \"a\\u0000b\"}]}".to_vec(),
        b"{} {}".to_vec(),
        deep.into_bytes(),
    ];
    for (method, path) in routes() {
        if method == "GET" {
            continue;
        }
        for body in &bodies {
            let json = [("content-type", "application/json")];
            let answer = api.send(&method, &path, Some(&token), &json, body.clone()).await;
            let told = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            assert_eq!(answer.status, 422, "{method} {path} {told}: {}", answer.text);
            assert!(answer.json()["detail"][0]["loc"].is_array(), "{}", answer.text);
        }
    }
    let surrogate = b"{\"profiles\": [{\"name\": \"\\ud800\"}]}".to_vec();
    let (path, json) =
        ("/api/v5/artifacts/profiles/create", [("content-type", "application/json")]);
    let answer = api.send("POST", path, Some(&token), &json, surrogate).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert_eq!(api.engine.head().await.unwrap(), head);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_of_what_is_wrong_is_named() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let cases = [
        ("update", json!({ "profiles": [{}] }), json!(["body", "profiles", 0, "profile_id"])),
        (
            "update",
            json!({ "profiles": [{ "profile_id": "x" }] }),
            json!(["body", "profiles", 0, "profile_id"]),
        ),
        ("create", json!({}), json!(["body", "profiles"])),
        ("search", json!({ "page_size": 101 }), json!(["body", "page_size"])),
        ("search", json!({ "page_offset": -1 }), json!(["body", "page_offset"])),
        (
            "emulate",
            json!({ "target_profile_id": api.tenant, "ttl_minutes": 481 }),
            json!(["body", "ttl_minutes"]),
        ),
    ];
    for (endpoint, body, place) in cases {
        let answer = api.v5(&token, endpoint, body).await.answers(422);
        assert_eq!(answer["detail"][0]["loc"], place, "{endpoint}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_with_a_body_is_named_at_once() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let places = async |endpoint: &str, body: Value| -> Vec<Value> {
        let answer = api.v5(&token, endpoint, body).await.answers(422);
        let told = answer["detail"].as_array().unwrap();
        assert!(told.iter().all(|one| one["msg"].is_string() && one["type"].is_string()));
        told.iter().map(|one| one["loc"].clone()).collect()
    };
    let search = json!({
        "search": "x".repeat(201), "cohort_ids": vec![api.tenant; 1_001], "role_filter": 7,
        "filter_department_ids": ["x", api.tenant, 5], "page_size": 101, "page_offset": -1,
    });
    let mut found = places("search", search).await;
    found.sort_by_key(Value::to_string);
    let all = json!([
        ["body", "cohort_ids"],
        ["body", "filter_department_ids", 0],
        ["body", "filter_department_ids", 2],
        ["body", "page_offset"],
        ["body", "page_size"],
        ["body", "role_filter"],
        ["body", "search"],
    ]);
    assert_eq!(json!(found), all);
    let update = json!({ "profiles": [{ "name": 1 }, { "profile_id": api.tenant }, 3] });
    let mut found = places("update", update).await;
    found.sort_by_key(Value::to_string);
    let all = json!([
        ["body", "profiles", 0, "name"],
        ["body", "profiles", 0, "profile_id"],
        ["body", "profiles", 2],
    ]);
    assert_eq!(json!(found), all);
    let found = places("emulate", json!({ "ttl_minutes": 481 })).await;
    assert_eq!(found.len(), 2, "{found:?}");
    let many = places("delete", json!({ "profile_ids": vec![1; 5_000] })).await;
    assert_eq!(many.len(), 100, "no more than a hundred");
    // A mistake that no schema tells is told all the same.
    let twice = b"{\"page_size\": 5, \"page_size\": 5, \"search\": 5}".to_vec();
    let json = [("content-type", "application/json")];
    let path = "/api/v5/artifacts/profiles/search";
    let answer = api.send("POST", path, Some(&token), &json, twice).await.answers(422);
    assert_eq!(answer["detail"].as_array().unwrap().len(), 2, "{answer}");
    assert_eq!(answer["detail"][0]["loc"], json!(["body"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_media_types_and_sizes_get_the_faces_own_form() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let path = "/api/v5/artifacts/profiles/search";
    let answer = api.send("GET", path, Some(&token), &[], vec![]).await;
    assert_eq!(answer.answers(405)["code"], "method_not_allowed");
    assert!(answer.headers.contains_key("allow"));
    let plain = [("content-type", "text/plain")];
    let answer = api.send("POST", path, Some(&token), &plain, b"{}".to_vec()).await;
    assert_eq!(answer.answers(415)["code"], "unsupported_media_type");
    let json = [("content-type", "application/json")];
    let large = vec![b' '; (1 << 20) + 1];
    let answer = api.send("POST", path, Some(&token), &json, large).await;
    assert_eq!(answer.answers(413)["code"], "body_too_large");
    let answer = api.send("POST", "/api/v5/nothing", Some(&token), &json, vec![]).await;
    assert_eq!(answer.answers(404)["code"], "not_found");
    let answer = api.get(&token, "/api/v1/nothing").await;
    assert_eq!(answer.answers(404)["status"], 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_more_than_a_hundred_is_refused_whole() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let items = |count: usize| -> Vec<Value> {
        (0..count).map(|n| json!({ "name": format!("P{n}") })).collect()
    };
    let answer = api.v5(&token, "create", json!({ "profiles": items(101) })).await;
    assert_eq!(answer.answers(413)["code"], "batch_too_large");
    let answer = api.v5(&token, "create", json!({ "profiles": items(100) })).await.answers(200);
    assert_eq!(answer["results"].as_array().unwrap().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_beyond_their_bound_are_told_to_come_again_and_small_ones_go_on() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let person = json!({ "profiles": [{ "name": "Small" }] });
    let large = format!("{}{person}", " ".repeat(65_537)).into_bytes();
    let path = "/api/v5/artifacts/profiles/create";
    let json = [("content-type", "application/json")];
    for places in [&api.app.large_bodies, &api.app.large_requests] {
        let every = u32::try_from(places.available_permits()).unwrap();
        let taken = places.clone().try_acquire_many_owned(every).unwrap();
        let head = api.engine.head().await.unwrap();
        let refused = api.send("POST", path, Some(&token), &json, large.clone()).await;
        assert_eq!(refused.status, 503, "{}", refused.text);
        assert!(refused.headers.contains_key("retry-after"));
        assert_eq!(api.engine.head().await.unwrap(), head);
        api.v5(&token, "create", person.clone()).await.answers(200);
        drop(taken);
        api.send("POST", path, Some(&token), &json, large.clone()).await.answers(200);
        assert_eq!(places.available_permits(), every as usize, "each place is given back");
    }
}
