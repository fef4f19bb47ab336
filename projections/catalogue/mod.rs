//! Read model: the entries of each tenant's catalogue, for people who look with SQL.
//!
//! Fed by: TenantRegistered, RoleDefined, RoleRemoved, DepartmentDefined, DepartmentRemoved,
//! SettingDefined, SettingRemoved, IssuerTrusted, IssuerDistrusted, VerificationRequired,
//! VerificationWaived, SingleSignOnOffered, SingleSignOnWithdrawn, CleansingEnabled,
//! CleansingDisabled, ApplicationRoleOffered, OfferedRoleRemoved, AttributeDefined,
//! AttributeRedefined, AttributeRemoved, TenantDeleted
//! Fills: catalogue
//! Read by:
//! POST /api/v5/artifacts/profiles/docs (its columns; requests use the catalogue in memory)

mod fold;

use postgres_types::{FromSql, ToSql};
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::domain::attributes::weight;
use crate::domain::{Area, Occurred};
use crate::projections::{Key, ReadModel, RowModel};

/// The read model.
pub struct Catalogue;

/// A row.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "catalogue")]
pub struct Row {
    pub tenant_id: Uuid,
    pub id: Uuid,
    /// Version of the tenant's stream at which the entry was last defined.
    pub version: i64,
    /// `tenant`, `role`, `department`, `setting`, `issuer`, `option`, `application_role` or
    /// `attribute`.
    pub kind: String,
    pub key: String,
    pub entry: Json<serde_json::Value>,
}

impl ReadModel for Catalogue {
    const NAME: &'static str = "catalogue";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    type Row = Row;
}

impl RowModel for Catalogue {
    const AREAS: &'static [Area] = &[Area::Tenant];
    // The id of a tenant's stream is the tenant's id.
    const SOURCE_COLUMN: &'static str = "tenant_id";

    fn weight(row: &Row) -> usize {
        weight(&row.entry.0)
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
        (Area::Tenant, row.tenant_id)
    }
}
