//! Paths, values and conditions in jsonpath. They are bound as parameters, never written into SQL.
//! What callers wrote appears in them only as quoted text.
//!
//! Lax mode gives Mongo's meaning: a step into a list is a step into each of its elements, and a
//! comparison looks at a value or, if it is a list, at its elements.

use serde_json::Value;

use crate::domain::filter::{Order, index};

/// Paths that reach all that these segments reach. There are several where a segment is a number,
/// which is a field's name or a place in a list.
pub fn paths<'s>(segments: impl Iterator<Item = &'s str>) -> Vec<String> {
    let mut readings = vec![Reading { base: "$".to_owned(), ..Reading::default() }];
    for segment in segments {
        let mut next = Vec::with_capacity(readings.len() * 2);
        for reading in readings {
            if let Some(place) = index(segment)
                && !reading.step.is_empty()
            {
                next.push(reading.indexed(place));
            }
            let step = format!(".{}", quoted(segment));
            next.push(Reading { base: reading.text(), step, lists: Vec::new() });
        }
        readings = next;
    }
    readings.iter().map(Reading::text).collect()
}

/// One way to read the segments read so far.
#[derive(Clone, Default)]
struct Reading {
    base: String,
    /// The last field, and the places in it.
    step: String,
    /// The value that must be a list for the places to have a meaning: lax mode takes any value for
    /// a list of one.
    lists: Vec<String>,
}

impl Reading {
    fn indexed(&self, place: u32) -> Reading {
        let mut next = self.clone();
        next.lists.push(self.step.clone());
        next.step.push_str(&format!("[{place}]"));
        next
    }

    fn text(&self) -> String {
        let Reading { base, step, lists } = self;
        if lists.is_empty() {
            return format!("{base}{step}");
        }
        let lists: String =
            lists.iter().map(|list| format!(" && @{list}.type() == \"array\"")).collect();
        format!("{base} ? (@.type() == \"object\"{lists}){step}")
    }
}

/// The condition that one of the paths reaches this value, which is neither a document nor a list.
pub fn equal(paths: &[String], value: &Value) -> String {
    joined(paths, &format!("== {value}"))
}

/// The condition that one of the paths reaches a value on this side of the bound.
pub fn compare(paths: &[String], order: Order, bound: &Value) -> String {
    joined(paths, &format!("{} {bound}", sign(order)))
}

/// The condition that one of the paths reaches a text that the expression matches. With flag `s`
/// the expression itself says what the end of a line means.
pub fn matches(paths: &[String], advanced: &str) -> String {
    joined(paths, &format!("like_regex {} flag \"s\"", quoted(advanced)))
}

/// The sign of a comparison, in jsonpath as in SQL.
pub fn sign(order: Order) -> &'static str {
    match order {
        Order::Less => "<",
        Order::LessOrEqual => "<=",
        Order::Greater => ">",
        Order::GreaterOrEqual => ">=",
    }
}

/// A text in quotes, as in jsonpath and JSON.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn joined(paths: &[String], condition: &str) -> String {
    let parts: Vec<String> = paths.iter().map(|path| format!("{path} {condition}")).collect();
    parts.join(" || ")
}
