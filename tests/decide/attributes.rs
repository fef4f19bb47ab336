//! What of a profile's attributes is returned (Crafter contract 4.7).

use std::collections::BTreeMap;

use dossier::domain::attributes::{AttributeToReturn, PATH_NAMES_MAX, returned};
use serde_json::{Value, json};

fn attributes(value: Value) -> BTreeMap<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn only(paths: &[&str]) -> AttributeToReturn {
    AttributeToReturn::Only(paths.iter().map(|path| (*path).to_owned()).collect())
}

/// What a read gives of these attributes, all of them readable.
fn read(held: Value, paths: &[&str]) -> Value {
    json!(returned(&attributes(held), &only(paths), |_| true, true))
}

#[test]
fn all_that_is_readable_is_returned_unless_names_are_given() {
    let held = attributes(json!({"first": "Ada", "secret": 1, "nothing": null}));
    let readable = |name: &str| name != "secret";
    for dotted in [true, false] {
        let all = returned(&held, &AttributeToReturn::All, readable, dotted);
        assert_eq!(json!(all), json!({"first": "Ada", "nothing": null}));
    }
}

#[test]
fn nothing_is_returned_where_nothing_is_asked_for() {
    let held = attributes(json!({"first": "Ada"}));
    let wanted = AttributeToReturn::Nothing;
    assert_eq!(returned(&held, &wanted, |_| true, true), BTreeMap::new());
}

#[test]
fn only_the_names_given_are_returned() {
    let held = json!({"first": "Ada", "last": "Lovelace", "age": 36});
    let some = json!({"age": 36, "first": "Ada"});
    assert_eq!(read(held, &["age", "first", "unknown", "", "."]), some);
}

#[test]
fn asking_for_what_may_not_be_read_gives_nothing_of_it() {
    let held = attributes(json!({"secret": {"code": 7}, "open": 1}));
    let wanted = only(&["secret", "secret.code", "open"]);
    let seen = returned(&held, &wanted, |name| name != "secret", true);
    assert_eq!(json!(seen), json!({"open": 1}));
}

#[test]
fn a_path_gives_the_part_it_leads_to_with_what_surrounds_it() {
    let held = json!({"address": {"city": "London", "geo": {"lat": 51, "lon": 0}}, "age": 36});
    let city = json!({"address": {"city": "London"}});
    assert_eq!(read(held.clone(), &["address.city"]), city);
    let both = json!({"address": {"city": "London", "geo": {"lat": 51}}});
    assert_eq!(read(held, &["address.geo.lat", "address.city"]), both);
}

#[test]
fn a_path_goes_through_lists_and_drops_items_that_cannot_have_the_part() {
    let held = json!({"sites": [{"id": 1, "name": "a"}, 5, {"name": "b"}, [{"id": 2}, "x"]]});
    let ids = json!({"sites": [{"id": 1}, {}, [{"id": 2}]]});
    assert_eq!(read(held, &["sites.id"]), ids);
}

#[test]
fn an_object_without_the_part_is_returned_empty_and_other_values_not_at_all() {
    let held = json!({"address": {"city": "London"}, "age": 36, "none": null});
    assert_eq!(read(held, &["address.street", "age.years", "none.more"]), json!({"address": {}}));
}

#[test]
fn the_whole_wins_over_a_part_of_it() {
    let held = json!({"address": {"city": "London", "zip": 1}});
    for paths in [["address", "address.city"], ["address.city", "address"]] {
        assert_eq!(read(held.clone(), &paths), held);
    }
}

#[test]
fn updates_know_exact_names_only() {
    let held = attributes(json!({"address": {"city": "London"}, "a.b": 1}));
    let seen = returned(&held, &only(&["address.city", "a.b"]), |_| true, false);
    assert_eq!(json!(seen), json!({"a.b": 1}));
}

#[test]
fn a_path_is_followed_to_its_bound_and_not_beyond() {
    let nested = (1..PATH_NAMES_MAX).fold(json!("leaf"), |inner, _| json!({"a": inner}));
    let path = |names: usize| vec!["a"; names].join(".");
    let held = json!({"a": nested});
    assert_eq!(read(held.clone(), &[&path(PATH_NAMES_MAX)]), held);
    assert_eq!(read(held.clone(), &[&path(PATH_NAMES_MAX + 1)]), json!({}));
    assert_eq!(read(held, &[&path(500_000)]), json!({}));
}
