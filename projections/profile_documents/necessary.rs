//! Conditions that an index can serve and that must hold before a condition that no index serves
//! can. They never demand more than that condition does.

use serde_json::Value;

use crate::domain::filter::{Choice, Filter, Path, Test, index};

use super::jsonpath;

/// Most equalities that are looked up in the index.
const EQUALITIES_MAX: usize = 16;

/// Conditions in jsonpath that hold of every document in which a list at `path` has an element that
/// fits the filter.
pub fn of_element(path: &str, filter: &Filter) -> Vec<String> {
    let mut found = Vec::new();
    collect_filter(&format!("{path}[*]"), filter, &mut found);
    found.truncate(EQUALITIES_MAX);
    found
}

/// Conditions in jsonpath that hold of every document in which `path` reaches this value, or a list
/// that contains it.
pub fn of_value(path: &str, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect_value(&format!("{path}[*]"), value, &mut found);
    found.truncate(EQUALITIES_MAX);
    found
}

fn collect_filter(base: &str, filter: &Filter, found: &mut Vec<String>) {
    match filter {
        Filter::And(parts) => parts.iter().for_each(|part| collect_filter(base, part, found)),
        Filter::Field(path, tests) => {
            let Some(path) = simple(base, path) else { return };
            tests.iter().for_each(|test| collect_test(&path, test, found));
        }
        Filter::Or(_) | Filter::Nor(_) => {}
    }
}

fn collect_test(path: &str, test: &Test, found: &mut Vec<String>) {
    match test {
        Test::Equal(value) if is_plain(value) => found.push(format!("{path} == {value}")),
        Test::In(choices) if !choices.is_empty() => {
            let equalities: Option<Vec<String>> = choices
                .iter()
                .map(|choice| match choice {
                    Choice::Value(value) if is_plain(value) => Some(format!("{path} == {value}")),
                    _ => None,
                })
                .collect();
            found.extend(equalities.map(|parts| format!("({})", parts.join(" || "))));
        }
        Test::Element(filter) => collect_filter(&format!("{path}[*]"), filter, found),
        _ => {}
    }
}

fn collect_value(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            items.iter().for_each(|item| collect_value(&format!("{path}[*]"), item, found));
        }
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            collect_value(&format!("{path}.{}", jsonpath::quoted(key)), value, found);
        }),
        scalar => found.push(format!("{path} == {scalar}")),
    }
}

/// The path, if there is only one way to read it.
fn simple(base: &str, path: &Path) -> Option<String> {
    let mut text = base.to_owned();
    for segment in path.segments() {
        if index(segment).is_some() {
            return None;
        }
        text.push('.');
        text.push_str(&jsonpath::quoted(segment));
    }
    Some(text)
}

/// Neither nested nor null: a missing field equals null too.
fn is_plain(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_))
}
