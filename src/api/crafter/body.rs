//! JSON bodies of this API (contract 0): read strictly and within bounds; objects must be objects.
//! Messages never repeat what a body held.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::api::people::call::is_utf_8;

use super::error::Failure;

/// Deepest nesting of objects and lists in a body. It is stored inside events and must stay
/// readable there.
pub const DEPTH_MAX: usize = 64;

/// Why a text is not accepted as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("not JSON in UTF-8")]
    Malformed,
    #[error("nested deeper than {DEPTH_MAX}")]
    TooDeep,
    #[error("holds a NUL character")]
    Nul,
}

/// The object in the body. The type that is read refuses unknown properties.
///
/// # Errors
/// [`Failure::UnsupportedMediaType`], [`Failure::Invalid`].
pub fn object<T: DeserializeOwned>(content_type: Option<&str>, body: &[u8]) -> Result<T, Failure> {
    let Value::Object(fields) = json(content_type, body)? else {
        return Err(Failure::invalid("the body is not a JSON object"));
    };
    typed(fields)
}

/// The list of objects in the body.
///
/// # Errors
/// As [`object`].
pub fn objects<T: DeserializeOwned>(
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Vec<T>, Failure> {
    let Value::Array(items) = json(content_type, body)? else {
        return Err(Failure::invalid("the body is not a JSON array"));
    };
    items
        .into_iter()
        .map(|item| match item {
            Value::Object(fields) => typed(fields),
            _ => Err(Failure::invalid("an item of the body is not a JSON object")),
        })
        .collect()
}

/// Reads JSON without NUL, raw or escaped, nested at most [`DEPTH_MAX`] deep.
///
/// # Errors
/// [`Unreadable`].
pub fn parse(text: &[u8]) -> Result<Value, Unreadable> {
    // Some editors begin a file with the UTF-8 byte order mark.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    check(text)?;
    serde_json::from_slice(text).map_err(|_| Unreadable::Malformed)
}

fn json(content_type: Option<&str>, body: &[u8]) -> Result<Value, Failure> {
    match content_type {
        Some(content_type) if !is_json(content_type) => return Err(Failure::UnsupportedMediaType),
        // Contract 0 allows any charset: ASCII letters are the same in each that clients name.
        Some(content_type) if !is_utf_8(content_type) && !body.is_ascii() => {
            return Err(Failure::UnsupportedMediaType);
        }
        None if !body.is_empty() => return Err(Failure::UnsupportedMediaType),
        _ => {}
    }
    if body.trim_ascii().is_empty() {
        return Err(Failure::invalid("a body is required"));
    }
    parse(body).map_err(|error| Failure::invalid(format!("the body is unreadable: {error}")))
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/json")
}

/// Reads an object. Derived code alone would accept the list `[]` for an object without required
/// properties.
fn typed<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Failure> {
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
        let path = error.path().to_string();
        Failure::invalid(format!("the body's property {path} is unknown or of the wrong type"))
    })
}

/// Checks what serde does not: NUL, and depth before it costs anything. It only tells strings from
/// the rest; whether the text is JSON is found out later.
fn check(text: &[u8]) -> Result<(), Unreadable> {
    let (mut depth, mut is_string, mut at) = (0_usize, false, 0);
    while at < text.len() {
        match text[at] {
            0 => return Err(Unreadable::Nul),
            b'\\' if is_string => {
                if text[at + 1..].starts_with(b"u0000") {
                    return Err(Unreadable::Nul);
                }
                at += 1;
            }
            b'"' => is_string = !is_string,
            b'{' | b'[' if !is_string => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return Err(Unreadable::TooDeep);
                }
            }
            b'}' | b']' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    Ok(())
}
