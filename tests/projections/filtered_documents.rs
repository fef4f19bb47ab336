//! Filters against a walk over the documents: whatever is asked of whatever profiles, PostgreSQL
//! finds the same, with its indexes and without.

use dossier::domain::filter::Filter;
use dossier::domain::object_id::{ObjectId, shown};
use dossier::projections::ReadModel;
use dossier::projections::profile_documents::ProfileDocuments;
use dossier::projections::profile_documents::filter::{Parameter, compile};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::support::database::database;
use crate::support::filter_oracle::holds;

const NAMES: [&str; 8] = ["ada", "Ada", "bob", "bob.b", "café", "CAFÉ", "a\nb", "zoë 1"];
const KEYS: [&str; 6] = ["a", "b", "c", "0", "1", "k\"'\\$ ?"];
const TEXTS: [&str; 13] = [
    "",
    "a",
    "b",
    "A",
    "ab",
    "b a",
    "é",
    "É",
    "1",
    "a\nb",
    "\"x\\",
    "%_$1",
    "\u{1}\u{7f}\u{2028}🙂",
];
const PATHS: [&str; 22] = [
    "_id",
    "username",
    "email",
    "verified",
    "createdOn",
    "roles",
    "roles.0",
    "attributes",
    "attributes.a",
    "attributes.b",
    "attributes.c",
    "attributes.0",
    "attributes.a.b",
    "attributes.a.0",
    "attributes.a.1",
    "attributes.a.0.1",
    "attributes.a.0.b",
    "attributes.a.b.c",
    "attributes.a.b.0",
    "attributes.k\"'\\$ ?",
    "nobody",
    "email.a",
];
const PATTERNS: [&str; 22] = [
    "a", "^a", "a$", "^$", "[^a]", "^.b", "a.b", "\\d", "\\W", "^\\w+$", "a|é", "(a|b){2}", "É",
    "\\bb", "\\Bb", "b\\b", "^b", "a$", "[a-c]?b", "x*", "\\\\", "^[\"%]",
];
const OPTIONS: [&str; 5] = ["", "i", "m", "s", "imsx"];
const KINDS: [&str; 9] =
    ["string", "number", "int", "long", "double", "array", "object", "null", "date"];
/// How many filters and profiles meet in one go, and how often they do.
const FILTERS: usize = 40;
const PROFILES: usize = 25;
const ROUNDS: u32 = 60;

pub fn id(number: u64) -> Uuid {
    ObjectId::new(0, number).held()
}

#[test]
fn the_largest_filters_are_answered() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let client = runtime.block_on(table());
    let values: Vec<Value> = (0..1000).map(Value::from).collect();
    let fields = |count: usize| (0..count).map(|number| (format!("roles.{number}"), json!("a")));
    let nested = |operator: &str, depth: usize| {
        (0..depth).fold(json!({"roles": "a"}), |inner, _| json!({ operator: [inner] }))
    };
    let elements = (0..14).fold(json!({"b": 1}), |inner, _| json!({"a": {"$elemMatch": inner}}));
    let filters: Vec<Filter> = [
        json!({"attributes.a.0.1.2": {"$in": values}}),
        json!({"attributes.a": {"$elemMatch": {"b": {"$in": values}}}}),
        json!({"attributes.a": {"$all": values[..250]}}),
        Value::Object(fields(256).collect()),
        nested("$nor", 15),
        nested("$and", 15),
        elements,
        json!({"username": {"$regex": "(\\b.*){9}qq", "$options": "i"}}),
        json!({"attributes.a": {"$regex": "[a-z]{100}".to_owned() + &"a?".repeat(12)}}),
    ]
    .iter()
    .map(|filter| Filter::parse(&filter.to_string()).unwrap())
    .collect();
    for scans in ["on", "off"] {
        let found = runtime.block_on(by_asking(&client, &filters, scans));
        assert!(found.iter().all(Vec::is_empty));
    }
}

#[test]
fn postgresql_finds_what_a_walk_over_the_documents_finds() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let client = runtime.block_on(table());
    let mut runner = TestRunner::new(Config {
        cases: ROUNDS,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let rounds = (vec(profile(), PROFILES), vec(filter(2, true), FILTERS));
    let outcome = runner.run(&rounds, |(mut profiles, filters)| {
        for (number, profile) in profiles.iter_mut().enumerate() {
            profile["_id"] = json!(shown(id(number as u64)));
        }
        let filters: Vec<Filter> =
            filters.iter().map(|filter| Filter::parse(&filter.to_string()).unwrap()).collect();
        runtime.block_on(store(&client, &profiles));
        let expected = by_walking(&filters, &profiles);
        for setting in ["on", "off"] {
            let found = runtime.block_on(by_asking(&client, &filters, setting));
            for (number, filter) in filters.iter().enumerate() {
                prop_assert_eq!(&found[number], &expected[number], "{:#?}", filter);
            }
        }
        Ok(())
    });
    outcome.unwrap();
}

/// The table, in a schema of its own, empty.
pub async fn table() -> Client {
    let (client, _driver) = database().await.connect().await.unwrap();
    let schema = "set jit = off; create schema filtered; set search_path = filtered, views;";
    client.batch_execute(&format!("{schema} {}", ProfileDocuments::TABLE)).await.unwrap();
    client
}

fn by_walking(filters: &[Filter], profiles: &[Value]) -> Vec<Vec<String>> {
    let of = |filter: &Filter| {
        let fitting = profiles.iter().filter(|profile| holds(filter, profile));
        fitting.map(|profile| profile["_id"].as_str().unwrap().to_owned()).collect()
    };
    filters.iter().map(of).collect()
}

/// All filters in one statement; without scans of the table if `scans` is off.
async fn by_asking(client: &Client, filters: &[Filter], scans: &str) -> Vec<Vec<String>> {
    let mut parameters: Vec<Parameter> = Vec::new();
    let mut queries = Vec::new();
    for (number, filter) in filters.iter().enumerate() {
        let compiled = compile(filter, parameters.len() + 1);
        parameters.extend(compiled.parameters);
        queries.push(format!("select {number}, id from profile_documents where {}", compiled.sql));
    }
    let sql = format!("{} order by 1, 2", queries.join(" union all "));
    client.batch_execute(&format!("set enable_seqscan = {scans}")).await.unwrap();
    let parameters: Vec<_> =
        parameters.iter().map(|(value, kind)| (&**value as _, kind.clone())).collect();
    let mut found = vec![Vec::new(); filters.len()];
    for row in client.query_typed(&sql, &parameters).await.unwrap() {
        let number: i32 = row.get(0);
        found[number as usize].push(shown(row.get(1)));
    }
    found
}

/// Profiles as clients see them, in this order, in the tenant `id(0)`.
pub async fn store(client: &Client, profiles: &[Value]) {
    let sql = "
        insert into profile_documents
        select $1, id, id, 1, number, profile ->> 'username',
            profile ->> 'email', (profile ->> 'verified')::boolean,
            (profile ->> 'enabled')::boolean, (profile ->> 'createdOn')::bigint,
            (profile ->> 'lastModified')::bigint,
            jsonb_build_object(
                'roles', profile -> 'roles', 'attributes', profile -> 'attributes',
                'names', jsonb_path_query_array(profile, '$.attributes.keyvalue().key'))
        from unnest($2::jsonb[], $3::uuid[]) with ordinality as given (profile, id, number)";
    let ids = profiles.iter().map(|profile| profile["_id"].as_str().and_then(ObjectId::parse));
    let ids: Vec<Uuid> = ids.map(|id| id.unwrap().held()).collect();
    client.batch_execute("truncate profile_documents").await.unwrap();
    client.execute(sql, &[&id(0), &profiles, &ids]).await.unwrap();
}

fn profile() -> impl Strategy<Value = Value> {
    let roles = subsequence(vec!["ADMIN", "USER", "a"], 0..=3);
    let attributes = btree_map(select(&KEYS[..]), value(), 0..5);
    let own = (select(&NAMES[..]), proptest::option::of(select(&NAMES[..])), 0_i64..3);
    (own, any::<(bool, bool)>(), roles, attributes).prop_map(
        |((username, email, time), (verified, enabled), roles, attributes)| {
            let mut profile = json!({
                "username": username, "verified": verified, "enabled": enabled,
                "createdOn": time, "lastModified": time + 1, "roles": roles,
                "attributes": attributes,
            });
            if let Some(email) = email {
                profile["email"] = json!(email);
            }
            profile
        },
    )
}

fn scalar() -> impl Strategy<Value = Value> {
    let mut numbers = vec![json!(0), json!(1), json!(1.0), json!(-1), json!(2.5), json!(1e-7)];
    numbers.extend([json!(1_u64 << 40), json!(u64::MAX), json!(-1.5e300)]);
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => select(numbers),
        5 => select(&TEXTS[..]).prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            btree_map(select(&KEYS[..]), inner, 0..3).prop_map(|fields| json!(fields)),
        ]
    })
}

fn filter(depth: u32, root: bool) -> BoxedStrategy<Value> {
    let field = (path(root), tests(depth)).prop_map(|(path, tests)| json!({ path: tests }));
    if depth == 0 {
        return field.boxed();
    }
    let nested = (select(vec!["$and", "$or", "$nor"]), vec(filter(depth - 1, root), 1..3))
        .prop_map(|(operator, parts)| json!({ operator: parts }));
    let several = (filter(depth - 1, root), filter(depth - 1, root)).prop_map(|(left, right)| {
        let (mut fields, more) = (left.as_object().unwrap().clone(), right);
        fields.extend(more.as_object().unwrap().clone());
        Value::Object(fields)
    });
    prop_oneof![4 => field, 2 => nested, 1 => several].boxed()
}

fn path(root: bool) -> BoxedStrategy<String> {
    match root {
        true => select(&PATHS[..]).prop_map(str::to_owned).boxed(),
        false => vec(select(&KEYS[..]), 1..3).prop_map(|keys| keys.join(".")).boxed(),
    }
}

fn tests(depth: u32) -> BoxedStrategy<Value> {
    let several = vec(test(depth), 1..3).prop_map(|tests| {
        let mut fields = Map::new();
        tests.into_iter().for_each(|test| fields.extend(test));
        Value::Object(fields)
    });
    let ids = (0_u64..4).prop_map(|number| json!(shown(id(number))));
    prop_oneof![3 => value(), 6 => several, 1 => ids].boxed()
}

fn test(depth: u32) -> BoxedStrategy<Map<String, Value>> {
    let one = |operator: &str, operand: BoxedStrategy<Value>| {
        let operator = operator.to_owned();
        operand.prop_map(move |value| Map::from_iter([(operator.clone(), value)])).boxed()
    };
    let many = || vec(value(), 0..4).prop_map(Value::from).boxed();
    let mut tests = vec![
        one("$eq", value().boxed()),
        one("$ne", value().boxed()),
        one("$in", many()),
        one("$nin", many()),
        one("$all", vec(value(), 0..3).prop_map(Value::from).boxed()),
        one("$exists", any::<bool>().prop_map(Value::from).boxed()),
        one("$size", (0..3).prop_map(Value::from).boxed()),
        one("$type", vec(select(&KINDS[..]), 1..3).prop_map(|kinds| json!(kinds)).boxed()),
        one("$mod", (1..4, 0..2).prop_map(|(divisor, rest)| json!([divisor, rest])).boxed()),
        (select(&PATTERNS[..]), select(&OPTIONS[..]))
            .prop_map(|(source, options)| {
                Map::from_iter([
                    ("$regex".to_owned(), json!(source)),
                    ("$options".to_owned(), json!(options)),
                ])
            })
            .boxed(),
    ];
    for operator in ["$gt", "$gte", "$lt", "$lte"] {
        tests.push(one(operator, scalar().boxed()));
    }
    if depth > 0 {
        let inner = test(depth - 1).prop_map(Value::Object).boxed();
        tests.push(one("$not", inner.clone()));
        tests.push(one("$elemMatch", inner.clone()));
        tests.push(one("$elemMatch", filter(depth - 1, false)));
        let nested = inner.prop_map(|test| json!([{ "$elemMatch": test }]));
        tests.push(one("$all", nested.boxed()));
    }
    proptest::strategy::Union::new(tests).boxed()
}
