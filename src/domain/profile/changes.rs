//! What differs between two states of a profile, by field (History contract 0, `Change`).

use serde_json::{Value, json};

use super::events::Attachment;
use super::state::{Facts, State};

/// A field that differs. A value is null when the profile had none.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// `name`, `emails`, …, `attributes.<name>` or `attachments.<name>`.
    pub field: String,
    pub old: Value,
    pub new: Value,
}

/// The fields that differ, sorted. The result depends on the two states alone, so the changes of
/// several steps join to the change of the whole. A deleted profile keeps its last facts: only its
/// `state` differs.
pub fn changes(before: &State, after: &State) -> Vec<Change> {
    let facts = Pair { old: before.last_known(), new: after.last_known() };
    let mut found = vec![];
    if before.name() != after.name() {
        note(&mut found, "state", json!(before.name()), json!(after.name()));
    }
    if facts.old == facts.new {
        return found;
    }
    facts.compare(&mut found, "active", Facts::is_active, |active| json!(active));
    facts.compare(&mut found, "verified", |facts| facts.verified, |verified| json!(verified));
    let name = |facts: &Facts| facts.name.as_ref().map(|name| name.name.clone());
    facts.compare(&mut found, "name", name, |name| json!(name));
    facts.compare(&mut found, "username", |facts| facts.username.clone(), |name| json!(name));
    let limit = |facts: &Facts| facts.request_limit.as_ref().map(|limit| limit.requests_per_day);
    facts.compare(&mut found, "request_limit", limit, |limit| json!(limit));
    facts.compare(&mut found, "emails", |facts| addresses(facts, false), list);
    facts.compare(&mut found, "login_emails", |facts| addresses(facts, true), list);
    facts.compare(&mut found, "roles", |facts| facts.roles.clone(), list);
    facts.compare(&mut found, "departments", |facts| facts.departments.clone(), list);
    let application_roles = |facts: &Facts| facts.application_roles.clone();
    facts.compare(&mut found, "application_roles", application_roles, list);
    attributes(&facts, &mut found);
    attachments(&facts, &mut found);
    found.sort_by(|one, other| one.field.cmp(&other.field));
    found
}

/// The facts before and after; None before the registration.
struct Pair<'a> {
    old: Option<&'a Facts>,
    new: Option<&'a Facts>,
}

impl<'a> Pair<'a> {
    /// Notes the field if what `of` takes from the facts differs.
    fn compare<T: PartialEq>(
        &self,
        found: &mut Vec<Change>,
        field: &str,
        of: impl Fn(&'a Facts) -> T,
        show: impl Fn(T) -> Value,
    ) {
        let (old, new) = (self.old.map(&of), self.new.map(&of));
        if old != new {
            let show = |one: Option<T>| one.map_or(Value::Null, &show);
            note(found, field, show(old), show(new));
        }
    }
}

/// A field that had no value and has none is no change.
fn note(found: &mut Vec<Change>, field: impl Into<String>, old: Value, new: Value) {
    if old != new {
        found.push(Change { field: field.into(), old, new });
    }
}

fn addresses(facts: &Facts, log_ins_only: bool) -> Vec<&str> {
    let wanted = facts.emails.iter().filter(|email| email.login || !log_ins_only);
    wanted.map(|email| email.address.0.as_str()).collect()
}

/// An empty list is no value.
fn list<T: serde::Serialize>(list: Vec<T>) -> Value {
    if list.is_empty() { Value::Null } else { json!(list) }
}

fn attributes(facts: &Pair<'_>, found: &mut Vec<Change>) {
    let of = |facts: Option<&Facts>, name: &str| {
        facts.and_then(|facts| facts.attributes.get(name)).map_or(Value::Null, |one| one.0.clone())
    };
    let names = |facts: Option<&Facts>| {
        facts.map(|facts| facts.attributes.keys().cloned().collect()).unwrap_or_default()
    };
    for name in union(names(facts.old), names(facts.new)) {
        note(found, format!("attributes.{name}"), of(facts.old, &name), of(facts.new, &name));
    }
}

fn attachments(facts: &Pair<'_>, found: &mut Vec<Change>) {
    let of = |facts: Option<&Facts>, name: &str| {
        let files = facts.map_or(&[][..], |facts| &facts.attachments);
        files.iter().find(|file| file.name.0 == name).map_or(Value::Null, attachment)
    };
    let names = |facts: Option<&Facts>| {
        let files = facts.map_or(&[][..], |facts| &facts.attachments);
        files.iter().map(|file| file.name.0.clone()).collect()
    };
    for name in union(names(facts.old), names(facts.new)) {
        note(found, format!("attachments.{name}"), of(facts.old, &name), of(facts.new, &name));
    }
}

fn attachment(file: &Attachment) -> Value {
    json!({
        "content_type": file.content_type,
        "bytes": file.bytes,
        "sha256": file.digest.to_string(),
    })
}

/// Each name once.
fn union(mut some: Vec<String>, others: Vec<String>) -> Vec<String> {
    some.extend(others);
    some.sort_unstable();
    some.dedup();
    some
}
