//! Bounds of fields, checked while a body is read. The attribute `schema` beside each field repeats
//! them in the OpenAPI document.

use serde::de::{Deserialize, Deserializer, Error};
use uuid::Uuid;

/// A whole number from `MIN` to `MAX`, or none.
pub fn between<'de, D: Deserializer<'de>, const MIN: i64, const MAX: i64>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    let number = Option::<i64>::deserialize(deserializer)?;
    match number.filter(|number| !(MIN..=MAX).contains(number)) {
        None => Ok(number),
        Some(_) => Err(D::Error::custom(format!("{MIN} to {MAX} is expected"))),
    }
}

/// A text of at most `MAX` characters, or none.
pub fn characters<'de, D: Deserializer<'de>, const MAX: usize>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    match text.as_ref().is_some_and(|text| text.chars().count() > MAX) {
        false => Ok(text),
        true => Err(D::Error::custom(format!("at most {MAX} characters are expected"))),
    }
}

/// At most `MAX` ids, or none.
pub fn ids<'de, D: Deserializer<'de>, const MAX: usize>(
    deserializer: D,
) -> Result<Option<Vec<Uuid>>, D::Error> {
    let ids = Option::<Vec<Uuid>>::deserialize(deserializer)?;
    match ids.as_ref().is_some_and(|ids| ids.len() > MAX) {
        false => Ok(ids),
        true => Err(D::Error::custom(format!("at most {MAX} items are expected"))),
    }
}
