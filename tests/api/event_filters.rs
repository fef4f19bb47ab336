//! The events of a tenant, found and counted by all that their envelopes say (History contract 2).

use std::collections::BTreeMap;

use dossier::domain::profile::Past;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::api::Api;

use super::directory_history::{busy, pages, step};

type Wanted = Box<dyn Fn(&Value) -> bool>;

/// Filters, and which events they want.
async fn filters(api: &Api, all: &[Value]) -> Vec<(String, Wanted)> {
    let (root, ada, mia) = (api.id("root").await, api.id("ada").await, api.id("mia").await);
    let is = |field: &'static str, value: String| -> Wanted {
        Box::new(move |event| event[field] == value.as_str())
    };
    let really = |event: &Value, id: Uuid| event["real_actor"]["id"] == json!(id);
    let nested = all.iter().find(|event| event["emulation"].as_array().unwrap().len() == 2);
    let nested = nested.unwrap().clone();
    let text = |field: &str| nested[field].as_str().unwrap().to_owned();
    vec![
        (String::new(), Box::new(|_| true)),
        (format!("stream={mia}"), is("stream_id", mia.to_string())),
        ("area=profile".into(), is("area", "profile".into())),
        ("name=ProfileRenamed".into(), is("name", "ProfileRenamed".into())),
        (
            "name=ProfileRenamed&name=ProfileDeleted".into(),
            Box::new(|event| {
                ["ProfileRenamed", "ProfileDeleted"].contains(&event["name"].as_str().unwrap())
            }),
        ),
        (
            "operation=update&operation=delete&area=profile".into(),
            Box::new(|event| {
                ["update", "delete"].contains(&event["operation"].as_str().unwrap())
                    && event["area"] == "profile"
            }),
        ),
        ("face=v5".into(), is("face", "v5".into())),
        ("channel=mcp".into(), is("channel", "mcp".into())),
        (format!("real_actor={root}"), Box::new(move |event| really(event, root))),
        (format!("effective_actor={mia}"), is("effective_actor_id", mia.to_string())),
        (format!("effective_actor={root}"), is("effective_actor_id", root.to_string())),
        (
            format!("actor={ada}"),
            Box::new(move |event| {
                really(event, ada) || event["emulation"].as_array().unwrap().contains(&json!(ada))
            }),
        ),
        (
            format!("actor={ada}&name=ProfileRenamed"),
            Box::new(move |event| {
                (really(event, ada) || event["emulation"].as_array().unwrap().contains(&json!(ada)))
                    && event["name"] == "ProfileRenamed"
            }),
        ),
        ("emulated=true".into(), Box::new(|event| event["emulation"] != json!([]))),
        (
            "emulated=false&area=profile".into(),
            Box::new(|event| event["emulation"] == json!([]) && event["area"] == "profile"),
        ),
        (format!("grant={}", text("grant_id")), is("grant_id", text("grant_id"))),
        (format!("session={}", text("session_id")), is("session_id", text("session_id"))),
        (format!("request={}", text("request_id")), is("request_id", text("request_id"))),
        (
            format!("correlation={}", text("correlation_id")),
            is("correlation_id", text("correlation_id")),
        ),
    ]
}

/// Filters by changed field and by time, and which events they want.
async fn filters_by_change(api: &Api, all: &[Value]) -> Vec<(String, Wanted)> {
    let mia = api.id("mia").await;
    let middle = all[all.len() / 2]["recorded_at"].as_str().unwrap().to_owned();
    let until = middle.clone();
    let changed = |field: &'static str| -> Wanted {
        Box::new(move |event| {
            event["changes"].as_array().unwrap().iter().any(|one| one["field"] == field)
        })
    };
    let time = |event: &Value, field: &str| {
        event[field].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap()
    };
    let day: chrono::DateTime<chrono::Utc> = "2021-01-01T00:00:00Z".parse().unwrap();
    let instant: chrono::DateTime<chrono::Utc> = middle.parse().unwrap();
    vec![
        ("field=departments".into(), changed("departments")),
        (
            "field=name&field=roles&operation=update".into(),
            Box::new(|event| {
                let changes = event["changes"].as_array().unwrap();
                let wanted = |one: &Value| one["field"] == "name" || one["field"] == "roles";
                changes.iter().any(wanted) && event["operation"] == "update"
            }),
        ),
        (
            format!("field=state&stream={mia}"),
            Box::new(move |event| event["stream_id"] == json!(mia) && event["version"] == 1),
        ),
        ("field=attributes".into(), Box::new(|_| false)),
        (format!("from={middle}"), Box::new(move |event| time(event, "recorded_at") >= instant)),
        (format!("until={until}"), Box::new(move |event| time(event, "recorded_at") < instant)),
        (
            "occurred_until=2021-01-01T00:00:00Z".into(),
            Box::new(move |event| time(event, "occurred_at") < day),
        ),
        (
            "occurred_from=2021-01-01T00:00:00Z&area=draft".into(),
            Box::new(move |event| time(event, "occurred_at") >= day && event["area"] == "draft"),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_of_events_finds_and_counts_just_what_it_says() {
    let (api, token) = busy().await;
    let all = pages(&api, &token, "/api/v1/events?order=oldest", "events").await;
    assert!(all.len() > 40, "{}", all.len());
    let now = all.last().unwrap()["token"].as_str().unwrap().to_owned();
    let mut filters = filters(&api, &all).await;
    filters.extend(filters_by_change(&api, &all).await);
    for (filter, wanted) in filters {
        let expected: Vec<&Value> = all.iter().filter(|event| wanted(event)).collect();
        assert!(!expected.is_empty() || filter == "field=attributes", "{filter}");
        let path = format!("/api/v1/events?order=oldest&{filter}");
        let found = pages(&api, &token, &path, "events").await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter}");
        let newest = pages(&api, &token, &format!("/api/v1/events?{filter}"), "events").await;
        assert_eq!(newest.iter().rev().collect::<Vec<_>>(), expected, "{filter}");
        let counted = api.get(&token, &format!("/api/v1/events/count?at={now}&{filter}")).await;
        let counted = counted.answers(200);
        assert_eq!(counted["count"], expected.len(), "{filter}");
        assert_eq!(counted["moment"]["token"], now.as_str());
    }
    let event = &all[all.len() / 2];
    let path = format!("/api/v1/events/{}", event["event_id"].as_str().unwrap());
    assert_eq!(api.get(&token, &path).await.answers(200), *event);
    for path in [Uuid::new_v4().to_string(), "x".into()] {
        let answer = api.get(&token, &format!("/api/v1/events/{path}")).await;
        assert_eq!(answer.answers(404)["code"], "event_not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_department_are_those_of_profiles_that_belonged_to_it_at_the_time() {
    let (api, token) = busy().await;
    let all = pages(&api, &token, "/api/v1/events?order=oldest&area=profile", "events").await;
    for department in ["north", "south", "west"] {
        let id = json!(api.department(department));
        let mut pasts: BTreeMap<&str, Past> = BTreeMap::new();
        let mut expected = vec![];
        for event in &all {
            let past = pasts.entry(event["stream_id"].as_str().unwrap()).or_default();
            let belongs = |past: &Past| {
                let departments = past.state.live().map(|facts| json!(facts.departments));
                departments.is_some_and(|ids| ids.as_array().unwrap().contains(&id))
            };
            let before = belongs(past);
            step(past, event);
            if before || belongs(past) {
                expected.push(event.clone());
            }
        }
        let path = format!("/api/v1/events?order=oldest&department={}", id.as_str().unwrap());
        let found = pages(&api, &token, &path, "events").await;
        assert_eq!(found, expected, "{department}");
        assert!(!found.is_empty());
    }
}
