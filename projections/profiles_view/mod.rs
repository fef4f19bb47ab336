//! Read model: one row for each live profile, with all that is true of it.
//!
//! Fed by: ProfileRegistered, ProfileRenamed, EmailsAssigned, RolesAssigned, DepartmentsAssigned,
//! RequestLimitAssigned, ProfileActivated, ProfileDeactivated, AttributesAssigned,
//! AttributeDefaulted, AttributeWithdrawn, UsernameAssigned, ApplicationRolesAssigned,
//! ApplicationRoleWithdrawn, LogInEmailTaken, ProfileVerified, PasswordChanged, LogInSucceeded,
//! LogInFailed, LogInLocked, AttachmentStored, ProfileDeleted
//! Fills: profiles_view
//! Read by: POST /api/v5/artifacts/profiles/search (the page's rows),
//! POST /api/v5/artifacts/profiles/export

mod fold;
pub mod read;

use chrono::{DateTime, Utc};
use postgres_types::{FromSql, ToSql};
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::domain::attributes::weight_of_all;
use crate::domain::profile::{Attributes, substitute_name};
use crate::domain::{Area, Occurred};
use crate::projections::{Key, ReadModel, RowModel};

/// The read model.
pub struct ProfilesView;

/// A row.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "profiles_view")]
pub struct Row {
    pub tenant_id: Uuid,
    pub id: Uuid,
    pub version: i64,
    pub name_id: Option<Uuid>,
    pub name: Option<String>,
    pub email_ids: Vec<Uuid>,
    pub emails: Vec<String>,
    pub role_keys: Vec<String>,
    pub department_ids: Vec<Uuid>,
    pub request_limit_id: Option<Uuid>,
    pub requests_per_day: Option<i32>,
    pub active: bool,
    pub username: Option<String>,
    pub application_roles: Vec<String>,
    pub attributes: Json<Attributes>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Row {
    /// What lists show as the name of the profile: its name, else what stands in for it.
    pub fn shown_name(&self) -> Option<String> {
        self.name.clone().or_else(|| substitute_name(&self.attributes.0, self.username.as_deref()))
    }
}

impl ReadModel for ProfilesView {
    const NAME: &'static str = "profiles_view";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    const REFRESHED: bool = true;
    type Row = Row;
}

impl RowModel for ProfilesView {
    const AREAS: &'static [Area] = &[Area::Profile];

    fn weight(row: &Row) -> usize {
        weight_of_all(&row.attributes.0)
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
