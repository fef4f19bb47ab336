//! What a filter means, said directly: by walking a document. Knows no SQL.

use std::cmp::Ordering;

use dossier::domain::filter::{Choice, Filter, Kind, Order, Path, Regular, Test};
use dossier::domain::object_id::ObjectId;
use regex::bytes::RegexBuilder;
use serde_json::Value;

/// Whether the filter holds of this profile, given as clients would see it.
pub fn holds(filter: &Filter, profile: &Value) -> bool {
    holds_of(filter, profile, true)
}

fn holds_of(filter: &Filter, document: &Value, root: bool) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| holds_of(part, document, root)),
        Filter::Or(parts) => parts.iter().any(|part| holds_of(part, document, root)),
        Filter::Nor(parts) => !parts.iter().any(|part| holds_of(part, document, root)),
        Filter::Field(path, tests) => {
            let mut reached = Vec::new();
            walk(document, path.segments(), &mut reached);
            let special = if root { special(path) } else { None };
            tests.iter().all(|test| fits(test, &reached, special))
        }
    }
}

/// The type of what looks like another in JSON.
fn special(path: &Path) -> Option<Kind> {
    match path.segments() {
        [name] if name == "_id" || name == "id" => Some(Kind::Id),
        [name] if name == "createdOn" || name == "lastModified" => Some(Kind::Date),
        _ => None,
    }
}

fn walk<'v>(value: &'v Value, segments: &[String], reached: &mut Vec<&'v Value>) {
    let [segment, rest @ ..] = segments else {
        reached.push(value);
        return;
    };
    match value {
        Value::Object(fields) => {
            if let Some(value) = fields.get(segment) {
                walk(value, rest, reached);
            }
        }
        Value::Array(items) => {
            for item in items.iter().filter(|item| item.is_object()) {
                walk(item, segments, reached);
            }
            if let Some(item) = segment.parse::<usize>().ok().and_then(|place| items.get(place)) {
                walk(item, rest, reached);
            }
        }
        _ => {}
    }
}

fn fits(test: &Test, reached: &[&Value], special: Option<Kind>) -> bool {
    let any = |fits: &dyn Fn(&Value) -> bool| {
        reached.iter().any(|value| match value {
            Value::Array(items) => fits(value) || items.iter().any(fits),
            value => fits(value),
        })
    };
    match test {
        Test::Equal(Value::Null) => reached.is_empty() || any(&|value| value.is_null()),
        Test::Equal(wanted) => any(&|value| equal(value, wanted)),
        Test::Compare(Order::LessOrEqual | Order::GreaterOrEqual, Value::Null) => {
            fits(&Test::Equal(Value::Null), reached, special)
        }
        // What is no id is neither before nor behind one.
        Test::Compare(_, bound) if special == Some(Kind::Id) && !is_id(bound) => false,
        Test::Compare(order, bound) => any(&|value| on_side(value, *order, bound)),
        Test::In(choices) => choices.iter().any(|choice| match choice {
            Choice::Value(value) => fits(&Test::Equal(value.clone()), reached, special),
            Choice::Pattern(regular) => fits(&Test::Matches(regular.clone()), reached, special),
        }),
        Test::Exists(wanted) => reached.is_empty() != *wanted,
        Test::Size(size) => reached
            .iter()
            .any(|value| value.as_array().is_some_and(|items| items.len() as i64 == *size)),
        Test::Element(filter) => reached.iter().filter_map(|value| value.as_array()).any(|items| {
            items.iter().any(|item| item.is_object() && holds_of(filter, item, false))
        }),
        Test::ElementValue(tests) => {
            reached.iter().filter_map(|value| value.as_array()).any(|items| {
                items.iter().any(|item| tests.iter().all(|test| fits(test, &[item], None)))
            })
        }
        Test::Type(kinds) => any(&|value| kinds.iter().any(|kind| is(value, *kind, special))),
        Test::Modulo { divisor, remainder } => any(&|value| {
            value.as_f64().is_some_and(|number| {
                number.abs() < 9.2e18 && number.trunc() as i64 % divisor == *remainder
            })
        }),
        Test::Matches(_) if special.is_some() => false,
        Test::Matches(regular) => {
            any(&|value| value.as_str().is_some_and(|text| matches(regular, text)))
        }
        Test::Not(tests) => !tests.iter().all(|test| fits(test, reached, special)),
    }
}

/// Equal as Mongo has it, but for the order of fields.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| equal(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, l)| right.get(key).is_some_and(|r| equal(l, r)))
        }
        _ => left == right,
    }
}

fn on_side(value: &Value, order: Order, bound: &Value) -> bool {
    let found = match (value, bound) {
        (Value::Number(l), Value::Number(r)) => l.as_f64().partial_cmp(&r.as_f64()),
        (Value::String(l), Value::String(r)) => Some(l.as_bytes().cmp(r.as_bytes())),
        (Value::Bool(l), Value::Bool(r)) => Some(l.cmp(r)),
        _ => None,
    };
    found.is_some_and(|found| match order {
        Order::Less => found == Ordering::Less,
        Order::LessOrEqual => found != Ordering::Greater,
        Order::Greater => found == Ordering::Greater,
        Order::GreaterOrEqual => found != Ordering::Less,
    })
}

fn is(value: &Value, kind: Kind, special: Option<Kind>) -> bool {
    if let Some(special) = special {
        return kind == special;
    }
    let int = |number: f64| number.fract() == 0.0 && number.abs() < 2_147_483_648.0;
    let long = |number: f64| number.fract() == 0.0 && number.abs() < 9e18;
    match kind {
        Kind::Text => value.is_string(),
        Kind::Document => value.is_object(),
        Kind::List => value.is_array(),
        Kind::Boolean => value.is_boolean(),
        Kind::Null => value.is_null(),
        Kind::Number => value.is_number(),
        Kind::Int => value.as_f64().is_some_and(int),
        Kind::Long => value.as_f64().is_some_and(|number| long(number) && !int(number)),
        Kind::Double => value.as_f64().is_some_and(|number| !long(number)),
        Kind::Id | Kind::Date | Kind::Other => false,
    }
}

fn is_id(value: &Value) -> bool {
    value.as_str().is_some_and(|text| ObjectId::parse(text).is_some())
}

/// Classes and boundaries are those of ASCII.
fn matches(regular: &Regular, text: &str) -> bool {
    let mut source = regular.source().to_owned();
    let ascii = [
        ("\\w", "[0-9A-Za-z_]"),
        ("\\W", "[^0-9A-Za-z_]"),
        ("\\d", "[0-9]"),
        ("\\b", "(?-u:\\b)"),
        ("\\B", "(?-u:\\B)"),
    ];
    for (class, meaning) in ascii {
        source = source.replace(class, meaning);
    }
    let options = regular.options();
    RegexBuilder::new(&source)
        .case_insensitive(options.ignore_case)
        .multi_line(options.multi_line)
        .dot_matches_new_line(options.dot_all)
        .ignore_whitespace(options.extended)
        .build()
        .unwrap()
        .is_match(text.as_bytes())
}
