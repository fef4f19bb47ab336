//! Missing, expired, forged and under-privileged credentials on every documented route.

use chrono::{Duration, Utc};
use dossier::bearer::local::LocalIssuer;
use serde_json::json;
use uuid::Uuid;

use crate::support::api::Api;

/// Every documented (method, path), with something in the place of ids; those of the Crafter
/// Profile face, which asks for other credentials, are in `crafter/permissions.rs`.
pub fn routes() -> Vec<(String, String)> {
    let document = serde_json::to_value(dossier::api::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut routes = Vec::new();
    for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("/api/1/")) {
        for method in item.as_object().unwrap().keys() {
            let id = Uuid::nil().to_string();
            let path = path.replace("{id}", &id).replace("{upload_id}", &id);
            routes.push((method.to_uppercase(), path));
        }
    }
    assert!(routes.len() >= 18, "{routes:?}");
    routes
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_missing_and_wrong_credentials_in_order() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let bearer = format!("Bearer {token}");
    let json = ("content-type", "application/json");
    for (method, path) in routes() {
        let cases: [(&[(&str, &str)], &str); 5] = [
            (&[json], "missing_api_key"),
            (&[json, ("authorization", &bearer)], "missing_api_key"),
            (
                &[json, ("x-api-key", "dossier_wrong"), ("authorization", &bearer)],
                "invalid_api_key",
            ),
            (&[json, ("x-api-key", &api.key)], "missing_token"),
            (&[json, ("x-api-key", &api.key), ("authorization", "Bearer a.b.c")], "invalid_token"),
        ];
        for (headers, code) in cases {
            let answer = api.send_bare(&method, &path, headers, b"{}".to_vec()).await;
            assert_eq!(answer.answers(401)["code"], code, "{method} {path} {headers:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_expired_forged_or_of_nobody_are_refused() {
    let api = Api::start().await;
    let secret = api.engine.secrets.get_or_make("local_issuer").await.unwrap();
    let ours = LocalIssuer::from_secret(&secret).unwrap();
    let theirs = LocalIssuer::from_secret(&[7; 32]).unwrap();
    let (tenant, root, hour) = (api.tenant.0, api.id("root").await, Duration::hours(1));
    let long_ago = Utc::now() - Duration::hours(5);
    let expired = ours.mint(tenant, root, hour, long_ago).unwrap();
    let forged = theirs.mint(tenant, root, hour, Utc::now()).unwrap();
    let elsewhere = ours.mint(Uuid::now_v7(), root, hour, Utc::now()).unwrap();
    for token in [expired, forged, elsewhere] {
        let answer = api.v5(&token, "context", json!({})).await;
        assert_eq!(answer.answers(401)["code"], "invalid_token");
    }
    let nobody = ours.mint(tenant, Uuid::now_v7(), hour, Utc::now()).unwrap();
    let answer = api.v5(&nobody, "context", json!({})).await;
    assert_eq!(answer.answers(401)["code"], "profile_unresolved");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_deleted_profile_finds_nothing_and_may_nothing() {
    let api = Api::start().await;
    let (root, mia) = (api.token("root").await, api.token("mia").await);
    let id = api.id("mia").await;
    api.v5(&root, "delete", json!({ "profile_ids": [id] })).await.answers(200);
    let answer = api.v5(&mia, "context", json!({})).await;
    assert_eq!(answer.answers(404)["code"], "profile_not_found");
    assert_eq!(api.v5(&mia, "search", json!({})).await.answers(403)["code"], "profile_inactive");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_profile_learns_who_it_is_and_no_more() {
    let api = Api::start().await;
    let (root, mia) = (api.token("root").await, api.token("mia").await);
    let item = json!({ "profile_id": api.id("mia").await, "flag_id": api.flag(false) });
    api.v5(&root, "update", json!({ "profiles": [item] })).await.answers(200);
    let context = api.v5(&mia, "context", json!({})).await.answers(200);
    assert_eq!(context["active"], false);
    assert_eq!(api.v5(&mia, "search", json!({})).await.answers(403)["code"], "profile_inactive");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_may_not_create_draft_duplicate_export_refresh_or_read_all_events() {
    let api = Api::start().await;
    let mia = api.token("mia").await;
    let target = json!({ "target_profile_id": api.id("mia").await });
    for (endpoint, body) in [
        ("create", json!({ "profiles": [{ "name": "X" }] })),
        ("draft", json!({ "name": "X" })),
        ("duplicate", target),
        ("export", json!({})),
        ("refresh", json!({})),
    ] {
        let answer = api.v5(&mia, endpoint, body).await;
        assert_eq!(answer.answers(403)["code"], "forbidden", "{endpoint}");
    }
    for path in ["/api/v1/events", "/api/v1/counts"] {
        let answer = api.get(&mia, path).await;
        assert_eq!(answer.answers(403)["code"], "forbidden", "{path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daily_limit_counts_all_but_context_and_leaving_an_emulation() {
    let api = Api::start().await;
    let (root, mia) = (api.token("root").await, api.token("mia").await);
    let draft = api.v5(&root, "draft", json!({ "request_limit": 3 })).await.answers(200);
    let limit = &draft["form_state"]["request_limit_ids"][0];
    let item = json!({ "profile_id": api.id("mia").await, "request_limit_id": limit });
    api.v5(&root, "update", json!({ "profiles": [item] })).await.answers(200);
    for _ in 0..3 {
        api.v5(&mia, "context", json!({})).await.answers(200);
        api.v5(&mia, "unemulate", json!({})).await.answers(200);
        api.v5(&mia, "search", json!({})).await.answers(200);
    }
    let refused = api.v5(&mia, "search", json!({})).await;
    assert_eq!(refused.answers(429)["code"], "request_limit_exceeded");
    let after: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&after));
    api.v5(&mia, "context", json!({})).await.answers(200);
    api.v5(&mia, "unemulate", json!({})).await.answers(200);
}
