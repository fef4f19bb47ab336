//! One profile through time: its state at any moment, its history with what each event changed, and
//! what differs between two moments (History contract 1).

use dossier::domain::profile::{Change, Past, State};
use dossier::domain::{Area, Event};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::api::Api;

/// An event as the history shows it, and what a fold of all up to it gives.
struct Told {
    entry: Value,
    past: Past,
    changes: Vec<Change>,
}

/// The whole history of a profile, oldest first, and its fold.
async fn told(api: &Api, token: &str, id: Uuid) -> Vec<Told> {
    let path = format!("/api/v1/profiles/{id}/history?order=oldest&limit=500");
    let page = api.get(token, &path).await.answers(200);
    let (mut past, mut told) = (Past::default(), vec![]);
    for entry in page["events"].as_array().unwrap() {
        let (name, payload) = (entry["name"].as_str().unwrap(), entry["payload"].to_string());
        let Ok(Event::Profile(event)) = Event::decode(Area::Profile, name, &payload) else {
            panic!("{entry} is no event of a profile");
        };
        let at = entry["occurred_at"].as_str().unwrap().parse().unwrap();
        let step = past.step(&event, entry["version"].as_i64().unwrap(), at);
        let changes = step.map(|step| step.changes).unwrap_or_default();
        told.push(Told { entry: entry.clone(), past: past.clone(), changes });
    }
    told
}

fn shown(changes: &[Change]) -> Value {
    let shown = |one: &Change| json!({ "field": one.field, "old": one.old, "new": one.new });
    changes.iter().map(shown).collect()
}

async fn update(api: &Api, token: &str, id: Uuid, mut item: Value) {
    item["profile_id"] = json!(id);
    let answer = api.v5(token, "update", json!({ "profiles": [item] })).await.answers(200);
    assert_eq!(answer["results"][0]["success"], true, "{answer}");
}

/// A profile with 150 events, of several fields.
async fn long_history(api: &Api, token: &str) -> Uuid {
    let id = api.create(token, json!({ "name": "N0" })).await;
    for n in 1..150 {
        let item = match n % 5 {
            0 => json!({ "flag_id": api.flag(n % 2 == 0) }),
            1 if n % 2 == 0 => json!({ "department_ids": [api.department("north")] }),
            1 => json!({ "department_ids": [] }),
            2 if n % 3 == 0 => json!({ "role_ids": [api.role("member")] }),
            2 => json!({ "role_ids": [api.role("guest")] }),
            _ => json!({ "name": format!("N{n}") }),
        };
        update(api, token, id, item).await;
    }
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_token_and_instant_answers_with_the_fold_of_what_came_before() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let id = long_history(&api, &token).await;
    let told = told(&api, &token, id).await;
    assert!(told.len() > 130, "{}", told.len());
    let position = api.engine.followed();
    assert!(api.engine.projections.wait_audit(position, std::time::Duration::from_secs(5)).await);
    let client = api.engine.connection().await.unwrap();
    let snapshots = "select count(*) from profile_snapshots where profile_id = $1";
    let snapshots: i64 = client.query_one(snapshots, &[&id]).await.unwrap().get(0);
    assert_eq!(snapshots, 2);
    for (place, Told { entry, past, changes }) in told.iter().enumerate() {
        assert_eq!(entry["changes"], shown(changes), "{entry}");
        if place % 7 != 0 && !(60..70).contains(&place) {
            continue;
        }
        let moment = json!({ "as_of": entry["recorded_at"], "token": entry["token"] });
        let (at, version) = (entry["token"].as_str().unwrap(), past.version);
        let as_of = entry["recorded_at"].as_str().unwrap();
        for asked in [format!("at={at}"), format!("at_version={version}"), format!("as_of={as_of}")]
        {
            let path = format!("/api/v1/profiles/{id}?{asked}");
            let answer = api.get(&token, &path).await;
            let shown = answer.answers(200);
            assert_eq!(shown["version"], version, "{asked}");
            assert_eq!(shown["moment"], moment, "{asked}");
            assert_eq!(answer.headers["dossier-position"], at, "{asked}");
            assert_eq!(shown["state"], "live");
            let facts = past.state.live().unwrap();
            let name = facts.name.as_ref().map(|name| &name.name.0);
            assert_eq!(shown["facts"]["name"], json!(name), "{asked}");
            assert_eq!(shown["facts"]["active"], facts.is_active(), "{asked}");
            let roles = shown["facts"]["roles"].as_array().unwrap().iter();
            let roles: Vec<&str> = roles.map(|role| role["key"].as_str().unwrap()).collect();
            assert_eq!(roles, facts.roles, "{asked}");
            let departments = shown["facts"]["departments"].as_array().unwrap();
            assert_eq!(departments.len(), facts.departments.len(), "{asked}");
            assert_eq!(shown["last_change"]["version"], past.changed_version, "{asked}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_has_the_same_answer_whatever_happens_later() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let id = api.create(&token, json!({ "name": "Before" })).await;
    let path = format!("/api/v1/profiles/{id}");
    let now = api.get(&token, &path).await;
    let first = now.answers(200);
    let at = format!("{path}?at={}", first["moment"]["token"].as_str().unwrap());
    update(&api, &token, id, json!({ "name": "After" })).await;
    api.v5(&token, "delete", json!({ "profile_ids": [id] })).await.answers(200);
    let then = api.get(&token, &at).await;
    assert_eq!(then.answers(200), first);
    let tag = then.headers["etag"].to_str().unwrap();
    let held = api.send("GET", &at, Some(&token), &[("if-none-match", tag)], vec![]).await;
    assert_eq!((held.status.as_u16(), held.text.as_str()), (304, ""));
    let deleted = api.get(&token, &path).await.answers(200);
    assert_eq!(deleted["state"], "deleted");
    assert_eq!(deleted["facts"]["name"], "After");
    assert_eq!(deleted["last_change"]["name"], "ProfileDeleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn before_its_registration_a_profile_is_absent() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let id = api.create(&token, json!({ "name": "Late" })).await;
    for asked in ["as_of=2020-01-01T00:00:00%2B02:00", "at_version=0"] {
        let shown = api.get(&token, &format!("/api/v1/profiles/{id}?{asked}")).await.answers(200);
        assert_eq!(shown["state"], "absent", "{asked}");
        assert_eq!(shown["version"], 0, "{asked}");
        assert_eq!(shown["facts"], Value::Null, "{asked}");
        assert_eq!(shown["last_change"], Value::Null, "{asked}");
    }
    let path = format!("/api/v1/profiles/{id}?as_of=2020-01-01T00:00:00Z");
    let shown = api.get(&token, &path).await.answers(200);
    assert_eq!(shown["moment"]["as_of"], Value::Null);
    let again = shown["moment"]["token"].as_str().unwrap();
    let again = api.get(&token, &format!("/api/v1/profiles/{id}?at={again}")).await.answers(200);
    assert_eq!(again, shown);
    let never = Uuid::new_v4();
    let never = api.get(&token, &format!("/api/v1/profiles/{never}?at_version=0")).await;
    assert_eq!(never.answers(404)["code"], "profile_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_roles_and_departments_are_those_of_the_moment() {
    use dossier::catalogue_file;
    use dossier::intake::catalogue::{How, apply};
    let api = Api::start().await;
    let token = api.token("root").await;
    let item = json!({
        "name": "N",
        "role_ids": [api.role("guest")],
        "department_ids": [api.department("north")],
    });
    let path = format!("/api/v1/profiles/{}", api.create(&token, item).await);
    let before = api.get(&token, &path).await.answers(200);
    let file = crate::support::api::CATALOGUE
        .replace("name = \"Guest\"", "name = \"Visitor\"")
        .replace("name = \"North\"", "name = \"The North\"");
    let how = How { dry_run: false, prune: false, folder: ".".into() };
    apply(&api.engine, &catalogue_file::parse(&file).unwrap(), &how).await.unwrap();
    let after = api.get(&token, &path).await.answers(200);
    let at = format!("{path}?at={}", before["moment"]["token"].as_str().unwrap());
    let names = |shown: &Value| {
        let facts = &shown["facts"];
        (facts["roles"][0]["name"].clone(), facts["departments"][0]["name"].clone())
    };
    assert_eq!(names(&before), (json!("Guest"), json!("North")));
    assert_eq!(names(&after), (json!("Visitor"), json!("The North")));
    assert_eq!(api.get(&token, &at).await.answers(200), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_no_moment_is_refused_by_its_code() {
    let api = Api::start().await;
    let (root, mia) = (api.token("root").await, api.id("mia").await);
    let path = format!("/api/v1/profiles/{mia}");
    let now = api.get(&root, &path).await.answers(200);
    let here = now["moment"]["token"].as_str().unwrap();
    let foreign = api.engine.seal_position(dossier::domain::ids::TenantId(Uuid::new_v4()), 1);
    let ahead = api.engine.seal_position(api.tenant, 1_000_000);
    let made_up = "A".repeat(22);
    for (asked, status, code) in [
        ("?as_of=2999-01-01T00:00:00Z".to_owned(), 422, "in_the_future"),
        ("?valid_at=2999-01-01T00:00:00Z".to_owned(), 422, "in_the_future"),
        (format!("?at={ahead}"), 409, "position_ahead"),
        (format!("?at={foreign}"), 422, "invalid_position"),
        (format!("?at={made_up}"), 422, "invalid_position"),
        ("?at=".to_owned(), 422, "invalid_position"),
        ("?at_version=1000".to_owned(), 422, "no_such_version"),
        ("?at_version=-1".to_owned(), 422, "invalid_request"),
        ("?at_version=99999999999999999999".to_owned(), 422, "invalid_request"),
        (format!("?at={here}&at_version=1"), 422, "invalid_request"),
        (format!("?at={here}&at={here}"), 422, "invalid_request"),
        ("?as_of=yesterday".to_owned(), 422, "invalid_request"),
        ("?version=1".to_owned(), 422, "invalid_request"),
        ("/diff?from_version=1&to_version=0".to_owned(), 422, "range_reversed"),
        ("/diff?to_version=1000".to_owned(), 422, "no_such_version"),
        (format!("/diff?from_version=1&to_token={here}"), 422, "invalid_request"),
        ("/diff?to=2999-01-01T00:00:00Z".to_owned(), 422, "in_the_future"),
        (format!("/diff?from_token={foreign}"), 422, "invalid_position"),
        (format!("/diff?to_token={ahead}"), 409, "position_ahead"),
        ("/history?fields=name".to_owned(), 422, "invalid_request"),
        ("/history?name=a%00".to_owned(), 422, "invalid_request"),
    ] {
        let answer = api.get(&root, &format!("{path}{asked}")).await;
        assert_eq!(answer.answers(status)["code"], code, "{asked}");
    }
    let foreign = api.get(&root, &format!("{path}?at={foreign}")).await.text;
    assert_eq!(foreign, api.get(&root, &format!("{path}?at={made_up}")).await.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_see_a_history_may_ask_about_its_moments() {
    let api = Api::start().await;
    let mia = api.id("mia").await;
    for (who, status) in
        [("mia", 200), ("ada", 200), ("ian", 200), ("root", 200), ("sam", 404), ("gil", 404)]
    {
        let token = api.token(who).await;
        for path in ["", "?at_version=1", "/diff", "/history"] {
            let path = format!("/api/v1/profiles/{mia}{path}");
            assert_eq!(api.get(&token, &path).await.status, status, "{who} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_filtered_by_field_name_and_time() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let id = long_history(&api, &token).await;
    let told = told(&api, &token, id).await;
    let base = format!("/api/v1/profiles/{id}/history");
    let middle = told[70].entry["recorded_at"].as_str().unwrap();
    type Wanted = fn(&Told) -> bool;
    let changed = |one: &Told, field: &str| one.changes.iter().any(|one| one.field == field);
    let filters: [(String, Wanted); 6] = [
        ("field=roles".into(), |one| one.changes.iter().any(|one| one.field == "roles")),
        ("field=active&field=departments".into(), |one| {
            one.changes.iter().any(|one| ["active", "departments"].contains(&one.field.as_str()))
        }),
        ("name=ProfileRenamed".into(), |one| one.entry["name"] == "ProfileRenamed"),
        ("name=ProfileRenamed&field=roles".into(), |_| false),
        ("name=ProfileRegistered&field=name".into(), |one| one.past.version == 1),
        ("field=attributes".into(), |_| false),
    ];
    assert!(told.iter().any(|one| changed(one, "roles")));
    for (filter, wanted) in filters {
        for time in [String::new(), format!("&from={middle}"), format!("&until={middle}")] {
            let in_time = |one: &&Told| match time.split('=').next().unwrap_or_default() {
                "&from" => one.past.version >= 71,
                "&until" => one.past.version < 71,
                _ => true,
            };
            let expected: Vec<i64> = told
                .iter()
                .filter(in_time)
                .filter(|one| wanted(one))
                .map(|one| one.past.version)
                .collect();
            let mut versions = vec![];
            let mut cursor = String::new();
            loop {
                let path = format!("{base}?order=oldest&limit=7&{filter}{time}{cursor}");
                let page = api.get(&token, &path).await.answers(200);
                let events = page["events"].as_array().unwrap();
                for event in events {
                    let version = event["version"].as_i64().unwrap();
                    let own = &told[usize::try_from(version).unwrap() - 1];
                    assert_eq!(event["changes"], shown(&own.changes), "{path}");
                    versions.push(version);
                }
                match page["next_cursor"].as_str() {
                    Some(next) => cursor = format!("&cursor={next}"),
                    None => break,
                }
            }
            assert_eq!(versions, expected, "{filter}{time}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_belongs_to_its_path_filters_and_order() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let id = api.create(&token, json!({ "name": "N" })).await;
    for n in 0..4 {
        update(&api, &token, id, json!({ "name": format!("N{n}") })).await;
    }
    let base = format!("/api/v1/profiles/{id}/history");
    let page = api.get(&token, &format!("{base}?limit=2&field=name")).await.answers(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    for (asked, status) in [
        (format!("{base}?cursor={cursor}&field=name"), 200),
        (format!("{base}?field=name&limit=3&cursor={cursor}"), 200),
        (format!("{base}?cursor={cursor}"), 422),
        (format!("{base}?cursor={cursor}&field=name&field=roles"), 422),
        (format!("{base}?cursor={cursor}&field=name&order=oldest"), 422),
        (format!("/api/v1/events?cursor={cursor}"), 422),
        (format!("{base}?cursor={}", page["events"][0]["token"].as_str().unwrap()), 422),
        (format!("{base}?cursor=x"), 422),
    ] {
        let answer = api.get(&token, &asked).await;
        let body = answer.answers(status);
        assert_eq!(body["code"] == "invalid_cursor", status == 422, "{asked}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_names_each_field_that_differs_with_who_changed_it() {
    let api = Api::start().await;
    let (root, ada) = (api.token("root").await, api.token("ada").await);
    let id = api
        .create(
            &root,
            json!({ "name": "One", "role_ids": [api.role("member")],
        "department_ids": [api.department("north")] }),
        )
        .await;
    update(&api, &ada, id, json!({ "name": "Two" })).await;
    update(&api, &root, id, json!({ "flag_id": api.flag(false) })).await;
    update(&api, &ada, id, json!({ "name": "Three" })).await;
    update(&api, &root, id, json!({ "flag_id": api.flag(true) })).await;
    let path = format!("/api/v1/profiles/{id}/diff");
    let diff = api.get(&root, &format!("{path}?from_version=1")).await.answers(200);
    let versions = (diff["from"]["version"].clone(), diff["to"]["version"].clone());
    assert_eq!(versions, (json!(1), json!(5)));
    let changes = diff["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "what changed and changed back does not differ: {diff}");
    assert_eq!(changes[0]["field"], "name");
    assert_eq!((&changes[0]["old"], &changes[0]["new"]), (&json!("One"), &json!("Three")));
    assert_eq!(changes[0]["more"], false);
    let events = changes[0]["events"].as_array().unwrap();
    let by: Vec<&Value> = events.iter().map(|event| &event["real_actor"]["id"]).collect();
    let ada = json!(api.id("ada").await);
    assert_eq!(by, [&ada, &ada]);
    let versions: Vec<&Value> = events.iter().map(|event| &event["version"]).collect();
    assert_eq!(versions, [&json!(2), &json!(4)]);
    let whole = api.get(&root, &path).await.answers(200);
    assert_eq!(whole["from"], json!({ "version": 0, "as_of": null, "token": null }));
    let fields: Vec<&Value> =
        whole["changes"].as_array().unwrap().iter().map(|change| &change["field"]).collect();
    assert_eq!(fields, ["active", "departments", "name", "roles", "state", "verified"]);
    let token = diff["from"]["token"].as_str().unwrap();
    let same = api.get(&root, &format!("{path}?from_token={token}")).await.answers(200);
    assert_eq!(same, diff);
    let as_of = diff["from"]["as_of"].as_str().unwrap();
    let same = api.get(&root, &format!("{path}?from={as_of}")).await.answers(200);
    assert_eq!(same, diff);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_tells_at_most_fifty_events_of_a_field_and_joins_to_longer_ones() {
    let api = Api::start().await;
    let token = api.token("root").await;
    let id = long_history(&api, &token).await;
    let told = told(&api, &token, id).await;
    let path = format!("/api/v1/profiles/{id}/diff");
    let whole = api.get(&token, &path).await.answers(200);
    let name = whole["changes"].as_array().unwrap().iter().find(|one| one["field"] == "name");
    let name = name.unwrap();
    assert_eq!(name["events"].as_array().unwrap().len(), 50);
    assert_eq!((&name["more"], &name["events"][0]["version"]), (&json!(true), &json!(1)));
    for (from, to) in [(0, 40), (40, 41), (63, 65), (64, 128), (1, 130), (77, 77)] {
        let asked = format!("{path}?from_version={from}&to_version={to}");
        let diff = api.get(&token, &asked).await.answers(200);
        let at = |version: usize| match version {
            0 => State::Absent,
            version => told[version - 1].past.state.clone(),
        };
        let expected = dossier::domain::profile::changes(&at(from), &at(to));
        let found: Vec<Value> = diff["changes"].as_array().unwrap().clone();
        assert_eq!(found.len(), expected.len(), "{asked}: {diff}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found["field"], expected.field, "{asked}");
            assert_eq!((&found["old"], &found["new"]), (&expected.old, &expected.new), "{asked}");
            let last = found["events"].as_array().unwrap().last().unwrap();
            let last = usize::try_from(last["version"].as_i64().unwrap()).unwrap();
            assert!(from < last && last <= to, "{asked}: {found}");
            let own = told[last - 1].changes.iter().find(|one| one.field == expected.field);
            assert!(found["more"] == true || own.unwrap().new == expected.new, "{asked}");
        }
    }
}
