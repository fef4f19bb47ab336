//! The rules of a catalogue: nothing repeated, unknown or out of bounds. Only this file is looked
//! at; the engine checks against other tenants and profiles.

use std::collections::HashMap;

use toml::Spanned;

use crate::bearer::{is_key_address, local};
use crate::domain::folding;
use crate::domain::naming::{Unreadable, readable};
use crate::domain::values::{
    EMAIL_CHARACTERS_MAX, NAME_CHARACTERS_MAX, REQUESTS_PER_DAY_MAX, login_form,
};

use super::problem::Findings;
use super::shape::{Keys, Shaped};
use super::{
    ApiKeyEntry, ColorsEntry, DepartmentEntry, IssuerEntry, ProfileEntry, RoleEntry, SettingEntry,
    TenantEntry,
};

/// Highest rank of a role; the lowest is 0.
const RANK_MAX: i16 = 5;
/// Longest key of an entry of a catalogue, in characters.
const KEY_CHARACTERS_MAX: usize = 64;

/// Only signatures with public verifying keys: a key of HS* could also sign.
const ALGORITHMS: [&str; 9] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// Contract 4.1: what a role may open, by the section that shows it.
const ARTIFACTS: [&str; 32] = [
    "home",
    "attempt",
    "chat", // home
    "practice",
    "leaderboard", // their own
    "dashboard",
    "reports",
    "record",
    "activity",
    "session",
    "pricing",
    "group", // analytics
    "cohort",
    "simulation",
    "scenario",
    "persona", // training
    "profile",
    "document",
    "parameter",
    "field", // management
    "agent",
    "model",
    "provider",
    "tool", // intelligence
    "department",
    "rubric",
    "auth",
    "eval", // system
    "health",
    "benchmark",
    "test",
    "settings", // their own
];

pub(super) fn file(shaped: &Shaped, findings: &mut Findings) {
    unique("tenant", &shaped.names, exactly, findings);
    for tenant_name in &shaped.names {
        name("tenant name", tenant_name, findings);
    }
    for tenant in &shaped.tenants {
        sections(&tenant.entry, &tenant.keys, findings);
        uniqueness(&tenant.entry, &tenant.keys, findings);
    }
}

fn sections(tenant: &TenantEntry, keys: &Keys, findings: &mut Findings) {
    for entry in &tenant.roles {
        role(entry, findings);
    }
    for entry in &tenant.departments {
        department(entry, keys, findings);
    }
    for entry in &tenant.settings {
        setting(entry, findings);
    }
    for entry in &tenant.issuers {
        issuer(entry, findings);
    }
    for entry in &tenant.api_keys {
        api_key(entry, findings);
    }
    for entry in &tenant.profiles {
        profile(entry, keys, findings);
    }
}

fn uniqueness(tenant: &TenantEntry, keys: &Keys, findings: &mut Findings) {
    unique("role", &keys.roles, exactly, findings);
    unique("department", &keys.departments, exactly, findings);
    unique("setting", &keys.settings, exactly, findings);
    unique("issuer", &keys.issuers, exactly, findings);
    unique("API key", &keys.api_keys, exactly, findings);
    unique("profile id", &keys.profiles, exactly, findings);
    // Departments can also be chosen by name in any case; roles and settings are told apart by name
    // on screen.
    unique("role name", tenant.roles.iter().map(|role| &role.name), folded, findings);
    let department_names = tenant.departments.iter().map(|department| &department.name);
    unique("department name", department_names, folded, findings);
    unique("setting name", tenant.settings.iter().map(|setting| &setting.name), folded, findings);
    let emails = tenant.profiles.iter().flat_map(|profile| &profile.emails);
    unique("e-mail", emails, login_form, findings);
}

fn role(role: &RoleEntry, findings: &mut Findings) {
    key("role key", &role.key, findings);
    name("role name", &role.name, findings);
    let rank = *role.rank.get_ref();
    if !(0..=RANK_MAX).contains(&rank) {
        findings.add(role.rank.span(), format!("rank {rank} is outside 0 to {RANK_MAX}"));
    }
    unique("artifact", &role.artifacts, exactly, findings);
    for artifact in &role.artifacts {
        if !ARTIFACTS.contains(&artifact.get_ref().as_str()) {
            findings.add(artifact.span(), format!("there is no artifact `{artifact}`"));
        }
    }
}

fn department(department: &DepartmentEntry, keys: &Keys, findings: &mut Findings) {
    key("department key", &department.key, findings);
    name("department name", &department.name, findings);
    references("setting", &department.settings, &keys.settings, findings);
}

fn setting(setting: &SettingEntry, findings: &mut Findings) {
    key("setting key", &setting.key, findings);
    name("setting name", &setting.name, findings);
    colors(&setting.colors, findings);
}

fn colors(colors: &ColorsEntry, findings: &mut Findings) {
    for (name, color) in colors.given() {
        let digits = color.get_ref().strip_prefix('#').unwrap_or_default();
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            findings.add(color.span(), format!("`{color}` is no colour for {name}: write #rrggbb"));
        }
    }
}

fn issuer(issuer: &IssuerEntry, findings: &mut Findings) {
    filled("issuer", &issuer.issuer, findings);
    if issuer.issuer.get_ref() == local::NAME {
        let message = format!("issuer `{}` is this server's own: it needs no entry", local::NAME);
        findings.add(issuer.issuer.span(), message);
    }
    filled("audience", &issuer.audience, findings);
    match (&issuer.jwks_file, &issuer.jwks_url) {
        (Some(file), None) => filled("jwks_file", file, findings),
        (None, Some(url)) => jwks_url(url, findings),
        (None, None) => findings.add(
            issuer.issuer.span(),
            format!("issuer `{}` has no keys: give jwks_file or jwks_url", issuer.issuer),
        ),
        (Some(file), Some(url)) => {
            let later = std::cmp::max_by_key(file, url, |source| source.span().start);
            findings.add(later.span(), "give jwks_file or jwks_url, not both");
        }
    }
    algorithms(&issuer.algorithms, findings);
}

fn jwks_url(url: &Spanned<String>, findings: &mut Findings) {
    if !is_key_address(url.get_ref()) {
        findings.add(
            url.span(),
            format!(
                "no keys are fetched from jwks_url `{url}`: give an https address, or http on \
                 this machine, without user name and password"
            ),
        );
    }
}

fn algorithms(algorithms: &Spanned<Vec<Spanned<String>>>, findings: &mut Findings) {
    if algorithms.get_ref().is_empty() {
        findings.add(algorithms.span(), "an issuer needs at least one algorithm");
    }
    unique("algorithm", algorithms.get_ref(), exactly, findings);
    for algorithm in algorithms.get_ref() {
        if !ALGORITHMS.contains(&algorithm.get_ref().as_str()) {
            let allowed = ALGORITHMS.join(", ");
            let message = format!("algorithm `{algorithm}` is not among {allowed}");
            findings.add(algorithm.span(), message);
        }
    }
}

fn api_key(api_key: &ApiKeyEntry, findings: &mut Findings) {
    name("API key name", &api_key.name, findings);
    if let Some(file) = &api_key.key_file {
        filled("key_file", file, findings);
    }
}

fn profile(profile: &ProfileEntry, keys: &Keys, findings: &mut Findings) {
    name("profile id", &profile.id, findings);
    name("profile name", &profile.name, findings);
    references("role", &profile.roles, &keys.roles, findings);
    references("department", &profile.departments, &keys.departments, findings);
    for email in &profile.emails {
        if let Some(flaw) = email_flaw(email.get_ref()) {
            findings.add(email.span(), format!("`{email}` is no e-mail address: {flaw}"));
        }
    }
    if let Some(limit) = &profile.request_limit
        && !(1..=REQUESTS_PER_DAY_MAX).contains(&i64::from(*limit.get_ref()))
    {
        let message = format!("request limit {limit} is outside 1 to {REQUESTS_PER_DAY_MAX}");
        findings.add(limit.span(), message);
    }
}

/// Each must be declared in the same tenant, and appear once.
fn references(
    kind: &str,
    given: &[Spanned<String>],
    declared: &[Spanned<String>],
    findings: &mut Findings,
) {
    unique(kind, given, exactly, findings);
    for reference in given {
        if !declared.iter().any(|key| key.get_ref() == reference.get_ref()) {
            findings.add(reference.span(), format!("this tenant has no {kind} `{reference}`"));
        }
    }
}

fn unique<'a>(
    kind: &str,
    given: impl IntoIterator<Item = &'a Spanned<String>>,
    as_compared: fn(&str) -> String,
    findings: &mut Findings,
) {
    let mut first_lines = HashMap::new();
    for value in given {
        let line = findings.line(&value.span());
        if let Some(first) = first_lines.get(&as_compared(value.get_ref())) {
            findings.add(value.span(), format!("{kind} `{value}` is already on line {first}"));
        } else {
            first_lines.insert(as_compared(value.get_ref()), line);
        }
    }
}

fn exactly(text: &str) -> String {
    text.to_owned()
}

/// In the form in which people compare names: composed and case-folded.
fn folded(text: &str) -> String {
    folding::folded(text.trim())
}

fn key(kind: &str, key: &Spanned<String>, findings: &mut Findings) {
    let fits = |character: char| matches!(character, 'a'..='z' | '0'..='9' | '-' | '_');
    let text = key.get_ref();
    let starts_well = text.starts_with(|first: char| first.is_ascii_alphanumeric());
    if !starts_well || !text.chars().all(fits) || text.len() > KEY_CHARACTERS_MAX {
        findings.add(
            key.span(),
            format!(
                "{kind} `{key}` is not made of 1 to {KEY_CHARACTERS_MAX} lower-case letters, \
                 digits, - and _, with a letter or digit first"
            ),
        );
    }
}

fn name(kind: &str, name: &Spanned<String>, findings: &mut Findings) {
    filled(kind, name, findings);
    let trimmed = name.get_ref().trim();
    if trimmed.chars().count() > NAME_CHARACTERS_MAX {
        let message = format!("the {kind} is longer than {NAME_CHARACTERS_MAX} characters");
        findings.add(name.span(), message);
    }
    if name.get_ref().contains(['\n', '\r', '\t', '\u{2028}', '\u{2029}']) {
        findings.add(name.span(), format!("the {kind} is not on one line"));
    }
    if let (false, Err(why @ (Unreadable::Direction | Unreadable::Invisible))) =
        (trimmed.is_empty(), readable(trimmed))
    {
        findings.add(name.span(), format!("the {kind} {why}"));
    }
}

fn filled(kind: &str, text: &Spanned<String>, findings: &mut Findings) {
    if text.get_ref().trim().is_empty() {
        findings.add(text.span(), format!("the {kind} is empty"));
    }
}

fn email_flaw(email: &str) -> Option<String> {
    let Some((local, domain)) = email.split_once('@') else {
        return Some("it has no @".to_owned());
    };
    if domain.contains('@') {
        return Some("it has more than one @".to_owned());
    }
    if local.is_empty() || domain.is_empty() {
        return Some("nothing stands before or after its @".to_owned());
    }
    if email.contains(char::is_whitespace) {
        return Some("it holds white space".to_owned());
    }
    (email.chars().count() > EMAIL_CHARACTERS_MAX)
        .then(|| format!("it is longer than {EMAIL_CHARACTERS_MAX} characters"))
}
