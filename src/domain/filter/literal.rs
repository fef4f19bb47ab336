//! Values that plain JSON cannot write: dates, ids and sized numbers, in the forms of the Mongo
//! shell and of extended JSON. `new Date()` is refused, since no clock is read.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};
use serde_json::Number;

use super::Invalid;
use super::parse::Node;

/// The constructors for [`constructed`].
pub const CONSTRUCTORS: [&str; 9] = [
    "ObjectId",
    "UUID",
    "ISODate",
    "new Date",
    "new ISODate",
    "NumberLong",
    "NumberInt",
    "NumberDecimal",
    "RegExp",
];

/// The value of `name(arguments)`.
///
/// # Errors
/// An unknown constructor, or arguments that it does not accept.
pub fn constructed(name: &str, arguments: &[Node]) -> Result<Node, Invalid> {
    let misused = || Invalid::Misused { operator: name.to_owned(), expected: "one value" };
    if let ("RegExp", [Node::Text(source), rest @ ..]) = (name, arguments) {
        let options = match rest {
            [] => String::new(),
            [Node::Text(options)] => options.clone(),
            _ => return Err(misused()),
        };
        return Ok(Node::Pattern { source: source.clone(), options });
    }
    let [argument] = arguments else { return Err(misused()) };
    match name {
        "ObjectId" | "UUID" => id(argument).ok_or_else(misused),
        "ISODate" | "new Date" | "new ISODate" => date(argument),
        "NumberLong" | "NumberInt" | "NumberDecimal" => number(argument).ok_or_else(misused),
        _ => Err(misused()),
    }
}

/// The value of `{key: node}`, if it is extended JSON and not an operator.
///
/// # Errors
/// A value that the key does not accept.
pub fn extended(key: &str, node: &Node) -> Result<Option<Node>, Invalid> {
    let misused =
        || Invalid::Misused { operator: key.to_owned(), expected: "its own kind of text" };
    match key {
        "$oid" | "$uuid" => id(node).ok_or_else(misused).map(Some),
        "$date" => date(node).map(Some),
        "$numberLong" | "$numberInt" | "$numberDouble" | "$numberDecimal" => {
            number(node).ok_or_else(misused).map(Some)
        }
        "$regularExpression" => {
            let Node::Document(fields) = node else { return Err(misused()) };
            let text = |name: &str| match fields.iter().find(|(key, _)| key == name) {
                Some((_, Node::Text(text))) => Some(text.clone()),
                _ => None,
            };
            let (source, options) = (text("pattern"), text("options").unwrap_or_default());
            let source = source.ok_or_else(misused)?;
            Ok(Some(Node::Pattern { source, options }))
        }
        _ => Ok(None),
    }
}

/// Ids are compared as the texts that clients see, in lower case: 24 hexadecimal digits, or a UUID.
fn id(node: &Node) -> Option<Node> {
    let Node::Text(text) = node else { return None };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_id =
        (text.len() == 24 && digits(text)) || (text.len() == 36 && digits(&text.replace('-', "")));
    is_id.then(|| Node::Text(text.to_lowercase()))
}

fn number(node: &Node) -> Option<Node> {
    match node {
        Node::Number(number) => Some(Node::Number(number.clone())),
        Node::Text(text) => serde_json::from_str::<Number>(text.trim()).ok().map(Node::Number),
        _ => None,
    }
}

fn date(node: &Node) -> Result<Node, Invalid> {
    let unreadable = || Invalid::Date("what is given as a date".to_owned());
    match node {
        Node::Number(number) => number.as_i64().map(Node::Date).ok_or_else(unreadable),
        Node::Text(text) => {
            milliseconds(text.trim()).map(Node::Date).ok_or_else(|| Invalid::Date(text.clone()))
        }
        Node::Document(fields) => match fields.as_slice() {
            [(key, node)] if key == "$numberLong" => date(&number(node).ok_or_else(unreadable)?),
            _ => Err(unreadable()),
        },
        _ => Err(unreadable()),
    }
}

/// Milliseconds since 1970 of an ISO 8601 time; without a zone in UTC, without a time midnight.
fn milliseconds(text: &str) -> Option<i64> {
    for format in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z"] {
        if let Ok(time) = DateTime::parse_from_str(&text.replace('Z', "+0000"), format) {
            return Some(time.timestamp_millis());
        }
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Some(time.and_utc().timestamp_millis());
        }
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis())
}
