//! Turns MongoDB's Extended JSON, versions 1 and 2, canonical and relaxed, into typed values.
//!
//! Unknown forms are refused: values are never guessed, and never shown in a message.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike, Utc};
use serde_json::{Map, Number, Value};
use uuid::Uuid;

use crate::domain::object_id::{OBJECT_ID_BYTES, ObjectId};

use super::problem::quoted;

/// Deepest nesting of lists and objects: MongoDB's own bound.
pub const DEPTH_MAX: usize = 100;

/// A value with its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Typed {
    Null,
    Bool(bool),
    Int(i64),
    /// Always finite.
    Double(f64),
    /// A decimal number as written; its digits may be more than a double holds.
    Decimal(String),
    Text(String),
    Time(DateTime<Utc>),
    ObjectId(ObjectId),
    Uuid(Uuid),
    Pattern {
        pattern: String,
        options: String,
    },
    List(Vec<Typed>),
    Document(BTreeMap<String, Typed>),
}

/// Why a value is refused. Shown as `"attributes.born": "$date" is not a time`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Innermost name first.
    path: Vec<String>,
    reason: String,
}

impl Typed {
    /// The value as the API shows it: a time as epoch milliseconds, an ObjectId as hex, a decimal
    /// as a number if no digit is lost, otherwise as text.
    pub fn into_json(self) -> Value {
        match self {
            Typed::Null => Value::Null,
            Typed::Bool(value) => Value::Bool(value),
            Typed::Int(value) => value.into(),
            Typed::Double(value) => value.into(),
            Typed::Decimal(text) => decimal_json(text),
            Typed::Text(text) => Value::String(text),
            Typed::Time(time) => time.timestamp_millis().into(),
            Typed::ObjectId(id) => Value::String(id.to_string()),
            Typed::Uuid(id) => Value::String(id.to_string()),
            Typed::Pattern { pattern, options } => Value::String(format!("/{pattern}/{options}")),
            Typed::List(items) => items.into_iter().map(Typed::into_json).collect(),
            Typed::Document(fields) => {
                fields.into_iter().map(|(name, value)| (name, value.into_json())).collect()
            }
        }
    }
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.path.is_empty() {
            let path: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
            write!(formatter, "{}: ", quoted(&path.join(".")))?;
        }
        formatter.write_str(&self.reason)
    }
}

/// Types a JSON value.
///
/// # Errors
/// An unknown extension, an extension with an impossible value, a NUL character, an integer beyond
/// 64 bits, nesting deeper than [`DEPTH_MAX`].
pub fn typed(value: Value) -> Result<Typed, Unreadable> {
    below(value, DEPTH_MAX)
}

/// A time from text: RFC 3339, or as version 1 writes it, with an offset without a colon.
pub(super) fn time_of_text(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    bounded(time.ok()?.with_timezone(&Utc))
}

/// A time from milliseconds since 1970.
pub(super) fn time_of_millis(millis: i64) -> Option<DateTime<Utc>> {
    bounded(DateTime::from_timestamp_millis(millis)?)
}

/// The id of 24 hex digits.
pub(super) fn object_id_of_hex(text: &str) -> Option<ObjectId> {
    (text.len() == 2 * OBJECT_ID_BYTES).then(|| ObjectId::parse(text)).flatten()
}

fn below(value: Value, depth_left: usize) -> Result<Typed, Unreadable> {
    let nested = matches!(value, Value::Array(_) | Value::Object(_));
    if nested && depth_left == 0 {
        return Err(unreadable(format!("nested deeper than {DEPTH_MAX}")));
    }
    match value {
        Value::Null => Ok(Typed::Null),
        Value::Bool(value) => Ok(Typed::Bool(value)),
        Value::Number(number) => plain_number(&number).map_err(unreadable),
        Value::String(text) => without_nul(text).map(Typed::Text).map_err(unreadable),
        Value::Array(items) => {
            let items = items.into_iter().enumerate().map(|(index, item)| {
                below(item, depth_left - 1).map_err(|error| error.inside(&index.to_string()))
            });
            items.collect::<Result<_, _>>().map(Typed::List)
        }
        Value::Object(fields) if fields.keys().any(|name| name.starts_with('$')) => {
            extension(fields).map_err(unreadable)
        }
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let name = without_nul(name).map_err(unreadable)?;
                match below(value, depth_left - 1) {
                    Ok(value) => Ok((name, value)),
                    Err(error) => Err(error.inside(&name)),
                }
            });
            fields.collect::<Result<_, _>>().map(Typed::Document)
        }
    }
}

/// An object with a `$` name stands for a type that JSON lacks.
fn extension(fields: Map<String, Value>) -> Result<Typed, String> {
    let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    let values: Vec<&Value> = fields.iter().map(|(_, value)| value).collect();
    let (read, expected) = match (names.as_slice(), values.as_slice()) {
        (["$oid"], [value]) => (object_id(value), "an ObjectId"),
        (["$date"], [value]) => (time(value), "a time"),
        (["$numberLong"], [value]) => (int(value).map(Typed::Int), "a whole number of 64 bits"),
        (["$numberInt"], [value]) => {
            let int = int(value).filter(|int| i32::try_from(*int).is_ok());
            (int.map(Typed::Int), "a whole number of 32 bits")
        }
        (["$numberDouble"], [value]) => (double(value), "a finite number"),
        (["$numberDecimal"], [value]) => (decimal(value), "a finite number"),
        (["$uuid"], [value]) => (uuid(value), "a UUID"),
        (["$binary"], [value]) => (binary(value), "a UUID"),
        (["$binary", "$type"], [value, kind]) => (uuid_bytes(value, kind), "a UUID"),
        (["$regularExpression"], [value]) => (regular_expression(value), "a pattern"),
        (["$regex"], [value]) => (pattern(value, &Value::String(String::new())), "a pattern"),
        (["$options", "$regex"], [options, value]) => (pattern(value, options), "a pattern"),
        (["$undefined"], [Value::Bool(true)]) => (Some(Typed::Null), "true"),
        _ => {
            let name = names.iter().find(|name| name.starts_with('$')).unwrap_or(&"$");
            return Err(format!("{} is not known", quoted(name)));
        }
    };
    let name = names.iter().find(|name| **name != "$options").unwrap_or(&"$");
    read.ok_or_else(|| format!("{} is not {expected}", quoted(name)))
}

fn object_id(value: &Value) -> Option<Typed> {
    object_id_of_hex(value.as_str()?).map(Typed::ObjectId)
}

fn time(value: &Value) -> Option<Typed> {
    let time = match value {
        Value::Number(millis) => time_of_millis(millis.as_i64()?),
        Value::String(text) => time_of_text(text),
        Value::Object(inner) if inner.len() == 1 => time_of_millis(int(inner.get("$numberLong")?)?),
        _ => None,
    };
    time.map(Typed::Time)
}

fn int(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        value => value.as_i64(),
    }
}

fn double(value: &Value) -> Option<Typed> {
    let double = match value {
        Value::String(text) => text.parse().ok()?,
        value => value.as_f64()?,
    };
    Some(double).filter(|double: &f64| double.is_finite()).map(Typed::Double)
}

fn decimal(value: &Value) -> Option<Typed> {
    let text = value.as_str()?;
    let numeric = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    // The range of a double is smaller than that of a decimal: it is used only to check the form.
    let form: Result<f64, _> = text.parse();
    (text.chars().all(numeric) && form.is_ok()).then(|| Typed::Decimal(text.to_owned()))
}

fn uuid(value: &Value) -> Option<Typed> {
    Uuid::parse_str(value.as_str()?).ok().map(Typed::Uuid)
}

fn binary(value: &Value) -> Option<Typed> {
    let inner = value.as_object().filter(|inner| inner.len() == 2)?;
    uuid_bytes(inner.get("base64")?, inner.get("subType")?)
}

/// Subtypes 3 and 4. Drivers wrote subtype 3 in different byte orders; Java's is assumed, since
/// Crafter is a Java program.
fn uuid_bytes(value: &Value, kind: &Value) -> Option<Typed> {
    let kind = match kind {
        Value::String(hex) => u64::from_str_radix(hex, 16).ok()?,
        kind => kind.as_u64()?,
    };
    let bytes = STANDARD.decode(value.as_str()?).ok()?;
    let mut bytes: [u8; 16] = bytes.try_into().ok()?;
    match kind {
        3 => {
            let (first, second) = bytes.split_at_mut(8);
            first.reverse();
            second.reverse();
        }
        4 => {}
        _ => return None,
    }
    Some(Typed::Uuid(Uuid::from_bytes(bytes)))
}

fn regular_expression(value: &Value) -> Option<Typed> {
    let inner = value.as_object().filter(|inner| inner.len() == 2)?;
    pattern(inner.get("pattern")?, inner.get("options")?)
}

fn pattern(pattern: &Value, options: &Value) -> Option<Typed> {
    let pattern = without_nul(pattern.as_str()?.to_owned()).ok()?;
    let options = without_nul(options.as_str()?.to_owned()).ok()?;
    Some(Typed::Pattern { pattern, options })
}

fn plain_number(number: &Number) -> Result<Typed, String> {
    if let Some(int) = number.as_i64() {
        return Ok(Typed::Int(int));
    }
    match number.as_f64().filter(|double| double.is_finite()) {
        Some(double) if number.is_f64() => Ok(Typed::Double(double)),
        _ => Err("a whole number beyond 64 bits".to_owned()),
    }
}

fn decimal_json(text: String) -> Value {
    if let Ok(int) = text.parse::<i64>() {
        return int.into();
    }
    match text.parse::<f64>() {
        Ok(double) if double.is_finite() && double.to_string() == text => double.into(),
        _ => Value::String(text),
    }
}

/// PostgreSQL stores no NUL in text.
fn without_nul(text: String) -> Result<String, String> {
    if text.contains('\0') {
        return Err("a NUL character".to_owned());
    }
    Ok(text)
}

fn bounded(time: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (1..=9999).contains(&time.year()).then_some(time)
}

fn unreadable(reason: String) -> Unreadable {
    Unreadable { path: Vec::new(), reason }
}

impl Unreadable {
    fn inside(mut self, name: &str) -> Self {
        self.path.push(name.to_owned());
        self
    }
}
