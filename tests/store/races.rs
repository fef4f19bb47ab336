//! Races on one stream, one claim, one draft and one emulation stack, from many tasks and from two
//! servers on one database.

use std::sync::Arc;

use dossier::projections::names;
use dossier::store::Error;
use futures_util::future::join_all;
use serde_json::json;
use uuid::Uuid;

use super::append::{Log, one, stream};
use crate::support::api::Api;
use crate::support::database::database;

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_expect_the_same_version_one_wins() {
    let database = database().await;
    let logs = [Log::on(&database).await, Log::on(&database).await];
    let stream = stream();
    for version in 0..10 {
        let appends = (0..40).map(|n| logs[n % 2].append(one(stream, version)));
        let done = join_all(appends).await;
        let won = done.iter().filter(|done| done.is_ok()).count();
        let conflicts = done.iter().filter(|done| matches!(done, Err(Error::Conflict(_)))).count();
        assert_eq!((won, conflicts), (1, 39), "at version {version}");
    }
    assert_eq!(logs[0].reader.broken_promises().await.unwrap(), Vec::<String>::new());
}

/// Two servers on one database.
async fn two() -> [Arc<Api>; 2] {
    let database = database().await;
    let first = Api::on(database.clone()).await;
    let second = Api::on(database).await;
    [Arc::new(first), Arc::new(second)]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_server_wrote_the_other_reads_at_once() {
    let apis = two().await;
    let token = apis[0].token("root").await;
    for n in 0..20 {
        let (writer, reader) = (&apis[n % 2], &apis[(n + 1) % 2]);
        let id = writer.create(&token, json!({ "name": format!("Person {n}") })).await;
        let form = reader.v5(&token, "get", json!({ "target_profile_id": id })).await;
        assert_eq!(form.answers(200)["names"]["resource"]["name"], format!("Person {n}"));
        let found = reader.v5(&token, "search", json!({ "search": format!("person {n}") })).await;
        let found = found.answers(200);
        assert!(found["total_count"].as_i64().unwrap() >= 1, "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_goes_to_one_of_many_across_two_servers() {
    let apis = two().await;
    let token = apis[0].token("root").await;
    let email = apis[0].email(&token, "wanted@acme.example").await;
    let creates = (0..24).map(|n| {
        let (api, token, email) = (apis[n % 2].clone(), token.clone(), email.clone());
        async move {
            let item = json!({ "name": format!("P{n}"), "email_ids": [email] });
            api.v5(&token, "create", json!({ "profiles": [item] })).await
        }
    });
    let answers = join_all(creates).await;
    let results = answers.iter().map(|answer| answer.json()["results"][0]["success"] == true);
    assert_eq!(results.filter(|won| *won).count(), 1, "{answers:?}");
    for answer in &answers {
        assert!([200, 409].contains(&answer.status.as_u16()), "{answer:?}");
    }
    for api in &apis {
        let report = api.engine.replay(None, &names(), false, &|_| {}).await.unwrap();
        assert!(report.is_clean(), "{report:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_saves_of_one_draft_version_one_wins() {
    let apis = two().await;
    let token = apis[0].token("root").await;
    let draft = apis[0].v5(&token, "draft", json!({ "name": "First" })).await.answers(200);
    let id = draft["draft_id"].as_str().unwrap();
    let saves = (0..20).map(|n| {
        let body =
            json!({ "input_draft_id": id, "expected_version": 1, "name": format!("Save {n}") });
        apis[n % 2].v5(&token, "draft", body)
    });
    let answers = join_all(saves).await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    let lost = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!((won, lost), (1, 19), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raced_emulation_stack_keeps_its_chain_and_each_exit_leaves_one_layer() {
    let apis = two().await;
    let token = apis[0].token("root").await;
    let names = ["ada", "ian", "mia", "sam", "gil"];
    let ids = join_all(names.iter().map(|name| apis[0].id(name))).await;
    let emulates = (0..20).map(|n| {
        let body = json!({ "target_profile_id": ids[n % ids.len()] });
        apis[n % 2].v5(&token, "emulate", body)
    });
    for answer in join_all(emulates).await {
        assert!([200, 409].contains(&answer.status.as_u16()), "{answer:?}");
    }
    let context = apis[0].v5(&token, "context", json!({})).await.answers(200);
    let depth = context["emulation_depth"].as_i64().unwrap();
    assert!((1..=5).contains(&depth), "{context}");
    let exits = (0..depth).map(|n| apis[n as usize % 2].v5(&token, "unemulate", json!({})));
    let mut left = 0;
    for answer in join_all(exits).await {
        assert!([200, 409].contains(&answer.status.as_u16()), "{answer:?}");
        left += i64::from(answer.json()["ok"] == true);
    }
    let context = apis[1].v5(&token, "context", json!({})).await.answers(200);
    assert_eq!(context["emulation_depth"], depth - left);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_repeated_under_one_idempotency_key_happens_once() {
    let apis = two().await;
    let token = apis[0].token("root").await;
    let body = json!({ "profiles": [{ "name": "Once" }] });
    let key = Uuid::now_v7().to_string();
    let headers = [("idempotency-key", key.as_str())];
    let creates = (0..12).map(|n| apis[n % 2].v5_with(&token, "create", body.clone(), &headers));
    let answers = join_all(creates).await;
    let first = answers[0].json()["results"][0]["profile_id"].clone();
    assert!(first.is_string(), "{answers:?}");
    for answer in &answers {
        assert_eq!(answer.answers(200)["results"][0]["profile_id"], first);
    }
    let found = apis[0].v5(&token, "search", json!({ "search": "once" })).await.answers(200);
    assert_eq!(found["total_count"], 1);
}
