//! What holds of any input: no panic, no loss, and the same records however they are cut.

use std::io::BufReader;

use dossier::crafter_file::extended::typed;
use dossier::crafter_file::problem::Problem;
use dossier::crafter_file::read::{Entry, Reading};
use dossier::crafter_file::records::{Collection, Record};
use dossier::crafter_file::seed::{looks_like_seed, parse, read};
use dossier::domain::naming::readable;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

fn read_by(buffer_bytes: usize, bytes: &[u8]) -> Vec<Result<Entry, Problem>> {
    let source = BufReader::with_capacity(buffer_bytes, bytes);
    Reading::new(Collection::Profile, "profile.json", source).collect()
}

/// Any JSON, with names that mean something.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(vec!["5926ee77d4c6ad51e5e44f45", "2020-01-01T00:00:00Z", "YQ==", "04", "-1"])
            .prop_map(Value::from),
    ];
    let name = prop_oneof![
        select(vec![
            "_id",
            "id",
            "name",
            "username",
            "tenant",
            "email",
            "password",
            "roles",
            "attributes",
            "createdOn",
            "tenantPermissions",
            "attributeDefinitions",
            "metadata",
            "permissions",
            "allowedActions",
            "profile",
            "accesstoken",
            "failedLoginAttempts",
            "$oid",
            "$date",
            "$numberLong",
            "$numberInt",
            "$numberDouble",
            "$numberDecimal",
            "$uuid",
            "$binary",
            "$type",
            "base64",
            "subType",
            "$regex",
            "$options",
            "$regularExpression",
            "$code",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(name.clone(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Text made of what the scanner looks at.
fn any_scraps() -> impl Strategy<Value = Vec<u8>> {
    let scraps = select(vec![
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b"\"",
        b"\\",
        b"\n",
        b"\r",
        b",",
        b":",
        b" ",
        b"a",
        b"1",
        b"\xEF\xBB\xBF",
        b"\xEF",
        b"\xff",
        b"\0",
        b"null",
        b"\"_id\":",
        b"{\"tenant\":[",
    ]);
    vec(scraps, 0..80).prop_map(|scraps| scraps.concat())
}

/// A profile that can be read, and its user name.
fn any_profile() -> impl Strategy<Value = (String, Value)> {
    // What has a `$` name or a NUL character may rightly be refused.
    let word = "[^$\0\\p{C}][^\0]{0,8}";
    let name = word.prop_filter("a name is readable", |name| readable(name).is_ok());
    (name, btree_map(word, vec(word, 0..3), 0..4), any::<[u8; 12]>()).prop_map(
        |(username, attributes, id)| {
            let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            let record = json!({
                "_id": {"$oid": id}, "username": username, "tenant": "t", "attributes": attributes,
            });
            (username, record)
        },
    )
}

proptest! {
    #[test]
    fn random_bytes_never_panic_and_any_buffer_gives_the_same(
        bytes in prop_oneof![vec(any::<u8>(), 0..300), any_scraps()],
        buffer_bytes in 1_usize..9,
    ) {
        let whole = read_by(4096, &bytes);
        prop_assert_eq!(read_by(buffer_bytes, &bytes), whole);
        looks_like_seed(&bytes);
        let _ = read("seed.json", bytes.as_slice());
    }

    #[test]
    fn random_json_never_panics(value in any_json()) {
        if let Ok(typed) = typed(value.clone()) {
            typed.into_json();
        }
        let text = value.to_string();
        for collection in Collection::ALL {
            let source = text.as_bytes();
            Reading::new(collection, "file.json", source).for_each(drop);
            let _ = parse("seed.json", &format!("{{\"{}\":[{text}]}}", collection.name()));
        }
        let _ = parse("seed.json", &text);
    }

    #[test]
    fn every_shape_of_a_file_gives_the_records_of_the_whole(
        profiles in vec(any_profile(), 0..5),
        buffer_bytes in 1_usize..64,
        shape in 0..5,
    ) {
        let values: Vec<Value> = profiles.iter().map(|(_, value)| value.clone()).collect();
        let lines = |text: fn(&Value) -> String, between: &str| {
            values.iter().map(text).collect::<Vec<_>>().join(between)
        };
        let pretty: fn(&Value) -> String = |value| serde_json::to_string_pretty(value).unwrap();
        let text = match shape {
            0 => lines(Value::to_string, "\n"),
            1 => lines(Value::to_string, "\r\n\r\n") + "\r\n",
            2 => Value::from(values.clone()).to_string(),
            3 => lines(pretty, "\n"),
            _ => pretty(&Value::from(values.clone())),
        };
        let streamed: Vec<Record> = read_by(buffer_bytes, text.as_bytes())
            .into_iter()
            .map(|item| item.map(|entry| entry.record).map_err(|problem| problem.to_string()))
            .collect::<Result<_, _>>()
            .map_err(TestCaseError::fail)?;
        let whole = parse("seed.json", &json!({"profile": values}).to_string());
        let whole: Vec<Record> =
            whole.unwrap().entries.into_iter().map(|entry| entry.record).collect();
        prop_assert_eq!(&streamed, &whole);
        for (record, (username, _)) in streamed.iter().zip(&profiles) {
            let Record::Profile(profile) = record else { panic!("not a profile") };
            prop_assert_eq!(&profile.username.0, username);
        }
    }

    #[test]
    fn a_broken_line_costs_no_other_line(
        before in any_profile(),
        after in any_profile(),
        scraps in any_scraps(),
    ) {
        // A line of its own that does not look like the beginning of the next record.
        let broken: Vec<u8> = scraps.into_iter().filter(|byte| *byte != b'\n').collect();
        let bytes =
            [before.1.to_string().as_bytes(), b"\n", &broken, b"\n", after.1.to_string().as_bytes()]
                .concat();
        let items = read_by(64, &bytes);
        let names: Vec<String> = items
            .into_iter()
            .filter_map(|item| match item.ok()?.record {
                Record::Profile(profile) => Some(profile.username.0),
                _ => None,
            })
            .collect();
        prop_assert_eq!(names, [before.0, after.0]);
    }
}
