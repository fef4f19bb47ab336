//! Read model: each live profile as the document that applications query.
//!
//! Fed by: ProfileRegistered, EmailsAssigned, ProfileActivated, ProfileDeactivated,
//! AttributesAssigned, AttributeDefaulted, AttributeWithdrawn, UsernameAssigned,
//! ApplicationRolesAssigned, ApplicationRoleWithdrawn, ProfileVerified, PasswordChanged,
//! LogInSucceeded, LogInFailed, LogInLocked, LogInEmailTaken, ProfileRenamed, RolesAssigned,
//! DepartmentsAssigned, RequestLimitAssigned, AttachmentStored, ProfileDeleted
//! Fills: profile_documents
//! Read by: GET /api/1/profile/one_by_query, GET /api/1/profile/count_by_query,
//! GET /api/1/profile/by_query, GET /api/1/profile/by_ids, GET /api/1/profile/range,
//! GET /api/1/profile/by_role, GET /api/1/profile/by_existing_attribute,
//! GET /api/1/profile/by_attribute_value

pub mod filter;
mod fold;
mod jsonpath;
mod necessary;
mod pattern;
mod place;
pub mod read;

use postgres_types::{FromSql, ToSql};
use serde::{Deserialize, Serialize};
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::domain::attributes::weight_of_all;
use crate::domain::profile::Attributes;
use crate::domain::{Area, Occurred};
use crate::projections::{Key, ReadModel, RowModel};

/// The read model.
pub struct ProfileDocuments;

/// A row.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "profile_documents")]
pub struct Row {
    pub tenant_id: Uuid,
    pub id: Uuid,
    /// A UUID made of the twelve bytes of the id: it sorts and compares as they do.
    pub object_id: Uuid,
    pub version: i64,
    /// The position of its registration, which gives storage order.
    pub ordinal: i64,
    /// The username; for a profile without one, its id.
    pub username: String,
    pub email: Option<String>,
    pub verified: bool,
    pub enabled: bool,
    /// In milliseconds since 1970, as is the last change.
    pub created_on: i64,
    pub last_modified: i64,
    pub document: Json<Document>,
}

/// What queries can ask about at any depth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub roles: Vec<String>,
    pub attributes: Attributes,
    /// What the index knows of the attributes: which ones there are.
    pub names: Vec<String>,
}

impl ReadModel for ProfileDocuments {
    const NAME: &'static str = "profile_documents";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    type Row = Row;
}

impl RowModel for ProfileDocuments {
    const AREAS: &'static [Area] = &[Area::Profile];

    fn weight(row: &Row) -> usize {
        weight_of_all(&row.document.0.attributes)
    }

    fn key(event: &Occurred) -> Option<Key> {
        fold::key(event)
    }

    fn evolve(row: Option<Row>, event: &Occurred) -> Option<Row> {
        fold::evolve(row, event)
    }

    fn key_of(row: &Row) -> Key {
        (row.tenant_id, row.id)
    }

    fn version_of(row: &Row) -> i64 {
        row.version
    }

    fn source_of(row: &Row) -> (Area, Uuid) {
        (Area::Profile, row.id)
    }
}
