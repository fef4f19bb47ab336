//! The values that profiles share by id: names, e-mail addresses and request limits
//! (contract 1.4). Parsed once, at the edge; what has one of these types is valid.

use serde::{Deserialize, Serialize};

use super::folding::folded;
use super::ids::ValueId;
use super::personal::Personal;

/// Longest name, in characters.
pub const NAME_CHARACTERS_MAX: usize = 200;
/// Longest e-mail address, in bytes.
pub const EMAIL_BYTES_MAX: usize = 254;
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

/// Why a value is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("a name has 1 to 200 characters and no control characters")]
    Name,
    #[error("an e-mail address has one @ with text on both sides and at most 254 bytes")]
    Email,
    #[error("a request limit lies between 1 and 1000000 requests per day")]
    RequestLimit,
}

/// A name as it is kept: trimmed, 1 to 200 characters.
///
/// # Errors
/// [`Invalid::Name`].
pub fn parse_name(text: &str) -> Result<String, Invalid> {
    let name = text.trim();
    let characters = name.chars().count();
    if characters == 0 || characters > NAME_CHARACTERS_MAX || name.chars().any(char::is_control) {
        return Err(Invalid::Name);
    }
    Ok(name.to_owned())
}

/// An e-mail address as it is kept: as given, without surrounding white space.
///
/// # Errors
/// [`Invalid::Email`].
pub fn parse_email(text: &str) -> Result<String, Invalid> {
    let address = text.trim();
    let odd = |c: char| c.is_whitespace() || c.is_control();
    match address.split_once('@') {
        Some((local, domain))
            if !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && address.len() <= EMAIL_BYTES_MAX
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

/// What identifies a value among those of its kind: equal values share one id. Names and limits
/// are compared exactly; an address is one only as given, and its *claim* is on the folded form.
pub fn login_form(address: &str) -> String {
    folded(address.trim())
}
