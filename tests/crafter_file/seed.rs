//! Seeds: the shipped one, what makes a file one, and what is said of mistakes.

use dossier::crafter_file::records::Record;
use dossier::crafter_file::seed::{SEED_BYTES_MAX, Seed, looks_like_seed, parse, read};
use dossier::domain::object_id::ObjectId;
use serde_json::json;

const SHIPPED: &str = include_str!("../../examples/crafter/seed.json");

fn seed(text: &str) -> Seed {
    parse("seed.json", text).unwrap_or_else(|problems| panic!("{problems:?}: {text}"))
}

fn problems(text: &str) -> Vec<String> {
    match parse("seed.json", text) {
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
        Ok(seed) => panic!("read as {seed:?}: {text}"),
    }
}

#[test]
fn the_shipped_seed_is_what_a_first_boot_makes() {
    let seed = seed(SHIPPED);
    assert_eq!(seed.unknown.warnings().count(), 0);
    let records: Vec<Record> = seed.entries.into_iter().map(|entry| entry.record).collect();
    let [
        Record::Tenant(tenant),
        Record::AccessToken(admin),
        Record::AccessToken(engine),
        Record::AccessToken(social),
        Record::Profile(profile),
    ] = records.as_slice()
    else {
        panic!("{records:?}")
    };
    assert_eq!((tenant.name.as_str(), tenant.id), ("default", None));
    assert_eq!(tenant.available_roles.len(), 4);
    let orders: Vec<_> = tenant
        .attribute_definitions
        .iter()
        .map(|one| one.metadata.as_ref().unwrap()["displayOrder"].clone())
        .collect();
    assert_eq!(orders, [json!(0), json!(1), json!(2), json!(3), json!(4), json!(5)]);
    let applications = [admin, engine, social].map(|token| token.application.as_deref().unwrap());
    assert_eq!(applications, ["profile-admin", "engine", "social"]);
    assert_eq!([admin, engine, social].map(|token| token.master), [true, false, false]);
    assert_eq!(profile.plain_password.as_ref().unwrap().expose(), "admin");
    assert_eq!(profile.password_hash, None);
    assert!(profile.enabled && !profile.verified);
    assert_eq!(profile.attributes["socialContexts"].0[0]["name"], json!("Default"));
}

#[test]
fn any_list_may_be_missing() {
    for text in ["{}", "\u{FEFF} {}", r#"{"tenant":[]}"#, r#"{"profile":null,"accesstoken":[]}"#] {
        assert_eq!(seed(text), Seed::default(), "{text}");
    }
}

#[test]
fn an_id_is_read_from_either_name_and_either_form() {
    for id in [
        r#""_id":{"$oid":"5926ee77d4c6ad51e5e44f45"}"#,
        r#""_id":"5926ee77d4c6ad51e5e44f45""#,
        r#""id":"5926ee77d4c6ad51e5e44f45""#,
    ] {
        let seed = seed(&format!(r#"{{"tenant":[{{"name":"a",{id}}}]}}"#));
        let Record::Tenant(tenant) = &seed.entries[0].record else { panic!() };
        assert_eq!(ObjectId::of(tenant.id.unwrap()).0[11], 0x45, "{id}");
        assert_eq!(seed.unknown.warnings().count(), 0, "{id}");
    }
}

#[test]
fn a_password_in_stored_form_is_a_hash_and_any_other_is_plain() {
    let stored = "sORCzbSkS7akbJ9vnRxidHmQKACXK6AGKE3i5NTutLM=|AAECAwQFBgcICQoLDA0ODw==";
    for (password, is_hash) in
        [(stored, true), ("admin", false), ("YQ==|Yg==", false), ("|", false)]
    {
        let text =
            format!(r#"{{"profile":[{{"username":"a","tenant":"t","password":"{password}"}}]}}"#);
        let seed = seed(&text);
        let Record::Profile(profile) = &seed.entries[0].record else { panic!() };
        let (held, other) = match is_hash {
            true => (&profile.password_hash, &profile.plain_password),
            false => (&profile.plain_password, &profile.password_hash),
        };
        assert_eq!(held.as_ref().map(|secret| secret.expose()), Some(password));
        assert_eq!(*other, None);
    }
}

#[test]
fn all_mistakes_are_named_in_order_of_line() {
    let text = r#"{
  "profile": [
    {"username": "a", "tenant": "t"},
    {"username": "b"},
    {"username": "c", "tenant": "t",
     "email": 1}
  ],
  "accesstoken": {},
  "tenant": [
    {"name": ""}, 7
  ]
}"#;
    let expected = [
        "seed.json line 4: \"tenant\" is missing",
        "seed.json line 5: \"email\" is not a string",
        "seed.json line 8: \"accesstoken\" is not a list",
        "seed.json line 10: \"name\" is empty",
        "seed.json line 10: a record is not an object",
    ];
    assert_eq!(problems(text), expected);
}

#[test]
fn broken_syntax_is_refused_on_its_line() {
    assert_eq!(problems("{\n\"tenant\": [\n{]\n}"), ["seed.json line 3: key must be a string"]);
    assert_eq!(problems("\u{FEFF}[]"), ["seed.json line 1: a seed is one JSON object"]);
    assert_eq!(problems(""), ["seed.json line 1: a seed is one JSON object"]);
    assert_eq!(problems("{}\n{}"), ["seed.json line 2: trailing characters"]);
}

#[test]
fn a_list_nobody_knows_or_twice_the_same_is_refused() {
    assert_eq!(
        problems("{\n\"tenants\":[]}"),
        ["seed.json line 2: unknown field `tenants`, expected one of `accesstoken`, `tenant`, \
          `profile`"]
    );
    assert_eq!(
        problems("{\"tenant\":[],\n\"tenant\":[]}"),
        ["seed.json line 2: duplicate field `tenant`"]
    );
}

#[test]
fn messages_never_show_a_value() {
    for text in [
        r#""hunter2""#,
        r#"{"profile":"hunter2"}"#,
        r#"{"profile":["hunter2"]}"#,
        r#"{"profile":[{"username":["hunter2"]}]}"#,
        r#"{"profile":[{"password":{"a":"hunter2"}}]}"#,
        r#"{"profile":[{"username":{"$oid":"hunter2"}}]}"#,
    ] {
        let problems = problems(text);
        assert!(!problems.concat().contains("hunter2"), "{problems:?}");
    }
}

#[test]
fn a_seed_is_read_from_any_source_within_its_bound() {
    assert_eq!(read("seed.json", SHIPPED.as_bytes()), parse("seed.json", SHIPPED));
    let refused = |bytes: &[u8]| read("seed.json", bytes).unwrap_err()[0].to_string();
    assert_eq!(refused(b"{\xff}"), "seed.json line 1: not UTF-8");
    let blanks = vec![b' '; SEED_BYTES_MAX as usize + 1];
    assert_eq!(refused(&blanks), "seed.json line 1: a seed has at most 64 MiB: use an export");
    assert_eq!(refused(&blanks[1..]), "seed.json line 1: a seed is one JSON object");
}

#[test]
fn a_seed_is_told_by_its_first_field() {
    for text in [SHIPPED, "\u{FEFF}{\"tenant\":[", " {\r\n\t\"accesstoken\" : [", "{\"profile\":[{"]
    {
        assert!(looks_like_seed(text.as_bytes()), "{text}");
    }
    for text in [
        "",
        "{",
        "{}",
        "[[tenants]]\nname = \"tenant\"",
        "{\"tenants\":[",
        "{\"tenant\":\"default\",\"username\":\"a\"}",
        "{\"tenant\"",
        "{\"id\":\"L1\",\"name\":\"Ada\"}",
        "{\"_id\":{\"$oid\":\"",
        "[{\"tenant\":[",
    ] {
        assert!(!looks_like_seed(text.as_bytes()), "{text}");
    }
}
