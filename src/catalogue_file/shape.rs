//! Turns TOML values into entries: unknown and missing fields, wrong types, text that no database
//! stores.
//!
//! Each entry is read by itself, so that a malformed one does not hide the mistakes of others. The
//! key of a malformed entry is kept, so that references to it are not reported as mistakes.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};

use super::TenantEntry;
use super::problem::Findings;

/// The tenants, and their names.
#[derive(Default)]
pub(super) struct Shaped {
    pub(super) tenants: Vec<ShapedTenant>,
    pub(super) names: Vec<Spanned<String>>,
}

/// A tenant's well-formed entries, and the keys of all of them.
pub(super) struct ShapedTenant {
    pub(super) entry: TenantEntry,
    pub(super) keys: Keys,
}

/// The keys of the entries of each section, malformed ones included.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) roles: Vec<Spanned<String>>,
    pub(super) departments: Vec<Spanned<String>>,
    pub(super) settings: Vec<Spanned<String>>,
    pub(super) issuers: Vec<Spanned<String>>,
    pub(super) api_keys: Vec<Spanned<String>>,
    pub(super) profiles: Vec<Spanned<String>>,
}

pub(super) fn file(root: Spanned<DeTable<'_>>, findings: &mut Findings) -> Shaped {
    let mut tables = Vec::new();
    for (field, value) in root.into_inner() {
        match field.get_ref().as_ref() {
            "tenants" => tables = items(&field, value, findings),
            unknown => {
                findings
                    .add(field.span(), format!("unknown field `{unknown}`, expected `tenants`"));
            }
        }
    }
    if tables.is_empty() {
        findings.add(0..0, "the file names no tenant: it needs [[tenants]] with a name");
    }
    let names = tables.iter().filter_map(|table| text_in(table, "name")).collect();
    let tenants = tables.into_iter().filter_map(|table| tenant(table, findings)).collect();
    Shaped { tenants, names }
}

fn tenant(value: Spanned<DeValue<'_>>, findings: &mut Findings) -> Option<ShapedTenant> {
    let span = value.span();
    let DeValue::Table(fields) = value.into_inner() else {
        findings.add(span, "a tenant must be a table");
        return None;
    };
    let mut keys = Keys::default();
    let mut entry = TenantEntry {
        name: Spanned::new(span.clone(), String::new()),
        roles: Vec::new(),
        departments: Vec::new(),
        settings: Vec::new(),
        issuers: Vec::new(),
        api_keys: Vec::new(),
        profiles: Vec::new(),
    };
    if !fields.contains_key("name") {
        findings.add(span, "missing field `name`");
    }
    for (field, value) in fields {
        match field.get_ref().as_ref() {
            "name" => entry.name = read(value, findings).unwrap_or(entry.name),
            "roles" => (entry.roles, keys.roles) = entries(&field, "key", value, findings),
            "departments" => {
                (entry.departments, keys.departments) = entries(&field, "key", value, findings);
            }
            "settings" => {
                (entry.settings, keys.settings) = entries(&field, "key", value, findings);
            }
            "issuers" => {
                (entry.issuers, keys.issuers) = entries(&field, "issuer", value, findings);
            }
            "api_keys" => {
                (entry.api_keys, keys.api_keys) = entries(&field, "name", value, findings);
            }
            "profiles" => {
                (entry.profiles, keys.profiles) = entries(&field, "id", value, findings);
            }
            unknown => findings.add(
                field.span(),
                format!(
                    "unknown field `{unknown}`, expected one of `name`, `roles`, `departments`, \
                     `settings`, `issuers`, `api_keys`, `profiles`"
                ),
            ),
        }
    }
    Some(ShapedTenant { entry, keys })
}

/// The entries of one section, and their keys.
fn entries<T: DeserializeOwned>(
    section: &Spanned<DeString<'_>>,
    called_by: &str,
    value: Spanned<DeValue<'_>>,
    findings: &mut Findings,
) -> (Vec<T>, Vec<Spanned<String>>) {
    let items = items(section, value, findings);
    let keys = items.iter().filter_map(|item| text_in(item, called_by)).collect();
    let entries = items.into_iter().filter_map(|item| read(item, findings)).collect();
    (entries, keys)
}

fn items<'i>(
    field: &Spanned<DeString<'_>>,
    value: Spanned<DeValue<'i>>,
    findings: &mut Findings,
) -> Vec<Spanned<DeValue<'i>>> {
    let span = value.span();
    match value.into_inner() {
        DeValue::Array(items) => items.into_iter().collect(),
        _ => {
            let field = field.get_ref();
            findings.add(span, format!("`{field}` must be a list of tables, as [[…{field}]]"));
            Vec::new()
        }
    }
}

fn text_in(entry: &Spanned<DeValue<'_>>, field: &str) -> Option<Spanned<String>> {
    let value = entry.get_ref().as_table()?.get(field)?;
    Some(Spanned::new(value.span(), value.get_ref().as_str()?.to_owned()))
}

fn read<T: DeserializeOwned>(value: Spanned<DeValue<'_>>, findings: &mut Findings) -> Option<T> {
    let span = value.span();
    report_control_characters(&span, value.get_ref(), findings);
    T::deserialize(ValueDeserializer::from(value))
        .map_err(|error| findings.add(error.span().unwrap_or(span), error.message()))
        .ok()
}

/// PostgreSQL stores no NUL, and no name needs other control characters.
fn report_control_characters(span: &Range<usize>, value: &DeValue<'_>, findings: &mut Findings) {
    match value {
        DeValue::String(text) if text.chars().any(is_refused_in_names) => {
            findings.add(span.clone(), "the text holds a control character");
        }
        DeValue::Array(items) => {
            for item in items {
                report_control_characters(&item.span(), item.get_ref(), findings);
            }
        }
        DeValue::Table(fields) => {
            for field in fields.values() {
                report_control_characters(&field.span(), field.get_ref(), findings);
            }
        }
        _ => {}
    }
}

fn is_refused_in_names(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t')
}
