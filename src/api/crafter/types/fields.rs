//! Reads and writes single fields where serde's own way does not fit.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serializer};
use serde_json::{Map, Value};

/// Null counts as absent: the type's default.
///
/// # Errors
/// The value has another type.
pub fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Null counts as absent: true.
///
/// # Errors
/// The value has another type.
pub fn true_if_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(default_true))
}

/// The default of a flag that is true unless it is given.
pub fn default_true() -> bool {
    true
}

/// A list of objects; null is an empty one.
///
/// # Errors
/// The value or an item has another type.
pub fn objects<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(optional_objects(deserializer)?.unwrap_or_default())
}

/// A list of objects, or null. Derived code alone would accept the list `[]` for an object without
/// required properties.
///
/// # Errors
/// The value or an item has another type.
pub fn optional_objects<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let Some(items) = Option::<Vec<Map<String, Value>>>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let items = items.into_iter().map(|fields| T::deserialize(Value::Object(fields)));
    items.collect::<Result<_, _>>().map(Some).map_err(D::Error::custom)
}

/// An instant, in epoch milliseconds.
///
/// # Errors
/// The serializer's.
pub fn millis<S: Serializer>(instant: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(instant.timestamp_millis())
}

/// An instant or null, in epoch milliseconds.
///
/// # Errors
/// The serializer's.
pub fn optional_millis<S: Serializer>(
    instant: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match instant {
        Some(instant) => millis(instant, serializer),
        None => serializer.serialize_none(),
    }
}

/// An instant or null, from epoch milliseconds or ISO 8601.
///
/// # Errors
/// Neither of them, or a time outside the calendar.
pub fn optional_instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    let instant = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::Number(millis) => millis.as_i64().and_then(DateTime::from_timestamp_millis),
        Value::String(text) => parse_instant(text.trim()),
        _ => None,
    };
    instant.map(Some).ok_or_else(|| D::Error::custom("neither epoch milliseconds nor ISO 8601"))
}

/// An instant of ISO 8601, to the millisecond: with `Z` or an offset (with or without colon), else
/// in UTC; or a date alone.
pub fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let with_offset = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%#z")
        .map(|instant| instant.to_utc())
        .or_else(|_| text.parse());
    let instant = with_offset
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|time| time.and_utc())
        })
        .or_else(|_| {
            NaiveDate::parse_from_str(text, "%Y-%m-%d")
                .map(|date| date.and_time(NaiveTime::MIN).and_utc())
        })
        .ok()?;
    let below_millis = instant.timestamp_subsec_nanos() % 1_000_000;
    Some(instant - TimeDelta::nanoseconds(below_millis.into()))
}
