//! Lists and queries of profiles (contract 1, 4.7, 4.8).

use dossier::intake::people::import;
use serde_json::{Value, json};

use crate::support::crafter::{Crafter, attribute, attribute_for, each, nobody, text};

const T: (&str, &str) = ("tenantName", "t");

/// Profiles `p00000` and on: every second has role EVEN, and `n` counts down.
async fn place(count: usize) -> Crafter {
    let crafter = Crafter::start().await;
    let hidden = attribute_for("hidden", "TEXT", json!([]));
    let definitions = json!([
        attribute("n", "COMPLEX"),
        attribute("tags", "STRING_LIST"),
        attribute("deep", "COMPLEX"),
        hidden,
    ]);
    crafter.tenant("t", json!({ "attributeDefinitions": definitions })).await;
    let more = |number: usize| {
        let mut attributes = json!({ "n": count - number, "hidden": "h" });
        if number == 1 {
            attributes["tags"] = json!(["news", "7"]);
            attributes["deep"] = json!({ "in": { "it": "x" }, "number": 7 });
        }
        let role = if number.is_multiple_of(2) { "EVEN" } else { "ODD" };
        json!({ "roles": [role], "attributes": attributes })
    };
    crafter.profiles("t", count, more).await;
    crafter
}

async fn usernames(crafter: &Crafter, path: &str, parameters: &[(&str, &str)]) -> Vec<String> {
    let parameters = [&[T], parameters].concat();
    let found = crafter.get(&format!("profile/{path}"), &parameters).await.answers(200);
    each(&found, "username")
}

fn named(numbers: &[usize]) -> Vec<String> {
    numbers.iter().map(|number| format!("p{number:05}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_in_storage_order_unless_it_is_sorted() {
    let crafter = place(5).await;
    // Side by side, they were stored in any order.
    let stored = usernames(&crafter, "range", &[]).await;
    let again = usernames(&crafter, "range", &[("sortOrder", "ASC")]).await;
    assert_eq!(stored, again);
    let by = |field: &'static str, order: &'static str| [("sortBy", field), ("sortOrder", order)];
    let ascending = usernames(&crafter, "range", &by("username", "ASC")).await;
    assert_eq!(ascending, named(&[0, 1, 2, 3, 4]));
    let descending = usernames(&crafter, "range", &[("sortBy", "username")]).await;
    assert_eq!(descending, named(&[4, 3, 2, 1, 0]));
    let sorted = usernames(&crafter, "range", &by("attributes.n", "ASC")).await;
    assert_eq!(sorted, named(&[4, 3, 2, 1, 0]));
    let sorted = usernames(&crafter, "range", &by("attributes.n", "DESC")).await;
    assert_eq!(sorted, named(&[0, 1, 2, 3, 4]));
    // What may not be read tells nothing by its order.
    assert_eq!(usernames(&crafter, "range", &by("attributes.hidden", "ASC")).await, stored);
    for order in ["asc", "Desc", "UP"] {
        let parameters = [T, ("sortBy", "username"), ("sortOrder", order)];
        crafter.get("profile/range", &parameters).await.refused(400, "OTHER");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_begins_at_start_and_count_counts_only_then() {
    let crafter = place(5).await;
    let page = |start: &'static str, count: &'static str| {
        let sort = [("sortBy", "username"), ("sortOrder", "ASC")];
        [&sort[..], &[("start", start), ("count", count)]].concat()
    };
    for (start, count, expected) in [
        ("1", "2", &[1, 2][..]),
        ("0", "1", &[0]),
        ("4", "9", &[4]),
        ("5", "1", &[]),
        ("3", "0", &[3, 4]),
        ("3", "", &[3, 4]),
        ("", "2", &[0, 1, 2, 3, 4]),
        (" 2 ", "1", &[2]),
    ] {
        let found = usernames(&crafter, "range", &page(start, count)).await;
        assert_eq!(found, named(expected), "{start:?} {count:?}");
        let query = [&[("query", "{}")], &page(start, count)[..]].concat();
        assert_eq!(usernames(&crafter, "by_query", &query).await, named(expected));
    }
    for (start, count) in [("-1", "1"), ("x", "1"), ("1", "1.5"), ("99999999999", "1")] {
        let parameters = [&[T], &page(start, count)[..]].concat();
        crafter.get("profile/range", &parameters).await.refused(400, "OTHER");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_more_than_two_pages_is_whole_and_in_order() {
    let crafter = place(2_503).await;
    let ascending = [("sortBy", "username"), ("sortOrder", "ASC")];
    let all: Vec<usize> = (0..2_503).collect();
    assert_eq!(usernames(&crafter, "range", &ascending).await, named(&all));
    let mut stored = usernames(&crafter, "range", &[]).await;
    assert_eq!(usernames(&crafter, "by_query", &[("query", "{}")]).await, stored);
    stored.sort();
    assert_eq!(stored, named(&all));
    // One below, at and above where a page of 1,000 ends, and two.
    for count in [999, 1_000, 1_001, 1_999, 2_000, 2_001] {
        let text = count.to_string();
        let page = [&ascending[..], &[("start", "2"), ("count", &text)]].concat();
        let found = usernames(&crafter, "range", &page).await;
        assert_eq!(found, named(&all[2..2 + count]), "{count}");
    }
    let even: Vec<usize> = (0..2_503).step_by(2).collect();
    let by_role = [&ascending[..], &[("role", "EVEN")]].concat();
    assert_eq!(usernames(&crafter, "by_role", &by_role).await, named(&even));
    let count = crafter.get("profile/count", &[T]).await.answers(200);
    assert_eq!(count, json!(2_503));
    let counted = crafter.get("profile/count_by_query", &[T, ("query", "{roles:'ODD'}")]).await;
    assert_eq!(counted.answers(200), json!(1_251));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_list_keeps_selector_and_attributes() {
    let crafter = place(1_001).await;
    let parameters = [
        T,
        ("selector", "Profile(username,attributes)"),
        ("attributeToReturn", "n"),
        ("sortBy", "username"),
        ("sortOrder", "ASC"),
    ];
    let found = crafter.get("profile/range", &parameters).await.answers(200);
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 1_001);
    let expected = |number: usize| json!({ "username": format!("p{number:05}"), "attributes": { "n": 1_001 - number } });
    assert!(found.iter().enumerate().all(|(number, profile)| *profile == expected(number)));
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_find_what_their_filters_say() {
    let crafter = place(6).await;
    let id = usernames_id(&crafter, "p00002").await;
    let by_id = format!("{{_id: '{id}'}}");
    for (query, expected) in [
        ("{username: 'p00003'}", &[3][..]),
        ("{\"username\": \"p00003\", roles: 'EVEN'}", &[]),
        ("{username: {$regex: '.*P0000[12].*', $options: 'i'}}", &[1, 2]),
        ("{roles: 'ODD', attributes.n: {$gt: 1}}", &[1, 3]),
        ("{'attributes.n': {$in: [1, 2]}}", &[4, 5]),
        ("{attributes.tags: 'news'}", &[1]),
        ("{attributes.deep.in.it: 'x'}", &[1]),
        ("{attributes.deep: {$exists: true}}", &[1]),
        ("{$or: [{username: 'p00000'}, {attributes.n: 1}]}", &[0, 5]),
        ("{enabled: true, verified: {$ne: true}, username: /0$/}", &[0]),
        (by_id.as_str(), &[2]),
        ("{}", &[0, 1, 2, 3, 4, 5]),
    ] {
        let sort = [("sortBy", "username"), ("sortOrder", "ASC"), ("query", query)];
        assert_eq!(usernames(&crafter, "by_query", &sort).await, named(expected), "{query}");
        let count = crafter.get("profile/count_by_query", &[T, ("query", query)]).await;
        assert_eq!(count.answers(200), json!(expected.len()), "{query}");
        let one = crafter.get("profile/one_by_query", &[T, ("query", query)]).await;
        match expected {
            [] => one.refused(404, "NO_SUCH_PROFILE"),
            _ => assert!(named(expected).contains(&text(&one.answers(200)["username"]))),
        }
    }
}

async fn usernames_id(crafter: &Crafter, username: &str) -> String {
    let found = crafter.get("profile/by_username", &[T, ("username", username)]).await;
    text(&found.answers(200)["id"])
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_that_cannot_be_or_look_where_they_may_not_are_refused() {
    let crafter = place(1).await;
    for query in [
        "{tenant: 'acme'}",
        "{$or: [{tenant: 'acme'}]}",
        "{$where: 'true'}",
        "{$expr: {}}",
        "{attributes.hidden: 'h'}",
        "{attributes.hidden.x: {$exists: true}}",
        "{'attributes': {hidden: 'h'}}",
        "{$nor: [{attributes.hidden: 'h'}]}",
        "{username: {$unknown: 1}}",
        "{username: {$regex: '('}}",
        "{username: ",
        "#",
        "[]",
        "",
    ] {
        for path in ["by_query", "one_by_query", "count_by_query"] {
            let answer = crafter.get(&format!("profile/{path}"), &[T, ("query", query)]).await;
            answer.refused(400, "INVALID_QUERY");
        }
    }
    for path in ["by_query", "one_by_query", "count_by_query"] {
        let path = format!("profile/{path}");
        let unknown = [("tenantName", "none"), ("query", "{}")];
        crafter.get(&path, &unknown).await.refused(404, "NO_SUCH_TENANT");
        crafter.get(&path, &[T]).await.refused(400, "OTHER");
        crafter.get(&path, &[("query", "{}")]).await.refused(400, "OTHER");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_found_by_role_by_having_an_attribute_and_by_its_text() {
    let crafter = place(4).await;
    let found = |name: &'static str| [("attributeName", name)];
    let value = |name: &'static str, value: &'static str| {
        [("attributeName", name), ("attributeValue", value)]
    };
    assert_eq!(usernames(&crafter, "by_role", &[("role", "NONE")]).await, named(&[]));
    assert_eq!(usernames(&crafter, "by_existing_attribute", &found("tags")).await, named(&[1]));
    assert_eq!(usernames(&crafter, "by_existing_attribute", &found("deep.in")).await, named(&[1]));
    assert_eq!(usernames(&crafter, "by_existing_attribute", &found("deep.out")).await, named(&[]));
    let by_value = "by_attribute_value";
    assert_eq!(usernames(&crafter, by_value, &value("tags", "news")).await, named(&[1]));
    assert_eq!(usernames(&crafter, by_value, &value("tags", "7")).await, named(&[1]));
    assert_eq!(usernames(&crafter, by_value, &value("deep.in.it", "x")).await, named(&[1]));
    // Compared as texts: numbers never fit.
    assert_eq!(usernames(&crafter, by_value, &value("deep.number", "7")).await, named(&[]));
    assert_eq!(usernames(&crafter, by_value, &value("hidden", "h")).await, named(&[]));
    assert_eq!(usernames(&crafter, "by_existing_attribute", &found("hidden")).await, named(&[]));
    for path in ["by_role", "by_existing_attribute", "by_attribute_value", "range"] {
        let all = [("role", "A"), ("attributeName", "n"), ("attributeValue", "1")];
        let unknown = [&all[..], &[("tenantName", "none")]].concat();
        let answer = crafter.get(&format!("profile/{path}"), &unknown).await;
        assert_eq!(answer.answers(200), json!([]), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_are_found_by_ids_in_storage_order_and_unknown_ones_passed_over() {
    let crafter = place(3).await;
    let stored = usernames(&crafter, "range", &[]).await;
    let mut ids = Vec::new();
    for username in &stored {
        ids.push(usernames_id(&crafter, username).await);
    }
    let unknown = nobody();
    let backwards: Vec<(&str, &str)> =
        ids.iter().rev().map(|id| ("id", id.as_str())).chain([("id", unknown.as_str())]).collect();
    let found = crafter.get("profile/by_ids", &backwards).await.answers(200);
    assert_eq!(each(&found, "username"), stored);
    let joined = [("id", &*ids.join(" , ")), ("sortBy", "username"), ("sortOrder", "ASC")];
    let found = crafter.get("profile/by_ids", &joined).await.answers(200);
    assert_eq!(each(&found, "username"), named(&[0, 1, 2]));
    let none: Value = json!([]);
    assert_eq!(crafter.get("profile/by_ids", &[("id", "")]).await.answers(200), none);
    assert_eq!(crafter.get("profile/by_ids", &[("id", "nonsense")]).await.answers(200), none);
    crafter.get("profile/by_ids", &[]).await.refused(400, "OTHER");
    let token = crafter.token_for("acme").await;
    let answer = crafter.by(&token).get("profile/by_ids", &[("id", &ids[0])]).await;
    answer.refused(403, "ACTION_DENIED");
}

/// Regression of issue 8.
#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_that_the_tenant_does_not_define_is_a_field_that_nobody_has() {
    let crafter = place(3).await;
    let person = r#"{"id":"x","name":"X","attributes":{"nobody":"seen","nick":"seen"}}"#;
    let bar = indicatif::ProgressBar::hidden();
    import(&crafter.engine, "acme", "x.ndjson", person.as_bytes(), bar).await.unwrap();
    let count = async |query: &str| {
        let parameters = [("tenantName", "acme"), ("query", query)];
        crafter.get("profile/count_by_query", &parameters).await.answers(200)
    };
    let all = count("{}").await;
    for (query, found) in [
        ("{attributes.nobody: null}", &all),
        ("{attributes.nobody: {$exists: false}}", &all),
        ("{attributes.nobody.deeper: null}", &all),
        ("{attributes.nobody: {$ne: 'seen'}}", &all),
        ("{$nor: [{attributes.nobody: 'seen'}]}", &all),
        ("{attributes.nobody: 'seen'}", &json!(0)),
        ("{attributes.nobody: {$regex: '^s'}}", &json!(0)),
        ("{attributes.nobody: {$exists: true}}", &json!(0)),
        ("{$or: [{attributes.nobody: 'seen'}, {attributes.nick: 'seen'}]}", &json!(0)),
    ] {
        assert_eq!(count(query).await, *found, "{query}");
    }
    let hidden = [T, ("query", "{attributes.hidden: null}")];
    crafter.get("profile/by_query", &hidden).await.refused(400, "INVALID_QUERY");
}
