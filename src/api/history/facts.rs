//! The facts of a profile as the History API shows them (contract 0, shapes).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::profile::Facts;
use crate::domain::tenant::Catalogue;

/// What was true of a profile.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FactsShown {
    pub name: Option<String>,
    /// The first is the primary one.
    pub emails: Vec<EmailShown>,
    /// The first is the one that counts.
    pub roles: Vec<RoleShown>,
    /// The first is the primary one.
    pub departments: Vec<DepartmentShown>,
    /// Requests per day.
    pub request_limit: Option<i32>,
    pub active: bool,
    pub username: Option<String>,
    pub application_roles: Vec<String>,
    pub verified: bool,
    #[schema(value_type = Object)]
    pub attributes: BTreeMap<String, Value>,
    pub attachments: Vec<AttachmentShown>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// An e-mail address.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EmailShown {
    pub id: Uuid,
    pub email: String,
    /// Whether it is a log-in.
    pub login: bool,
}

/// A directory role.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RoleShown {
    pub key: String,
    /// Its name in the catalogue of that moment.
    pub name: Option<String>,
}

/// A department.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DepartmentShown {
    pub id: Uuid,
    /// Its name in the catalogue of that moment.
    pub name: Option<String>,
}

/// A file.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AttachmentShown {
    pub name: String,
    pub content_type: String,
    pub bytes: u64,
    /// In hexadecimal digits.
    pub sha256: String,
}

impl FactsShown {
    /// The facts, with names from this catalogue.
    pub fn new(facts: &Facts, catalogue: &Catalogue) -> FactsShown {
        let emails = facts.emails.iter().map(|email| EmailShown {
            id: email.id.0,
            email: email.address.0.clone(),
            login: email.login,
        });
        let roles = facts.roles.iter().map(|key| RoleShown {
            key: key.clone(),
            name: catalogue.role(key).map(|role| role.name.clone()),
        });
        let departments = facts.departments.iter().map(|id| DepartmentShown {
            id: id.0,
            name: catalogue.department(*id).map(|department| department.name.clone()),
        });
        let attachments = facts.attachments.iter().map(|file| AttachmentShown {
            name: file.name.0.clone(),
            content_type: file.content_type.clone(),
            bytes: file.bytes,
            sha256: file.digest.to_string(),
        });
        let attributes = facts.attributes.iter();
        FactsShown {
            name: facts.name.as_ref().map(|name| name.name.0.clone()),
            emails: emails.collect(),
            roles: roles.collect(),
            departments: departments.collect(),
            request_limit: facts.request_limit.as_ref().map(|limit| limit.requests_per_day),
            active: facts.is_active(),
            username: facts.username.clone(),
            application_roles: facts.application_roles.clone(),
            verified: facts.verified,
            attributes: attributes.map(|(name, one)| (name.clone(), one.0.clone())).collect(),
            attachments: attachments.collect(),
            created_at: facts.registered_at,
            updated_at: facts.modified_at,
        }
    }
}
