//! Which of a profile's attributes an answer shows (Crafter contract 4.7). Who may read an
//! attribute is decided elsewhere and asked for each name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::domain::personal::Personal;

/// Deepest dotted path that is followed, in names. Values are never nested deeper.
pub const PATH_NAMES_MAX: usize = 64;

/// The attributes that a caller asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AttributeToReturn {
    /// All that may be read.
    #[default]
    All,
    /// None at all.
    Nothing,
    /// These names; on reads also paths into them, such as `address.city`.
    Only(Vec<String>),
}

/// About how many bytes a value takes in memory.
pub fn weight(value: &Value) -> usize {
    let below: usize = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(fields) => fields.iter().map(|(name, one)| name.len() + weight(one)).sum(),
    };
    size_of::<Value>() + below
}

/// [`weight`] of attributes with their names.
pub fn weight_of_all(attributes: &BTreeMap<String, Personal<Value>>) -> usize {
    attributes.iter().map(|(name, value)| name.len() + weight(&value.0)).sum()
}

/// Those of the attributes that were asked for and may be read. With `dotted` a path selects the
/// part that it leads to, together with what encloses it, also through lists; without it, names are
/// taken literally.
pub fn returned(
    attributes: &BTreeMap<String, Value>,
    wanted: &AttributeToReturn,
    readable: impl Fn(&str) -> bool,
    dotted: bool,
) -> BTreeMap<String, Value> {
    let whole = Part::Whole;
    let parts = match wanted {
        AttributeToReturn::Nothing => return BTreeMap::new(),
        AttributeToReturn::All => None,
        AttributeToReturn::Only(paths) => Some(parts(paths, dotted)),
    };
    let asked_for = |name: &str| match &parts {
        None => Some(&whole),
        Some(parts) => parts.get(name),
    };
    attributes
        .iter()
        .filter(|(name, _)| readable(name))
        .filter_map(|(name, value)| Some((name.clone(), projected(value, asked_for(name)?)?)))
        .collect()
}

/// The wanted part of a value.
enum Part<'a> {
    Whole,
    Within(BTreeMap<&'a str, Part<'a>>),
}

fn parts(paths: &[String], dotted: bool) -> BTreeMap<&str, Part<'_>> {
    let mut parts = BTreeMap::new();
    for path in paths {
        if dotted {
            // A longer path leads nowhere; following it would only cost time.
            if path.split('.').count() <= PATH_NAMES_MAX {
                add(&mut parts, path);
            }
        } else {
            parts.insert(path.as_str(), Part::Whole);
        }
    }
    parts
}

/// Adds a path. If a whole and a part of it are wanted, the whole stays, in either order.
fn add<'a>(parts: &mut BTreeMap<&'a str, Part<'a>>, path: &'a str) {
    match path.split_once('.') {
        None => {
            parts.insert(path, Part::Whole);
        }
        Some((name, rest)) => {
            let within = || Part::Within(BTreeMap::new());
            if let Part::Within(inner) = parts.entry(name).or_insert_with(within) {
                add(inner, rest);
            }
        }
    }
}

/// The wanted part of a value; None if the value cannot have one. An object that lacks the part
/// stays as an empty object, an item of a list that cannot have it is removed: as in a projection
/// of Mongo.
fn projected(value: &Value, part: &Part) -> Option<Value> {
    match (part, value) {
        (Part::Whole, _) => Some(value.clone()),
        (Part::Within(parts), Value::Object(fields)) => {
            let kept = fields.iter().filter_map(|(name, value)| {
                Some((name.clone(), projected(value, parts.get(name.as_str())?)?))
            });
            Some(Value::Object(kept.collect::<Map<_, _>>()))
        }
        (Part::Within(_), Value::Array(items)) => {
            Some(items.iter().filter_map(|item| projected(item, part)).collect())
        }
        (Part::Within(_), _) => None,
    }
}
