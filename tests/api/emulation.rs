//! Acting as others over HTTP (contract 4.11, 4.12): that the rules of the domain are wired, and
//! that the whole chain is on record.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::api::Api;

async fn emulate(api: &Api, token: &str, target: Uuid) -> Value {
    api.v5(token, "emulate", json!({ "target_profile_id": target })).await.answers(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_acts_as_another_until_leaving_and_both_are_on_record() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let (root, ada, mia) = (api.id("root").await, api.id("ada").await, api.id("mia").await);
    assert_eq!(emulate(&api, &token, ada).await["allowed"], true);
    assert_eq!(emulate(&api, &token, mia).await["allowed"], true);
    let context = api.v5(&token, "context", json!({})).await.answers(200);
    assert_eq!(context["id"], mia.to_string());
    assert_eq!(context["emulation_depth"], 2);
    let item = json!({ "profile_id": mia, "name": "Mia Renamed" });
    let answer = api.v5(&token, "update", json!({ "profiles": [item] })).await.answers(200);
    assert_eq!(answer["results"][0]["success"], true, "{answer}");
    for depth in [1, 0] {
        assert_eq!(api.v5(&token, "unemulate", json!({})).await.answers(200)["ok"], true);
        let context = api.v5(&token, "context", json!({})).await.answers(200);
        assert_eq!(context["emulation_depth"], depth);
    }
    let left = api.v5(&token, "unemulate", json!({})).await.answers(200);
    assert_eq!(left, json!({ "ok": false, "reason": "not_emulating" }));
    let history = api.get(&token, &format!("/api/v1/profiles/{mia}/history")).await.answers(200);
    let renamed = &history["events"][0];
    assert_eq!(renamed["name"], "ProfileRenamed");
    assert_eq!(renamed["real_actor"]["id"], root.to_string());
    assert_eq!(renamed["effective_actor_id"], mia.to_string());
    assert_eq!(renamed["emulation"], json!([ada, mia]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emulation_belongs_to_one_session_only() {
    let api = Api::start().await;
    let (one, other) = (api.token("root").await, api.token("root").await);
    emulate(&api, &one, api.id("mia").await).await;
    let context = api.v5(&other, "context", json!({})).await.answers(200);
    assert_eq!(context["is_emulation"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_why_with_200_and_is_on_record() {
    let api = Api::start().await;
    let token = api.token("ada").await;
    let cases = [
        (Uuid::now_v7(), "target_not_found"),
        (api.id("sam").await, "target_not_found"),
        (api.id("ada").await, "self"),
    ];
    for (target, reason) in cases {
        let answer = emulate(&api, &token, target).await;
        let refused =
            json!({ "allowed": false, "reason": reason, "grant_id": null, "expires_at": null });
        assert_eq!(answer, refused);
    }
    let root = api.token("root").await;
    let answer = emulate(&api, &token, api.id("root").await).await;
    assert_eq!(answer["reason"], "role_not_allowed");
    let page = api.get(&root, "/api/v1/events?name=EmulationRefused").await.answers(200);
    assert_eq!(page["events"].as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_dies_with_its_targets_activity_and_the_reaction_puts_it_on_record() {
    let api = Api::start().await;
    let (root, ada) = (api.token("root").await, api.token("ada").await);
    let mia = api.id("mia").await;
    assert_eq!(emulate(&api, &ada, mia).await["allowed"], true);
    let item = json!({ "profile_id": mia, "flag_id": api.flag(false) });
    api.v5(&root, "update", json!({ "profiles": [item] })).await.answers(200);
    let context = api.v5(&ada, "context", json!({})).await.answers(200);
    assert_eq!(context["emulation_depth"], 0);
    let path = "/api/v1/events?name=EmulationRevoked";
    let revoked = async {
        loop {
            let page = api.get(&root, path).await.answers(200);
            if let Some(event) = page["events"].as_array().unwrap().first() {
                break event.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    let revoked = tokio::time::timeout(std::time::Duration::from_secs(20), revoked).await.unwrap();
    assert_eq!(revoked["payload"]["reason"], "target_inactive");
    assert_eq!(revoked["real_actor"]["kind"], "system");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_acts_as_another_changes_neither_its_log_in_nor_its_roles() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let ada = api.id("ada").await;
    let email = api.email(&token, "new@acme.example").await;
    emulate(&api, &token, ada).await;
    for (field, value) in [("email_ids", json!([email])), ("role_ids", json!([api.role("member")]))]
    {
        let item = json!({ "profile_id": ada, field: value });
        let answer = api.v5(&token, "update", json!({ "profiles": [item] })).await.answers(200);
        assert_eq!(answer["results"][0]["errors"][0]["field"], field, "{answer}");
    }
    for id in [ada, api.id("root").await] {
        let answer = api.v5(&token, "delete", json!({ "profile_ids": [id] })).await.answers(200);
        assert_eq!(answer["results"][0]["success"], false, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_died_once_never_comes_back_to_life() {
    let api = Api::start().await;
    let (root, ada) = (api.token("root").await, api.token("ada").await);
    let mia = api.id("mia").await;
    assert_eq!(emulate(&api, &ada, mia).await["allowed"], true);
    for active in [false, true] {
        let item = json!({ "profile_id": mia, "flag_id": api.flag(active) });
        api.v5(&root, "update", json!({ "profiles": [item] })).await.answers(200);
    }
    // Nobody asked in between: the reaction judges by what the event left behind.
    let ended = async {
        loop {
            let context = api.v5(&ada, "context", json!({})).await.answers(200);
            if context["emulation_depth"] == 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), ended).await.unwrap();
    assert_eq!(emulate(&api, &ada, mia).await["allowed"], true);
    let context = api.v5(&ada, "context", json!({})).await.answers(200);
    assert_eq!(context["emulation_depth"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_that_died_is_put_on_record_while_others_race_for_its_target() {
    let api = Api::start().await;
    let (root, mia) = (api.token("root").await, api.id("mia").await);
    let mut sessions = Vec::new();
    for _ in 0..8 {
        let ada = api.token("ada").await;
        assert_eq!(emulate(&api, &ada, mia).await["allowed"], true);
        sessions.push(ada);
    }
    for active in [false, true] {
        let item = json!({ "profile_id": mia, "flag_id": api.flag(active) });
        api.v5(&root, "update", json!({ "profiles": [item] })).await.answers(200);
    }
    // What the reactions judge by moves all the time.
    let rename = |n: usize| {
        let item = json!({ "profile_id": mia, "name": format!("Mia {n}") });
        api.v5(&root, "update", json!({ "profiles": [item] }))
    };
    let racers = (0..16).map(async |racer| {
        for n in 0..25 {
            rename(racer * 25 + n).await;
        }
    });
    futures_util::future::join_all(racers).await;
    // Issue 8: a conflict was taken for done, and the layer came back to life.
    for session in sessions {
        let ended = async {
            while api.v5(&session, "context", json!({})).await.answers(200)["emulation_depth"] != 0
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), ended).await.unwrap();
    }
}
