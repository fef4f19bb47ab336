//! What of a profile's attributes a caller gets to see (Crafter contract 4.7). Never decides who
//! may read them: that is asked for each name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::domain::personal::Personal;

/// Deepest dotted path that is followed, in names. Values are never nested deeper.
pub const PATH_NAMES_MAX: usize = 64;

/// Which attributes a caller asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AttributeToReturn {
    /// All there are to read.
    #[default]
    All,
    /// None at all.
    Nothing,
    /// These names; on reads also paths into them, as in `address.city`.
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

/// The readable ones among the attributes that were asked for. With `dotted` a path gives the part
/// it leads to, with what surrounds it, through lists too; without, names are taken as they stand.
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

/// What of a value is wanted.
enum Part<'a> {
    Whole,
    Within(BTreeMap<&'a str, Part<'a>>),
}

fn parts(paths: &[String], dotted: bool) -> BTreeMap<&str, Part<'_>> {
    let mut parts = BTreeMap::new();
    for path in paths {
        if dotted {
            // A longer path leads nowhere; followed, it would only cost.
            if path.split('.').count() <= PATH_NAMES_MAX {
                add(&mut parts, path);
            }
        } else {
            parts.insert(path.as_str(), Part::Whole);
        }
    }
    parts
}

/// Adds a path. Of a whole and a part of it the whole stays, whichever came first.
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

/// The wanted part of a value; nothing of what cannot have one. An object that lacks the part
/// remains as an empty one, an item of a list that cannot have one goes: as a Mongo projection.
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
