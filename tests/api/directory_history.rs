//! The directory through time: who held what at any moment, and in which periods (History
//! contract 2).

use std::collections::{BTreeMap, BTreeSet};

use dossier::catalogue_file;
use dossier::domain::profile::{Past, State};
use dossier::domain::{Area, Event};
use dossier::intake::catalogue::{How, apply};
use serde_json::{Value, json};

use crate::support::api::{Api, CATALOGUE};

/// A directory in which people of several roles acted as themselves and as others, over two
/// channels, on profiles, drafts and exports.
pub(super) async fn busy() -> (Api, String) {
    let api = Api::start().await;
    let root = api.token("root").await;
    let mut ids = vec![];
    for n in 0..6 {
        let department = if n % 2 == 0 { "north" } else { "south" };
        let role = if n % 3 == 0 { "member" } else { "guest" };
        let item = json!({
            "name": format!("P{n}"),
            "department_ids": [api.department(department)],
            "role_ids": [api.role(role)],
        });
        ids.push(api.create(&root, item).await);
    }
    api.v5(&root, "emulate", json!({ "target_profile_id": api.id("ada").await })).await;
    api.v5(&root, "emulate", json!({ "target_profile_id": api.id("mia").await })).await;
    let item = json!({ "profile_id": api.id("mia").await, "name": "Mia as Mia" });
    let headers = [("x-mcp", "1"), ("dossier-reason", "asked by phone")];
    api.v5_with(&root, "update", json!({ "profiles": [item] }), &headers).await;
    api.v5(&root, "unemulate", json!({})).await;
    let item = json!({ "profile_id": ids[0], "name": "P0 by Ada" });
    api.v5(&root, "update", json!({ "profiles": [item] })).await;
    api.v5(&root, "unemulate", json!({})).await;
    let ada = api.token("ada").await;
    for (n, id) in ids.iter().enumerate() {
        let item = match n {
            0 => json!({ "department_ids": [api.department("west")] }),
            1 => json!({ "role_ids": [api.role("member"), api.role("guest")] }),
            2 => json!({ "role_ids": [] }),
            3 => json!({ "flag_id": api.flag(false) }),
            4 => json!({ "department_ids": [api.department("south"), api.department("north")] }),
            _ => json!({ "name": "P5 again", "request_limit": 5 }),
        };
        let mut item = item;
        item["profile_id"] = json!(id);
        let token = if n == 4 { &ada } else { &root };
        api.v5(token, "update", json!({ "profiles": [item] })).await.answers(200);
    }
    let old = [("dossier-occurred-at", "2020-01-01T00:00:00Z")];
    let item = json!({ "profile_id": ids[5], "flag_id": api.flag(false) });
    api.v5_with(&root, "update", json!({ "profiles": [item] }), &old).await.answers(200);
    api.v5(&root, "delete", json!({ "profile_ids": [ids[3], ids[4]] })).await.answers(200);
    api.v5(&ada, "draft", json!({ "name": "A draft" })).await.answers(200);
    let item = json!({ "profile_id": ids[2], "role_ids": [api.role("guest")] });
    api.v5(&root, "update", json!({ "profiles": [item] })).await.answers(200);
    (api, root)
}

/// All pages of a list.
pub(super) async fn pages(api: &Api, token: &str, path: &str, list: &str) -> Vec<Value> {
    let join = if path.contains('?') { '&' } else { '?' };
    let (mut all, mut cursor) = (vec![], String::new());
    loop {
        let page = api.get(token, &format!("{path}{join}limit=3{cursor}")).await.answers(200);
        all.extend(page[list].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

pub(super) fn step(past: &mut Past, event: &Value) {
    let payload = event["payload"].to_string();
    let decoded = Event::decode(Area::Profile, event["name"].as_str().unwrap(), &payload);
    let Ok(Event::Profile(decoded)) = decoded else { panic!("{event}") };
    let at = event["occurred_at"].as_str().unwrap().parse().unwrap();
    past.step(&decoded, event["version"].as_i64().unwrap(), at);
}

/// What a profile holds, of every kind, as the parameters of a question name it.
fn held(state: &State) -> BTreeSet<(&'static str, String)> {
    let mut held = BTreeSet::new();
    if matches!(state, State::Deleted(_)) {
        held.insert(("state", "deleted".to_owned()));
    }
    let Some(facts) = state.live() else { return held };
    held.insert(("state", "live".to_owned()));
    if !facts.is_active() {
        held.insert(("state", "inactive".to_owned()));
    }
    if facts.roles.is_empty() {
        held.insert(("state", "unassigned".to_owned()));
    }
    held.extend(facts.roles.iter().map(|role| ("role", role.clone())));
    held.extend(facts.departments.iter().map(|id| ("department", id.0.to_string())));
    held
}

/// A question, and what it asks for: one key of each kind.
type Question = (String, Vec<(&'static str, Vec<String>)>);

fn questions(api: &Api) -> Vec<Question> {
    let north = api.department("north").to_string();
    let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    vec![
        (String::new(), vec![("state", keys(&["live"]))]),
        ("role=member".into(), vec![("role", keys(&["member"]))]),
        ("role=member&role=guest".into(), vec![("role", keys(&["member", "guest"]))]),
        (format!("department={north}"), vec![("department", keys(&[&north]))]),
        ("department=north".into(), vec![("department", keys(&[&north]))]),
        (
            "role=member&department=north&state=live".into(),
            vec![
                ("role", keys(&["member"])),
                ("department", keys(&[&north])),
                ("state", keys(&["live"])),
            ],
        ),
        (
            "state=deleted&state=unassigned".into(),
            vec![("state", keys(&["deleted", "unassigned"]))],
        ),
        ("state=inactive".into(), vec![("state", keys(&["inactive"]))]),
        ("audits=true".into(), vec![("role", keys(&["superadmin"]))]),
        ("role=nobody".into(), vec![("role", keys(&["nobody"]))]),
    ]
}

/// The event with which each profile began to hold each thing, the latest one.
type Since = BTreeMap<(String, (&'static str, String)), Value>;

async fn check_holders(
    api: &Api,
    token: &str,
    at: &str,
    (question, kinds): &Question,
    (pasts, since): (&BTreeMap<String, Past>, &Since),
) {
    let holds = |past: &Past| {
        let held = held(&past.state);
        let any = |kind: &'static str, keys: &[String]| {
            keys.iter().any(|key| held.contains(&(kind, key.clone())))
        };
        kinds.iter().all(|(kind, keys)| any(kind, keys))
    };
    let expected: Vec<&String> =
        pasts.iter().filter(|(_, past)| holds(past)).map(|(id, _)| id).collect();
    let path = format!("/api/v1/profiles?at={at}&{question}");
    let first = api.get(token, &path).await.answers(200);
    assert_eq!(first["total"], expected.len(), "{path}");
    let found = pages(api, token, &path, "profiles").await;
    let ids: Vec<&str> = found.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, expected, "{path}");
    for one in &found {
        let id = one["id"].as_str().unwrap();
        let facts = pasts[id].state.last_known().unwrap();
        assert_eq!(one["roles"], json!(facts.roles), "{path}");
        assert_eq!(one["departments"], json!(facts.departments), "{path}");
        assert_eq!(one["state"], pasts[id].state.name(), "{path}");
        assert_eq!(one["active"], facts.is_active(), "{path}");
        if let [(kind, keys)] = kinds.as_slice()
            && let [key] = keys.as_slice()
        {
            let since = &since[&(id.to_owned(), (*kind, key.clone()))];
            assert_eq!(one["held_since"]["token"], *since, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_held_what_at_a_moment_equals_a_walk_over_all_profiles() {
    let (api, token) = busy().await;
    let all = pages(&api, &token, "/api/v1/events?order=oldest", "events").await;
    let mut pasts: BTreeMap<String, Past> = BTreeMap::new();
    let mut since = Since::new();
    for (place, event) in all.iter().enumerate() {
        if event["area"] == "profile" {
            let id = event["stream_id"].as_str().unwrap().to_owned();
            let past = pasts.entry(id.clone()).or_default();
            let before = held(&past.state);
            step(past, event);
            for one in held(&past.state).difference(&before) {
                since.insert((id.clone(), one.clone()), event["token"].clone());
            }
        }
        if place % 9 != 8 && place + 1 != all.len() {
            continue;
        }
        for question in questions(&api) {
            // At first the catalogue has no department of this key.
            if place > 12 || !question.0.contains("department=north") {
                let at = event["token"].as_str().unwrap();
                check_holders(&api, &token, at, &question, (&pasts, &since)).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn later_pages_are_of_the_moment_of_the_first() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let first = api.get(&token, "/api/v1/profiles?limit=2").await.answers(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let item = json!({ "id": "00000000-0000-7000-8000-000000000001", "name": "New" });
    api.create(&token, item).await;
    let item = json!({ "id": "ffffffff-0000-7000-8000-000000000001", "name": "New too" });
    api.create(&token, item).await;
    let path = format!("/api/v1/profiles?limit=500&cursor={cursor}");
    let rest = api.get(&token, &path).await.answers(200);
    assert_eq!(rest["moment"], first["moment"]);
    assert_eq!(rest["total"], first["total"]);
    let count = 2 + rest["profiles"].as_array().unwrap().len();
    assert_eq!(first["total"], count);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_audits_is_found_by_the_catalogue_of_the_moment() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let before = api.get(&token, "/api/v1/profiles?audits=true").await.answers(200);
    assert_eq!(before["total"], 1, "{before}");
    let file = CATALOGUE.replace("name = \"Guest\",", "name = \"Guest\", audits = true,");
    let how = How { dry_run: false, prune: false, folder: ".".into() };
    apply(&api.engine, &catalogue_file::parse(&file).unwrap(), &how).await.unwrap();
    let after = api.get(&token, "/api/v1/profiles?audits=true").await.answers(200);
    assert_eq!(after["total"], 2, "{after}");
    let at = before["moment"]["token"].as_str().unwrap();
    let then = api.get(&token, &format!("/api/v1/profiles?audits=true&at={at}")).await;
    assert_eq!(then.answers(200), before);
}

/// A profile, what it held, and the tokens of the events with which that began and ended.
type Period = (String, (&'static str, String), Value, Option<Value>);

#[tokio::test(flavor = "multi_thread")]
async fn periods_of_holding_begin_and_end_with_events() {
    let (api, token) = busy().await;
    let all = pages(&api, &token, "/api/v1/events?order=oldest&area=profile", "events").await;
    // Every period, by a walk over all events.
    let mut pasts: BTreeMap<String, Past> = BTreeMap::new();
    let mut periods: Vec<Period> = vec![];
    for event in &all {
        let id = event["stream_id"].as_str().unwrap().to_owned();
        let past = pasts.entry(id.clone()).or_default();
        let before = held(&past.state);
        step(past, event);
        let after = held(&past.state);
        for one in before.difference(&after) {
            let open =
                |period: &&mut Period| period.0 == id && period.1 == *one && period.3.is_none();
            periods.iter_mut().find(open).unwrap().3 = Some(event["token"].clone());
        }
        for one in after.difference(&before) {
            periods.push((id.clone(), one.clone(), event["token"].clone(), None));
        }
    }
    let order: BTreeMap<&str, usize> =
        all.iter().enumerate().map(|(at, one)| (one["token"].as_str().unwrap(), at)).collect();
    let at = |token: &Value| order[token.as_str().unwrap()];
    let middle = &all[all.len() / 2];
    let instant = middle["recorded_at"].as_str().unwrap();
    let same_time = |one: &Value| one["recorded_at"] == middle["recorded_at"];
    let first = all.iter().position(same_time).unwrap();
    let (mia, north) = (api.id("mia").await.to_string(), api.department("north").to_string());
    type Meets<'a> = Box<dyn Fn(&str, &(&str, String), usize, Option<usize>) -> bool + 'a>;
    let questions: Vec<(String, Meets)> = vec![
        ("role=guest".into(), Box::new(|_, one, _, _| *one == ("role", "guest".into()))),
        (
            "department=north&role=member".into(),
            Box::new(|_, one, _, _| {
                *one == ("role", "member".into()) || *one == ("department", north.clone())
            }),
        ),
        (format!("profile={mia}"), Box::new(|id, _, _, _| id == mia)),
        (format!("profile={mia}&role=guest"), Box::new(|_, _, _, _| false)),
        (
            format!("department={north}&until={instant}"),
            Box::new(|_, one, began, _| *one == ("department", north.clone()) && began < first),
        ),
        (
            format!("role=guest&from={instant}"),
            Box::new(|_, one, _, ended| {
                *one == ("role", "guest".into()) && ended.is_none_or(|ended| ended >= first)
            }),
        ),
    ];
    for (question, meets) in questions {
        let mut expected: Vec<_> = periods
            .iter()
            .filter(|(id, one, began, ended)| meets(id, one, at(began), ended.as_ref().map(at)))
            .map(|(id, (kind, key), began, ended)| (at(began), *kind, key, id, ended))
            .collect();
        expected.sort_by(|one, other| (one.0, one.1, one.2).cmp(&(other.0, other.1, other.2)));
        let found = pages(&api, &token, &format!("/api/v1/holdings?{question}"), "holdings").await;
        assert_eq!(found.len(), expected.len(), "{question}");
        for (found, (began, kind, key, id, ended)) in found.iter().zip(expected) {
            assert_eq!(found["profile_id"], id.as_str(), "{question}");
            assert_eq!((&found["kind"], &found["key"]), (&json!(kind), &json!(key)), "{question}");
            assert_eq!(at(&found["began"]["token"]), began, "{question}");
            assert_eq!(found["ended"].get("token"), ended.as_ref(), "{question}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_through_time_is_for_auditors_and_refuses_what_it_does_not_know() {
    let api = Api::start().await;
    let paths = [
        "profiles",
        "holdings?role=guest",
        "events",
        "events/count",
        "events/00000000-0000-7000-8000-000000000001",
    ];
    for (who, allowed) in
        [("root", true), ("ada", false), ("ian", false), ("mia", false), ("gil", false)]
    {
        let token = api.token(who).await;
        for path in paths {
            let answer = api.get(&token, &format!("/api/v1/{path}")).await;
            let status = answer.status.as_u16();
            assert_eq!(status != 403, allowed, "{who} {path}: {}", answer.text);
            assert!([200, 403, 404].contains(&status), "{who} {path}: {}", answer.text);
        }
    }
    let token = api.token("root").await;
    let now = api.get(&token, "/api/v1/profiles").await.answers(200);
    let here = now["moment"]["token"].as_str().unwrap();
    for (asked, code) in [
        ("profiles?at_version=1".to_owned(), "invalid_request"),
        ("profiles?roles=guest".to_owned(), "invalid_request"),
        ("profiles?department=nowhere".to_owned(), "no_such_department"),
        ("profiles?state=gone".to_owned(), "invalid_request"),
        ("profiles?audits=false".to_owned(), "invalid_request"),
        (format!("profiles?at={here}&as_of=2020-01-01T00:00:00Z"), "invalid_request"),
        ("profiles?limit=501".to_owned(), "invalid_request"),
        ("profiles?cursor=x".to_owned(), "invalid_cursor"),
        ("profiles?as_of=2999-01-01T00:00:00Z".to_owned(), "in_the_future"),
        ("holdings".to_owned(), "too_broad"),
        ("holdings?state=live".to_owned(), "invalid_request"),
        ("holdings?role=guest&cursor=AAAA.AAAA.AAAA".to_owned(), "invalid_cursor"),
        ("events?actors=x".to_owned(), "invalid_request"),
        ("events?actor=x".to_owned(), "invalid_request"),
        ("events?area=people".to_owned(), "invalid_request"),
        ("events?emulated=maybe".to_owned(), "invalid_request"),
        ("events/count?at_version=1".to_owned(), "invalid_request"),
        ("events/count?limit=1".to_owned(), "invalid_request"),
        (format!("events?{}", "name=x&".repeat(101)), "invalid_request"),
    ] {
        let answer = api.get(&token, &format!("/api/v1/{asked}")).await;
        assert_eq!(answer.answers(422)["code"], code, "{asked}");
    }
}
