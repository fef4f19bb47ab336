//! Profiles and their attachments, in answers only. They never hold a password or its failures.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::fields;

/// Contract 3: a person's account.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Unique in its tenant. A profile without one shows its id.
    pub username: String,
    /// Its e-mail address, not unique. Null only if another API left it out.
    #[schema(required)]
    pub email: Option<String>,
    /// Whether its e-mail address was verified.
    pub verified: bool,
    /// Whether it can log in.
    pub enabled: bool,
    /// When it was made, in epoch milliseconds.
    #[serde(serialize_with = "fields::millis")]
    #[schema(value_type = i64)]
    pub created_on: DateTime<Utc>,
    /// When it last changed, in epoch milliseconds.
    #[serde(serialize_with = "fields::millis")]
    #[schema(value_type = i64)]
    pub last_modified: DateTime<Utc>,
    /// Its tenant's name.
    pub tenant: String,
    /// Its application roles.
    pub roles: Vec<String>,
    /// The attributes that were asked for and that the caller may read.
    #[schema(value_type = Object)]
    pub attributes: BTreeMap<String, Value>,
    /// Its id.
    pub id: String,
}

/// Contract 3: a file of a profile. Of a missing file all fields are null and it has 0 bytes.
#[derive(Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileAttachment {
    /// MD5 of its bytes in hexadecimal digits.
    #[schema(required)]
    pub md5: Option<String>,
    /// Its media type.
    #[schema(required)]
    pub content_type: Option<String>,
    /// Its size, readable: `22.6 KB`.
    #[schema(required)]
    pub file_size: Option<String>,
    /// Its name, without the extension that it was uploaded with.
    #[schema(required)]
    pub file_name: Option<String>,
    /// Its size in bytes.
    pub file_size_bytes: u64,
    /// Its id.
    #[schema(required)]
    pub id: Option<String>,
}

/// A number of bytes in B, KB, MB or GB of 1024 each, with at most one decimal; zero is `0`.
pub fn file_size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KB", "MB", "GB"];
    if bytes == 0 {
        return "0".to_owned();
    }
    let (mut unit, mut divisor) = (0, 1_u64);
    while unit + 1 < UNITS.len() && bytes / divisor >= 1024 {
        unit += 1;
        divisor *= 1024;
    }
    // Attachments are far below 2^53 bytes, so the conversion is exact.
    let size = format!("{:.1}", bytes as f64 / divisor as f64);
    format!("{} {}", size.strip_suffix(".0").unwrap_or(&size), UNITS[unit])
}
