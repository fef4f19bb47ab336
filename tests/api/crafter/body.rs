//! JSON bodies of the Crafter Profile face (contract 0).

use std::collections::BTreeMap;

use dossier::api::crafter::body::{DEPTH_MAX, Unreadable, object, objects, parse};
use dossier::api::crafter::error::Failure;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

const JSON: Option<&str> = Some("application/json");

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Bean {
    name: String,
    size: i64,
}

fn bean(body: &str) -> Result<Bean, Failure> {
    object(JSON, body.as_bytes())
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn an_object_is_read_whatever_the_charset_says() {
    let read = Bean { name: "x".to_owned(), size: 2 };
    let kinds = ["application/json", "Application/JSON;charset=utf-8", "application/json ; a=b"];
    for kind in kinds {
        assert_eq!(object::<Bean>(Some(kind), br#"{"name":"x","size":2}"#).unwrap(), read);
    }
    assert_eq!(bean(" {} ").unwrap(), Bean::default());
}

#[test]
fn other_content_types_are_415() {
    let kinds = [
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/vnd.x+json"),
        Some(""),
        None,
    ];
    for kind in kinds {
        let failure = object::<Bean>(kind, b"{}").unwrap_err();
        assert_eq!(failure, Failure::UnsupportedMediaType, "{kind:?}");
    }
}

#[test]
fn a_missing_body_is_400_with_or_without_content_type() {
    for (kind, body) in [(JSON, ""), (JSON, " \n"), (None, "")] {
        let failure = object::<Bean>(kind, body.as_bytes()).unwrap_err();
        assert_eq!(failure, Failure::invalid("a body is required"));
    }
}

#[test]
fn malformed_json_is_400() {
    for body in ["{", "{}x", "{'name':1}", "{name:\"x\"}", "nul", "{\"name\":\"\\ud800\"}"] {
        let failure = bean(body).unwrap_err();
        assert_eq!(failure, Failure::invalid("the body is unreadable: not JSON in UTF-8"));
    }
    assert!(object::<Bean>(JSON, b"{\"name\":\"\xff\"}").is_err());
}

#[test]
fn an_unknown_property_is_400_and_named() {
    let why = "the body's property nmae is unknown or of the wrong type";
    assert_eq!(bean(r#"{"nmae":"secret"}"#).unwrap_err(), Failure::invalid(why));
}

#[test]
fn a_value_of_another_type_is_400_and_not_repeated() {
    let why = "the body's property size is unknown or of the wrong type";
    assert_eq!(bean(r#"{"size":"secret"}"#).unwrap_err(), Failure::invalid(why));
}

#[test]
fn a_list_is_no_object_and_an_object_no_list() {
    for body in ["[]", "[\"x\",1]", "null", "\"x\"", "5"] {
        assert!(matches!(bean(body), Err(Failure::Invalid(_))), "{body}");
    }
    let list = |body: &str| objects::<Bean>(JSON, body.as_bytes());
    for body in ["{}", "null", "[[]]", "[null]", "[{},1]"] {
        assert!(matches!(list(body), Err(Failure::Invalid(_))), "{body}");
    }
    assert_eq!(list("[]").unwrap(), Vec::new());
    assert_eq!(list("[{},{\"size\":1}]").unwrap()[1].size, 1);
}

#[test]
fn any_object_can_be_read_as_a_map() {
    let map: BTreeMap<String, Value> = object(JSON, br#"{"a":null,"b":[1]}"#).unwrap();
    assert_eq!(json!(map), json!({"a": null, "b": [1]}));
}

#[test]
fn a_nul_is_refused_raw_or_escaped() {
    for text in ["{\"a\":\"\0\"}", r#"{"a":"\u0000"}"#, r#"{"\u0000":1}"#, r#"["\\\u0000"]"#] {
        assert_eq!(parse(text.as_bytes()), Err(Unreadable::Nul), "{text:?}");
    }
    assert_eq!(parse(br#"["\\u0000"]"#), Ok(json!(["\\u0000"])));
}

#[test]
fn nesting_is_bounded() {
    assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
    assert_eq!(parse(nested(DEPTH_MAX + 1).as_bytes()), Err(Unreadable::TooDeep));
    assert_eq!(parse(nested(500_000).as_bytes()), Err(Unreadable::TooDeep));
    // Brackets in texts are no nesting.
    assert_eq!(parse(format!("[{:?}]", "[{".repeat(99)).as_bytes()), Ok(json!(["[{".repeat(99)])));
    assert!(parse(format!("[{}1]", "[],".repeat(99)).as_bytes()).is_ok());
}

#[test]
fn the_mark_of_utf_8_does_not_count() {
    assert_eq!(parse(b"\xef\xbb\xbf{}"), Ok(json!({})));
}

proptest! {
    #[test]
    fn no_body_is_too_odd_to_be_judged(body: Vec<u8>) {
        let _ = object::<Bean>(JSON, &body);
    }

    #[test]
    fn what_is_written_is_read_again(text in "[^\0]*", number: i64) {
        let value = json!({"text": text, "list": [number, {}]});
        prop_assert_eq!(parse(value.to_string().as_bytes()), Ok(value));
    }
}
