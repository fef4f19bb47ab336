//! Finds every mistake in a body, for one answer. Parsing stops at the first mistake, so a body
//! that cannot be parsed is compared with the schema of its type, the one in the OpenAPI document.

use std::collections::HashMap;

use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::failure::InvalidField;

/// Most mistakes that one answer tells.
pub const MISTAKES_MAX: usize = 100;

/// The first hundred places at which this body differs from the schema of `T`.
pub fn mistakes<T: ToSchema>(body: &Value) -> Vec<InvalidField> {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    let schemas: HashMap<String, Value> = schemas
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
        .collect();
    let mut comparison = Comparison { schemas: &schemas, at: vec!["body".into()], found: vec![] };
    comparison.compare(&schemas[&*T::name()], body);
    comparison.found
}

struct Comparison<'a> {
    /// By name.
    schemas: &'a HashMap<String, Value>,
    at: Vec<Value>,
    found: Vec<InvalidField>,
}

impl<'a> Comparison<'a> {
    fn compare(&mut self, schema: &Value, value: &Value) {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.trim_start_matches("#/components/schemas/");
            let schemas = self.schemas;
            return self.compare(&schemas[name], value);
        }
        let types = types(schema);
        if !types.is_empty() && !types.iter().any(|name| is_of(name, value)) {
            return self.tell(format!("{} is expected", expected(&types)), "type_error");
        }
        match value {
            Value::String(text) => self.compare_text(schema, text),
            Value::Number(_) => self.compare_number(schema, value.as_i64()),
            Value::Array(items) => self.compare_items(schema, items),
            Value::Object(fields) => self.compare_fields(schema, fields),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn compare_text(&mut self, schema: &Value, text: &str) {
        if let Some(most) = schema["maxLength"].as_u64()
            && text.chars().count() as u64 > most
        {
            self.tell(format!("at most {most} characters are expected"), "value_error");
        }
        if schema["format"] == "uuid" && Uuid::try_parse(text).is_err() {
            self.tell("a UUID is expected".to_owned(), "value_error");
        }
    }

    fn compare_number(&mut self, schema: &Value, number: Option<i64>) {
        let (least, most) = (schema["minimum"].as_i64(), schema["maximum"].as_i64());
        let is_in =
            |number| least.is_none_or(|it| number >= it) && most.is_none_or(|it| number <= it);
        if number.is_none_or(is_in) {
            return;
        }
        let range = match (least, most) {
            (Some(least), Some(most)) => format!("{least} to {most}"),
            (Some(least), None) => format!("{least} or more"),
            (None, most) => format!("at most {}", most.unwrap_or_default()),
        };
        self.tell(format!("{range} is expected"), "value_error");
    }

    fn compare_items(&mut self, schema: &Value, items: &[Value]) {
        if let Some(most) = schema["maxItems"].as_u64()
            && items.len() as u64 > most
        {
            self.tell(format!("at most {most} items are expected"), "value_error");
        }
        for (index, item) in items.iter().enumerate() {
            if self.found.len() >= MISTAKES_MAX {
                return;
            }
            self.within(index.into(), |inner| inner.compare(&schema["items"], item));
        }
    }

    fn compare_fields(&mut self, schema: &Value, fields: &serde_json::Map<String, Value>) {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !name.as_str().is_some_and(|name| fields.contains_key(name)) {
                self.within(name.clone(), |inner| inner.tell("field required".into(), "missing"));
            }
        }
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(value) = fields.get(name) {
                self.within(name.as_str().into(), |inner| inner.compare(schema, value));
            }
        }
    }

    fn within(&mut self, step: Value, compare: impl FnOnce(&mut Self)) {
        self.at.push(step);
        compare(self);
        self.at.pop();
    }

    fn tell(&mut self, message: String, kind: &'static str) {
        if self.found.len() < MISTAKES_MAX {
            self.found.push(InvalidField { location: self.at.clone(), message, kind });
        }
    }
}

/// The JSON types that a schema allows; an empty list allows all.
fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    }
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    }
}

fn expected(types: &[&str]) -> String {
    let name = |one: &&str| match *one {
        "boolean" => "true or false",
        "integer" => "a whole number of 64 bits",
        "number" => "a number",
        "string" => "a text",
        "array" => "a list",
        "object" => "an object",
        _ => "null",
    };
    types.iter().map(name).collect::<Vec<_>>().join(" or ")
}
