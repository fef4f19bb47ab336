//! The values that profiles share by id: names, e-mail addresses and request limits (contract 1.4).
//! They are checked once, when they arrive; a value of one of these types is valid.

use serde::{Deserialize, Serialize};

use super::folding::lower_cased;
use super::ids::ValueId;
use super::naming::readable;
use super::personal::Personal;

/// Longest name, in characters.
pub const NAME_CHARACTERS_MAX: usize = 200;
/// Longest e-mail address, in characters.
pub const EMAIL_CHARACTERS_MAX: usize = 254;
/// Largest request limit, in requests per UTC day.
pub const REQUESTS_PER_DAY_MAX: i64 = 1_000_000;

/// The kinds of shared values, as `shared_values` stores them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    Name,
    Email,
    RequestLimit,
}

impl ValueKind {
    /// The stored name.
    pub const fn name(self) -> &'static str {
        match self {
            ValueKind::Name => "name",
            ValueKind::Email => "email",
            ValueKind::RequestLimit => "request_limit",
        }
    }
}

/// A name and its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    pub id: ValueId,
    pub name: Personal<String>,
}

/// An e-mail address, its id, and whether its profile holds the claim to log in with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    pub id: ValueId,
    pub address: Personal<String>,
    #[serde(default)]
    pub login: bool,
}

/// A limit of requests per UTC day and its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLimit {
    pub id: ValueId,
    pub requests_per_day: i32,
}

/// Why a value is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error(
        "a name has 1 to {NAME_CHARACTERS_MAX} characters, one of them visible, and none that \
         controls, ends a line or changes the direction of the text"
    )]
    Name,
    #[error(
        "an e-mail address has one @ with text on both sides, no white space and at most \
         {EMAIL_CHARACTERS_MAX} characters"
    )]
    Email,
    #[error("a request limit lies between 1 and {REQUESTS_PER_DAY_MAX} requests per day")]
    RequestLimit,
}

/// A name as it is stored: trimmed, 1 to 200 characters, readable.
///
/// # Errors
/// [`Invalid::Name`].
pub fn parse_name(text: &str) -> Result<String, Invalid> {
    let name = text.trim();
    if name.chars().count() > NAME_CHARACTERS_MAX || readable(name).is_err() {
        return Err(Invalid::Name);
    }
    Ok(name.to_owned())
}

/// An e-mail address as it is stored: unchanged. White space around it is refused.
///
/// # Errors
/// [`Invalid::Email`].
pub fn parse_email(address: &str) -> Result<String, Invalid> {
    let odd = |c: char| c.is_whitespace() || c.is_control();
    match address.split_once('@') {
        Some((local, domain))
            if !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && address.chars().count() <= EMAIL_CHARACTERS_MAX
                && !address.contains(odd) =>
        {
            Ok(address.to_owned())
        }
        _ => Err(Invalid::Email),
    }
}

/// A request limit in its bounds.
///
/// # Errors
/// [`Invalid::RequestLimit`].
pub fn parse_request_limit(requests_per_day: i64) -> Result<i32, Invalid> {
    match i32::try_from(requests_per_day) {
        Ok(limit) if (1..=REQUESTS_PER_DAY_MAX).contains(&requests_per_day) => Ok(limit),
        _ => Err(Invalid::RequestLimit),
    }
}

/// The form of an address that its claim is on: addresses with the same form are one log-in. As
/// values, addresses are compared exactly, and have an id each.
pub fn login_form(address: &str) -> String {
    lower_cased(address)
}
