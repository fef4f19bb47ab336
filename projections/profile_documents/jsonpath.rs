//! Texts of jsonpath: paths, values and conditions. They are bound, never spliced into SQL, and
//! what callers wrote stands in them only as quoted text.
//!
//! Lax mode is what Mongo does: a step into a list is a step into each of its elements, and what
//! is compared is a value or, if it is a list, its elements.

use serde_json::Value;

use crate::domain::filter::{Order, index};

/// What reaches everything that these segments reach. More than one path where a segment is a
/// number, which is a field's name or a place in a list.
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

/// One way to read the segments so far.
#[derive(Clone, Default)]
struct Reading {
    base: String,
    /// The last field, and places in it.
    step: String,
    /// What must be a list for the places to mean anything: lax mode takes any value for a list
    /// of one.
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

/// That one of the paths reaches this value, which is no document and no list.
pub fn equal(paths: &[String], value: &Value) -> String {
    joined(paths, &format!("== {value}"))
}

/// That one of the paths reaches a value on this side of the bound.
pub fn compare(paths: &[String], order: Order, bound: &Value) -> String {
    joined(paths, &format!("{} {bound}", sign(order)))
}

/// That one of the paths reaches a text that the expression matches. `s` leaves the meaning of a
/// line's end to the expression.
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

/// A text as jsonpath and JSON write it.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn joined(paths: &[String], condition: &str) -> String {
    let parts: Vec<String> = paths.iter().map(|path| format!("{path} {condition}")).collect();
    parts.join(" || ")
}
