//! Parameters of the Crafter Profile face (contract 0 and 4.7).

use dossier::api::crafter::error::Failure;
use dossier::api::crafter::parameters::{
    NAME_BYTES_MAX, PARAMETERS_BYTES_MAX, PARAMETERS_MAX, Page, Parameters, Sort, SortOrder,
};
use dossier::domain::attributes::AttributeToReturn;
use proptest::prelude::*;
use serde_json::json;

const FORM: Option<&str> = Some("application/x-www-form-urlencoded;charset=UTF-8");

fn query(text: &str) -> Parameters {
    Parameters::read(Some(text), None, b"").unwrap()
}

#[track_caller]
fn is_invalid<T: std::fmt::Debug>(result: Result<T, Failure>) {
    assert!(matches!(result, Err(Failure::Invalid(_))), "{result:?}");
}

fn items(list: &[&str]) -> Vec<String> {
    list.iter().map(|item| (*item).to_owned()).collect()
}

#[test]
fn query_and_form_are_merged_query_first() {
    let parameters = Parameters::read(Some("a=1&b=2"), FORM, b"a=3&c=4").unwrap();
    assert_eq!(parameters.first("a"), Some("1"));
    assert_eq!(parameters.list("a"), Ok(Some(items(&["1", "3"]))));
    assert_eq!((parameters.first("b"), parameters.first("c")), (Some("2"), Some("4")));
    let form = Parameters::read(None, Some("APPLICATION/X-WWW-FORM-URLENCODED"), b"a=1").unwrap();
    assert_eq!(form.first("a"), Some("1"));
}

#[test]
fn a_body_that_is_no_form_holds_no_parameters() {
    for kind in [None, Some("application/json"), Some("multipart/form-data; boundary=x")] {
        let parameters = Parameters::read(Some("a=1"), kind, b"b=%zz").unwrap();
        assert_eq!((parameters.first("a"), parameters.first("b")), (Some("1"), None));
    }
}

#[test]
fn fields_of_a_multipart_form_follow_the_query() {
    let fields = [("a".to_owned(), "2%20".to_owned()), ("b".to_owned(), "x+y".to_owned())];
    let parameters = Parameters::of_multipart(Some("a=1"), fields).unwrap();
    assert_eq!(parameters.list("a"), Ok(Some(items(&["1", "2%20"]))));
    assert_eq!(parameters.first("b"), Some("x+y"));
    is_invalid(Parameters::of_multipart(None, [("a".to_owned(), "\0".to_owned())]));
}

#[test]
fn escapes_are_decoded() {
    let parameters = query("na%6De=%C3%A9+%26%3d%2b+%f0%9f%99%82&x=a=b");
    assert_eq!(parameters.first("name"), Some("é &=+ 🙂"));
    assert_eq!(parameters.first("x"), Some("a=b"));
}

#[test]
fn a_name_alone_has_an_empty_value_and_a_value_alone_counts_for_nothing() {
    let parameters = query("&a&&b=&=c&");
    assert_eq!((parameters.first("a"), parameters.first("b")), (Some(""), Some("")));
    assert_eq!(format!("{parameters:?}"), r#"["a", "b"]"#);
}

#[test]
fn bad_escapes_bad_utf_8_and_nul_are_refused() {
    for text in ["a=%", "a=%4", "a=%zz", "a=%+1", "%=a", "a=%ff", "a=%c3", "a=%00", "%00=a"] {
        is_invalid(Parameters::read(Some(text), None, b""));
        is_invalid(Parameters::read(None, FORM, text.as_bytes()));
    }
    is_invalid(Parameters::read(None, FORM, b"a=\xff"));
    is_invalid(Parameters::read(None, FORM, b"a=\0"));
}

#[test]
fn parameters_are_bounded_in_number_and_length() {
    let many = |count: usize| Parameters::read(Some(&"a=1&".repeat(count)), None, b"");
    assert!(many(PARAMETERS_MAX).is_ok());
    is_invalid(many(PARAMETERS_MAX + 1));
    let named = |bytes: usize| Parameters::read(Some(&"n".repeat(bytes)), None, b"");
    assert!(named(NAME_BYTES_MAX).is_ok());
    let passed_over = named(NAME_BYTES_MAX + 1).unwrap();
    assert_eq!(passed_over.first(&"n".repeat(NAME_BYTES_MAX + 1)), None);
    let long = |bytes: usize| format!("a={}", "x".repeat(bytes - 2));
    assert!(Parameters::read(None, FORM, long(PARAMETERS_BYTES_MAX).as_bytes()).is_ok());
    is_invalid(Parameters::read(None, FORM, long(PARAMETERS_BYTES_MAX + 1).as_bytes()));
    let field = |bytes: usize| [("a".to_owned(), "x".repeat(bytes - 1))];
    assert!(Parameters::of_multipart(None, field(PARAMETERS_BYTES_MAX)).is_ok());
    is_invalid(Parameters::of_multipart(None, field(PARAMETERS_BYTES_MAX + 1)));
}

#[test]
fn what_is_held_is_not_shown_to_a_log() {
    assert_eq!(format!("{:?}", query("password=secret")), r#"["password"]"#);
}

#[test]
fn a_required_parameter_may_be_empty_but_not_missing() {
    assert_eq!(query("a=").required("a"), Ok(""));
    is_invalid(query("A=1").required("a"));
    assert_eq!(query("a=").filled("a"), Ok(None));
    assert_eq!(query("a= ").filled("a"), Ok(Some(" ")));
    assert_eq!(query("").optional("a"), Ok(None));
}

#[test]
fn a_single_value_given_twice_must_be_the_same() {
    assert_eq!(query("a=x&a=x").required("a"), Ok("x"));
    is_invalid(query("a=x&a=y").required("a"));
    is_invalid(query("a=1&a=2").integer("a"));
    is_invalid(query("a=1&a=").boolean("a"));
    assert_eq!(query("a=x&a=y").first("a"), Some("x"));
}

#[test]
fn a_list_is_repeated_or_separated_by_commas() {
    let list = |text: &str| query(text).list("role").unwrap();
    assert_eq!(list("role=A&role=B"), Some(items(&["A", "B"])));
    assert_eq!(list("role=A,B"), Some(items(&["A", "B"])));
    assert_eq!(list("role=+A+,%20B"), Some(items(&["A", "B"])));
    assert_eq!(list("role=A"), Some(items(&["A"])));
    assert_eq!(list("role=A,,B,"), Some(items(&["A", "B"])));
}

#[test]
fn commas_are_not_split_where_a_list_is_repeated() {
    let list = query("role=A,B&role=+C").list("role").unwrap();
    assert_eq!(list, Some(items(&["A,B", " C"])));
}

#[test]
fn one_empty_value_is_an_empty_list_and_no_value_is_none() {
    assert_eq!(query("role=").list("role"), Ok(Some(Vec::new())));
    assert_eq!(query("x=1").list("role"), Ok(None));
    assert_eq!(query("role=").required_list("role"), Ok(Vec::new()));
    is_invalid(query("x=1").required_list("role"));
}

#[test]
fn a_list_has_at_most_a_thousand_items() {
    let list = |count: usize| query(&format!("id={}", "x,".repeat(count))).list("id");
    assert_eq!(list(PARAMETERS_MAX).unwrap().map(|items| items.len()), Some(PARAMETERS_MAX));
    is_invalid(list(PARAMETERS_MAX + 1));
}

#[test]
fn booleans_have_four_words_each_in_any_case() {
    let boolean = |text: &str| query(&format!("b={text}")).boolean("b");
    for text in ["true", "on", "yes", "1", "TRUE", "On", "+yes+"] {
        assert_eq!(boolean(text), Ok(Some(true)), "{text}");
    }
    for text in ["false", "off", "no", "0", "False", "OFF"] {
        assert_eq!(boolean(text), Ok(Some(false)), "{text}");
    }
    assert_eq!(boolean(""), Ok(None));
    assert_eq!(query("").boolean("b"), Ok(None));
    for text in ["2", "t", "enabled", "null"] {
        is_invalid(boolean(text));
    }
}

#[test]
fn a_required_boolean_cannot_be_empty() {
    assert_eq!(query("b=no").required_boolean("b"), Ok(false));
    is_invalid(query("b=").required_boolean("b"));
    is_invalid(query("").required_boolean("b"));
}

#[test]
fn integers_are_decimal_and_have_32_bits() {
    let integer = |text: &str| query(&format!("n={text}")).integer("n");
    assert_eq!(integer("42"), Ok(Some(42)));
    assert_eq!(integer("-2147483648"), Ok(Some(i32::MIN)));
    assert_eq!(integer("2147483647"), Ok(Some(i32::MAX)));
    assert_eq!(integer(""), Ok(None));
    for text in ["2147483648", "1.0", "1e3", "0x10", "1,000", "x", "%D9%A3"] {
        is_invalid(integer(text));
    }
}

#[test]
fn sorting_is_descending_unless_it_says_otherwise() {
    let by = |order| Some(Sort { by: "attributes.lastName".to_owned(), order });
    let sort = |text: &str| query(&format!("sortBy=attributes.lastName&{text}")).sort();
    assert_eq!(sort(""), Ok(by(SortOrder::Descending)));
    assert_eq!(sort("sortOrder="), Ok(by(SortOrder::Descending)));
    assert_eq!(sort("sortOrder=DESC"), Ok(by(SortOrder::Descending)));
    assert_eq!(sort("sortOrder=ASC"), Ok(by(SortOrder::Ascending)));
    assert_eq!(query("sortOrder=ASC").sort(), Ok(None));
    assert_eq!(query("sortBy=&sortOrder=ASC").sort(), Ok(None));
    for order in ["asc", "Desc", "ASCENDING", "+ASC", "1"] {
        is_invalid(sort(&format!("sortOrder={order}")));
    }
    is_invalid(query("sortOrder=up").sort());
}

#[test]
fn a_count_counts_only_beside_a_start() {
    let page = |text: &str| query(text).page();
    assert_eq!(page(""), Ok(Page { start: 0, count: None }));
    assert_eq!(page("count=5"), Ok(Page { start: 0, count: None }));
    assert_eq!(page("start=2"), Ok(Page { start: 2, count: None }));
    assert_eq!(page("start=0&count=5"), Ok(Page { start: 0, count: Some(5) }));
    assert_eq!(page("start=3&count=0"), Ok(Page { start: 3, count: None }));
    for text in ["start=-1", "start=0&count=-1", "count=x", "start=9999999999"] {
        is_invalid(page(text));
    }
}

#[test]
fn attributes_to_return_are_all_some_or_none() {
    let wanted = |text: &str| query(text).attribute_to_return().unwrap();
    assert_eq!(wanted(""), AttributeToReturn::All);
    assert_eq!(wanted("attributeToReturn="), AttributeToReturn::All);
    let some = AttributeToReturn::Only(items(&["a", "b.c"]));
    assert_eq!(wanted("attributeToReturn=a,b.c"), some);
    assert_eq!(wanted("attributeToReturn=a&attributeToReturn=b.c"), some);
    assert_eq!(wanted("attributeToReturn=$none"), AttributeToReturn::Nothing);
    assert_eq!(wanted("attributeToReturn=a,$none,b"), AttributeToReturn::Nothing);
}

#[test]
fn a_json_object_is_read_from_a_parameter() {
    let object = |text: &str| query(&format!("attributes={text}")).json_object("attributes");
    assert_eq!(object("{\"a\":[1,null]}").map(|read| json!(read)), Ok(json!({"a": [1, null]})));
    assert_eq!(object(""), Ok(None));
    assert_eq!(query("").json_object("attributes"), Ok(None));
    for text in ["[]", "null", "5", "{", "firstName", "{\"a\":\"\\u0000\"}", &"[".repeat(999)] {
        assert_eq!(object(text), Err(Failure::NoJsonObject("attributes".to_owned())), "{text}");
    }
}

proptest! {
    #[test]
    fn no_request_is_too_odd_to_be_judged(text: String, body: Vec<u8>, name: String) {
        if let Ok(parameters) = Parameters::read(Some(&text), FORM, &body) {
            let _ = (parameters.list(&name), parameters.integer(&name), parameters.page());
            let _ = (parameters.boolean(&name), parameters.json_object(&name));
        }
    }

    #[test]
    fn every_value_comes_through_its_escapes(value in "[^\0]*") {
        let escaped: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let parameters = query(&format!("a={escaped}"));
        prop_assert_eq!(parameters.required("a"), Ok(value.as_str()));
    }
}
