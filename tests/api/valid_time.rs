//! Changes that are recorded later than they became true: who may date them back, and what was true
//! on a day (History contract 1).

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use dossier::domain::profile::{Event, Past};
use dossier::domain::{Area, Event as AnyEvent};

use crate::support::api::{Answer, Api};

const HEADER: &str = "dossier-occurred-at";

async fn rename(api: &Api, token: &str, id: Uuid, name: &str, at: &str) -> Answer {
    let body = json!({ "profiles": [{ "profile_id": id, "name": name }] });
    api.v5_with(token, "update", body, &[(HEADER, at)]).await
}

async fn shown(api: &Api, token: &str, id: Uuid, asked: &str) -> Value {
    api.get(token, &format!("/api/v1/profiles/{id}{asked}")).await.answers(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_true_on_a_day_follows_the_order_of_becoming_true() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let created = json!({ "profiles": [{ "name": "First" }] });
    let headers = [(HEADER, "2001-01-01T00:00:00Z")];
    let created = api.v5_with(&token, "create", created, &headers).await.answers(200);
    let id: Uuid = created["results"][0]["profile_id"].as_str().unwrap().parse().unwrap();
    rename(&api, &token, id, "Third", "2009-03-01T12:00:00+01:00").await.answers(200);
    let before = shown(&api, &token, id, "").await;
    rename(&api, &token, id, "Second", "2005-01-01T00:00:00Z").await.answers(200);
    for (day, state, name, version) in [
        ("2000-12-31T23:59:59.999999Z", "absent", json!(null), 0),
        ("2001-01-01T00:00:00Z", "live", json!("First"), 1),
        ("2005-01-01T00:00:00Z", "live", json!("Second"), 2),
        ("2009-03-01T10:59:59Z", "live", json!("Second"), 2),
        ("2009-03-01T11:00:00Z", "live", json!("Third"), 3),
    ] {
        let answer = shown(&api, &token, id, &format!("?valid_at={day}")).await;
        assert_eq!(answer["state"], state, "{day}");
        assert_eq!(answer["facts"].get("name").cloned().unwrap_or_default(), name, "{day}");
        assert_eq!(answer["version"], version, "{day}");
    }
    let moment = before["moment"]["token"].as_str().unwrap();
    let asked = format!("?valid_at=2006-01-01T00:00:00Z&at={moment}");
    let known = shown(&api, &token, id, &asked).await;
    assert_eq!(known["facts"]["name"], "First", "the second name was not known then");
    let now = shown(&api, &token, id, "").await;
    assert_eq!(now["facts"]["name"], "Second", "states follow the order of recording");
    assert_eq!(now["last_change"]["occurred_at"], "2005-01-01T00:00:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_date_back_changes_of_profiles_and_of_nothing_else() {
    let api = Api::start().await;
    let (mia, day) = (api.id("mia").await, "2020-02-02T00:00:00Z");
    for (who, status) in [("root", 200), ("ada", 200), ("ian", 403), ("mia", 403)] {
        let token = api.token(who).await;
        let answer = rename(&api, &token, mia, &format!("Mia by {who}"), day).await;
        assert_eq!(answer.status, status, "{who}: {}", answer.text);
    }
    let root = api.token("root").await;
    for (at, code) in [
        ("2999-01-01T00:00:00Z", "in_the_future"),
        ("yesterday", "invalid_request"),
        ("", "invalid_request"),
        ("0000-01-01T00:00:00Z", "invalid_request"),
    ] {
        let answer = rename(&api, &root, mia, "Never", at).await;
        assert_eq!(answer.status, 422, "{at}: {}", answer.text);
        if code == "in_the_future" {
            assert!(answer.text.contains("later than now"), "{}", answer.text);
        }
    }
    for (endpoint, body) in [
        ("draft", json!({ "name": "D" })),
        ("emulate", json!({ "target_profile_id": mia })),
        ("unemulate", json!({})),
        ("export", json!({ "filters": {} })),
        ("refresh", json!({})),
    ] {
        let answer = api.v5_with(&root, endpoint, body, &[(HEADER, day)]).await;
        assert_eq!(answer.status, 422, "{endpoint}: {}", answer.text);
        assert!(answer.text.contains("Dossier-Occurred-At"), "{endpoint}: {}", answer.text);
    }
    let (history, body) = (api.events_of(&root, mia).await, json!({ "profile_ids": [mia] }));
    assert_eq!(history.iter().filter(|name| *name == "ProfileRenamed").count(), 2);
    api.v5_with(&root, "delete", body, &[(HEADER, day)]).await.answers(200);
    let deleted = shown(&api, &root, mia, "").await;
    assert_eq!(
        (&deleted["state"], &deleted["last_change"]["occurred_at"]),
        (&json!("deleted"), &json!(day))
    );
    let before = shown(&api, &root, mia, &format!("?valid_at={day}")).await;
    assert_eq!(before["state"], "absent", "it was registered later");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_idempotency_key_stands_for_one_time() {
    let api = Api::start().await;
    let (token, mia) = (api.token("root").await, api.id("mia").await);
    let body = json!({ "profiles": [{ "profile_id": mia, "name": "Once" }] });
    for (at, status) in [
        ("2020-01-01T00:00:00Z", 200),
        ("2020-01-01T00:00:00Z", 200),
        ("2021-01-01T00:00:00Z", 422),
    ] {
        let headers = [(HEADER, at), ("idempotency-key", "k")];
        let answer = api.v5_with(&token, "update", body.clone(), &headers).await;
        assert_eq!(answer.status, status, "{at}: {}", answer.text);
    }
    let names = api.events_of(&token, mia).await;
    assert_eq!(names.iter().filter(|name| *name == "ProfileRenamed").count(), 1);
}

/// Changes of one profile: what, and the year in which it became true, if not now.
fn changes() -> impl Strategy<Value = Vec<(u8, Option<u8>)>> {
    let year = prop::option::of(0_u8..10);
    prop::collection::vec((any::<u8>(), year), 1..16)
}

async fn make(api: &Api, token: &str, changes: &[(u8, Option<u8>)]) -> Uuid {
    let id = api.create(token, json!({ "name": "N" })).await;
    for (what, year) in changes {
        let mut item = match what % 4 {
            0 => json!({ "flag_id": api.flag(what % 8 < 4) }),
            1 if what % 8 < 4 => json!({ "department_ids": [api.department("north")] }),
            1 => json!({ "department_ids": [] }),
            _ => json!({ "name": format!("N{}", what % 7) }),
        };
        item["profile_id"] = json!(id);
        let year = year.map(|year| format!("200{year}-01-01T00:00:00Z"));
        let headers: Vec<(&str, &str)> = year.iter().map(|at| (HEADER, at.as_str())).collect();
        let body = json!({ "profiles": [item] });
        api.v5_with(token, "update", body, &headers).await.answers(200);
    }
    id
}

/// The events of a profile with their two times, oldest first.
async fn events(api: &Api, token: &str, id: Uuid) -> Vec<(Event, Value)> {
    let path = format!("/api/v1/profiles/{id}/history?order=oldest&limit=500");
    let page = api.get(token, &path).await.answers(200);
    let decoded = |entry: &Value| {
        let name = entry["name"].as_str().unwrap();
        match AnyEvent::decode(Area::Profile, name, &entry["payload"].to_string()) {
            Ok(AnyEvent::Profile(event)) => (event, entry.clone()),
            other => panic!("{name}: {other:?}"),
        }
    };
    page["events"].as_array().unwrap().iter().map(decoded).collect()
}

fn time(entry: &Value, which: &str) -> chrono::DateTime<chrono::Utc> {
    entry[which].as_str().unwrap().parse().unwrap()
}

#[test]
fn after_any_history_a_day_is_the_fold_of_what_had_become_true_and_was_known() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let api = runtime.block_on(Api::start());
    let mut runner =
        TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let held = runner.run(&(changes(), 0_u8..10), |(changes, year)| {
        runtime.block_on(async {
            let token = api.token("root").await;
            let id = make(&api, &token, &changes).await;
            let events = events(&api, &token, id).await;
            let day: chrono::DateTime<chrono::Utc> =
                format!("200{year}-01-01T00:00:00Z").parse().unwrap();
            let known = 1 + usize::from(year) % events.len();
            let mut taken: Vec<&(Event, Value)> = events[..known]
                .iter()
                .filter(|(_, entry)| time(entry, "occurred_at") <= day)
                .collect();
            taken.sort_by_key(|(_, entry)| time(entry, "occurred_at"));
            let mut past = Past::default();
            for (event, entry) in &taken {
                past.step(event, entry["version"].as_i64().unwrap(), time(entry, "occurred_at"));
            }
            let asked = format!("?valid_at=200{year}-01-01T00:00:00Z&at_version={known}");
            let shown = shown(&api, &token, id, &asked).await;
            prop_assert_eq!(&shown["state"], past.state.name());
            prop_assert_eq!(shown["version"].as_u64(), Some(taken.len() as u64));
            let name = past.state.live().and_then(|facts| facts.name.as_ref());
            prop_assert_eq!(&shown["facts"]["name"], &json!(name.map(|name| &name.name.0)));
            let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
            let shown = self::shown(&api, &token, id, &format!("?valid_at={now}")).await;
            prop_assert_eq!(shown["version"].as_u64(), Some(events.len() as u64));
            Ok(())
        })
    });
    if let Err(error) = held {
        panic!("{error}");
    }
}
