//! Tickets, persistent logins and verification tokens, in answers only.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields;

/// Contract 3: a log-in of a profile.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// Its tenant's name.
    pub tenant: String,
    /// Its profile.
    pub profile_id: String,
    /// When it was last used, in epoch milliseconds.
    #[serde(serialize_with = "fields::millis")]
    #[schema(value_type = i64)]
    pub last_request_time: DateTime<Utc>,
    /// Its id.
    #[schema(value_type = String)]
    pub id: Uuid,
}

/// Contract 3: "remember me". The client compares the token.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersistentLogin {
    /// Its tenant's name.
    pub tenant: String,
    /// Its profile.
    pub profile_id: String,
    /// Replaced after each use.
    #[schema(value_type = String)]
    pub token: Uuid,
    /// When it was made, in epoch milliseconds.
    #[serde(serialize_with = "fields::millis")]
    #[schema(value_type = i64)]
    pub timestamp: DateTime<Utc>,
    /// Its id.
    #[schema(value_type = String)]
    pub id: Uuid,
}

/// Contract 3: a token that verifies an e-mail address or permits a new password, once.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerificationToken {
    /// Its tenant's name.
    pub tenant: String,
    /// Its profile.
    pub profile_id: String,
    /// When it was made, in epoch milliseconds.
    #[serde(serialize_with = "fields::millis")]
    #[schema(value_type = i64)]
    pub timestamp: DateTime<Utc>,
    /// Its id.
    #[schema(value_type = String)]
    pub id: Uuid,
}
