//! Takes the fields of a document one by one, with their types. Fields that are left are unknown.
//! Messages name fields, never their values.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::object_id::ObjectId;

use crate::domain::naming::readable;

use super::extended::{Typed, object_id_of_hex, time_of_millis, time_of_text};
use super::problem::quoted;

/// The fields that are left of a document.
pub(super) struct Fields {
    /// The document's prefix in messages: empty, or ending in a dot.
    path: String,
    values: BTreeMap<String, Typed>,
}

impl Fields {
    /// The fields of a whole record.
    pub(super) fn of(value: Typed) -> Result<Self, String> {
        match value {
            Typed::Document(values) => Ok(Fields { path: String::new(), values }),
            _ => Err("a record is not an object".to_owned()),
        }
    }

    /// Counts the fields that are left as unknown.
    pub(super) fn finish(self, unknown: &mut Vec<String>) {
        // Names do not contain indexes: one warning for all entries of a list.
        let path: String = self
            .path
            .split_inclusive('.')
            .filter(|part| !part.trim_end_matches('.').bytes().all(|byte| byte.is_ascii_digit()))
            .collect();
        unknown.extend(self.values.keys().map(|name| quoted(&format!("{path}{name}"))));
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        self.typed(name, "a string", |value| match value {
            Typed::Text(text) => Some(text),
            _ => None,
        })
    }

    /// Text that is not empty.
    pub(super) fn required_text(&mut self, name: &str) -> Result<String, String> {
        match self.text(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) => Err(format!("{} is empty", self.called(name))),
            None => Err(format!("{} is missing", self.called(name))),
        }
    }

    /// Text that people can read as a name; not empty.
    pub(super) fn required_name(&mut self, name: &str) -> Result<String, String> {
        let text = self.required_text(name)?;
        readable(&text).map_err(|why| format!("{} {why}", self.called(name)))?;
        Ok(text)
    }

    pub(super) fn flag(&mut self, name: &str, default: bool) -> Result<bool, String> {
        let flag = self.typed(name, "true or false", |value| match value {
            Typed::Bool(flag) => Some(flag),
            _ => None,
        })?;
        Ok(flag.unwrap_or(default))
    }

    /// A count; the Mongo shell writes integers as doubles.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<u32>, String> {
        self.typed(name, "a count", |value| match value {
            Typed::Int(count) => u32::try_from(count).ok(),
            Typed::Double(count) if count.fract() == 0.0 => {
                (0.0..=f64::from(u32::MAX)).contains(&count).then_some(count as u32)
            }
            _ => None,
        })
    }

    /// A time; seeds have epoch milliseconds or text.
    pub(super) fn time(&mut self, name: &str) -> Result<Option<DateTime<Utc>>, String> {
        self.typed(name, "a time", |value| match value {
            Typed::Time(time) => Some(time),
            Typed::Int(millis) => time_of_millis(millis),
            Typed::Text(text) => time_of_text(&text),
            _ => None,
        })
    }

    /// An id: an ObjectId, which seeds write as plain hex, or a UUID.
    pub(super) fn id(&mut self, name: &str) -> Result<Option<Uuid>, String> {
        self.typed(name, "an ObjectId of 24 hex digits", |value| match value {
            Typed::ObjectId(id) => Some(id.held()),
            Typed::Text(text) => {
                let held = object_id_of_hex(&text).map(ObjectId::held);
                held.or_else(|| uuid::fmt::Hyphenated::from_str(&text).ok().map(Uuid::from))
            }
            _ => None,
        })
    }

    /// Text, or a UUID that a driver wrote as such.
    pub(super) fn text_or_uuid(&mut self, name: &str) -> Result<Option<String>, String> {
        self.typed(name, "a string", |value| match value {
            Typed::Text(text) => Some(text),
            Typed::Uuid(id) => Some(id.to_string()),
            _ => None,
        })
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, String> {
        self.typed(name, "a list of strings", |value| {
            let Typed::List(items) = value else { return None };
            let texts = items.into_iter().map(|item| match item {
                Typed::Text(text) => Some(text),
                _ => None,
            });
            texts.collect()
        })
    }

    /// A list of names that people can read; empty if the field is absent.
    pub(super) fn names(&mut self, name: &str) -> Result<Vec<String>, String> {
        let names = self.texts(name)?.unwrap_or_default();
        let unreadable = names.iter().find_map(|one| readable(one).err());
        unreadable.map_or(Ok(names), |why| Err(format!("a name in {} {why}", self.called(name))))
    }

    pub(super) fn json(&mut self, name: &str) -> Option<Value> {
        self.take(name).map(Typed::into_json)
    }

    /// An object as JSON, name by name.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<BTreeMap<String, Value>>, String> {
        self.typed(name, "an object", |value| {
            let Typed::Document(fields) = value else { return None };
            Some(fields.into_iter().map(|(name, value)| (name, value.into_json())).collect())
        })
    }

    /// The objects of a list; None if the field is absent.
    pub(super) fn objects(&mut self, name: &str) -> Result<Option<Vec<Fields>>, String> {
        let called = format!("{}{name}", self.path);
        let items = self.typed(name, "a list of objects", |value| match value {
            Typed::List(items) => Some(items),
            _ => None,
        })?;
        let Some(items) = items else { return Ok(None) };
        let fields = items.into_iter().enumerate().map(|(index, item)| match item {
            Typed::Document(values) => Ok(Fields { path: format!("{called}.{index}."), values }),
            _ => Err(format!("{} is not an object", quoted(&format!("{called}.{index}")))),
        });
        fields.collect::<Result<_, _>>().map(Some)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub(super) fn called(&self, name: &str) -> String {
        quoted(&format!("{}{name}", self.path))
    }

    fn typed<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(Typed) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.take(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| format!("{} is not {expected}", self.called(name)))
    }

    /// `null` counts as absent.
    fn take(&mut self, name: &str) -> Option<Typed> {
        self.values.remove(name).filter(|value| *value != Typed::Null)
    }
}
