//! The History API.

use dossier::catalogue_file;
use dossier::intake::catalogue::{How, apply};
use serde_json::json;

use crate::support::api::{Api, CATALOGUE};

#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_a_person_is_for_that_person_their_editors_and_superadmins() {
    let api = Api::start().await;
    let path = format!("/api/v1/profiles/{}/history", api.id("mia").await);
    for (who, status) in
        [("mia", 200), ("ada", 200), ("ian", 200), ("root", 200), ("sam", 404), ("gil", 404)]
    {
        let token = api.token(who).await;
        assert_eq!(api.get(&token, &path).await.status, status, "{who}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_audits_sees_all_history_and_changes_nothing() {
    let api = Api::start().await;
    let (gil, sam, mia) = (api.token("gil").await, api.token("sam").await, api.id("mia").await);
    let paths = [
        "/api/v1/events".to_owned(),
        "/api/v1/counts".to_owned(),
        format!("/api/v1/profiles/{mia}/history"),
    ];
    for (path, status) in paths.iter().zip([403, 403, 404]) {
        assert_eq!(api.get(&gil, path).await.status, status, "{path}");
    }
    let file = CATALOGUE.replace("name = \"Guest\",", "name = \"Guest\", audits = true,");
    let file = catalogue_file::parse(&file).unwrap();
    let how = How { dry_run: false, prune: false, folder: ".".into() };
    apply(&api.engine, &file, &how).await.unwrap();
    for (path, status) in paths.iter().zip([403, 403, 404]) {
        assert_eq!(api.get(&gil, path).await.status, 200, "{path}");
        assert_eq!(api.get(&sam, path).await.status, status, "{path}");
    }
    let item = json!({ "profile_id": mia, "name": "Mia by an auditor" });
    let answer = api.v5(&gil, "update", json!({ "profiles": [item] })).await.answers(200);
    assert_eq!(answer["results"][0]["success"], false, "{answer}");
    let missing = format!("/api/v1/profiles/{}/history", uuid::Uuid::new_v4());
    assert_eq!(api.get(&gil, &missing).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_join_up_in_both_orders_without_gap_or_repeat() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let id = api.create(&token, json!({ "name": "N0" })).await;
    for n in 1..=7 {
        let item = json!({ "profile_id": id, "name": format!("N{n}") });
        api.v5(&token, "update", json!({ "profiles": [item] })).await.answers(200);
    }
    for (base, order) in [
        (format!("/api/v1/profiles/{id}/history"), "newest"),
        (format!("/api/v1/profiles/{id}/history"), "oldest"),
        (format!("/api/v1/events?stream={id}"), "newest"),
        (format!("/api/v1/events?stream={id}"), "oldest"),
    ] {
        let join = if base.contains('?') { '&' } else { '?' };
        let (mut versions, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("{base}{join}order={order}&limit=3{cursor}");
            let page = api.get(&token, &path).await.answers(200);
            let events = page["events"].as_array().unwrap().iter();
            versions.extend(events.map(|event| event["version"].as_i64().unwrap()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut expected: Vec<i64> = (1..=8).collect();
        if order == "newest" {
            expected.reverse();
        }
        assert_eq!(versions, expected, "{base} {order}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_events_are_found_by_any_part_of_their_envelope() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let (root, mia) = (api.id("root").await, api.id("mia").await);
    api.v5(&token, "emulate", json!({ "target_profile_id": mia })).await.answers(200);
    let item = json!({ "profile_id": mia, "name": "Mia Again" });
    let headers = [("dossier-reason", "asked by phone"), ("x-mcp", "1")];
    let update = json!({ "profiles": [item] });
    let answer = api.v5_with(&token, "update", update, &headers).await;
    answer.answers(200);
    api.v5(&token, "unemulate", json!({})).await.answers(200);
    for filter in [
        "name=ProfileRenamed".to_owned(),
        "operation=update".to_owned(),
        format!("real_actor={root}&operation=update"),
        format!("effective_actor={mia}&name=ProfileRenamed"),
        format!("stream={mia}&name=ProfileRenamed&from=2020-01-01T00:00:00Z"),
    ] {
        let page = api.get(&token, &format!("/api/v1/events?{filter}")).await.answers(200);
        let events = page["events"].as_array().unwrap();
        assert_eq!(events.len(), 1, "{filter}: {page}");
        assert_eq!(events[0]["reason"], "asked by phone");
        assert_eq!(events[0]["channel"], "mcp");
        assert_eq!(events[0]["face"], "v5");
    }
    let none = api.get(&token, "/api/v1/events?until=2020-01-01T00:00:00Z").await.answers(200);
    assert_eq!(none["events"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_cursor_or_position_is_refused_and_one_from_the_future_too() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let answer = api.get(&token, "/api/v1/events?cursor=AAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(answer.answers(422)["code"], "invalid_cursor");
    let future = api.engine.seal_position(api.tenant, 1_000_000);
    let headers = [("dossier-min-position", future.as_str())];
    let answer = api.v5_with(&token, "search", json!({}), &headers).await;
    assert_eq!(answer.answers(409)["code"], "position_ahead");
}
