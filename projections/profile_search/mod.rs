//! Read model: by what a profile is found and sorted. The search index in memory is loaded from it.
//!
//! Fed by: ProfileRegistered, ProfileRenamed, EmailsAssigned, RolesAssigned, DepartmentsAssigned,
//! ProfileActivated, ProfileDeactivated, UsernameAssigned, AttributesAssigned,
//! AttributeDefaulted, AttributeWithdrawn, ProfileDeleted
//! Fills: profile_search
//! Read by: POST /api/v5/artifacts/profiles/search (through the index)

mod fold;
pub mod index;
pub mod read;

use postgres_types::{FromSql, ToSql};
use tokio_postgres::types::Json;
use uuid::Uuid;

use crate::domain::attributes::weight_of_all;
use crate::domain::folding::{folded, without_marks};
use crate::domain::profile::{Attributes, substitute_name};
use crate::domain::{Area, Occurred};
use crate::projections::{Key, ReadModel, RowModel};

/// The read model.
pub struct ProfileSearch;

/// A row.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "profile_search")]
pub struct Row {
    pub tenant_id: Uuid,
    pub id: Uuid,
    pub version: i64,
    pub name: Option<String>,
    pub username: Option<String>,
    /// The attributes that stand in for a missing name.
    pub attributes: Json<Attributes>,
    /// Folded e-mail addresses.
    pub email_keys: Vec<String>,
    pub role_keys: Vec<String>,
    pub department_ids: Vec<Uuid>,
    pub active: bool,
}

impl Row {
    /// What the index holds of this row.
    pub fn document(&self) -> index::Document {
        let shown = || substitute_name(&self.attributes.0, self.username.as_deref());
        let name_key = self.name.as_deref().map(folded).or_else(|| shown().as_deref().map(folded));
        let keys = || name_key.iter().chain(&self.email_keys);
        // A person who types no marks finds names that have them. Most names have none, or appear
        // without them in an address: these take no room twice.
        let mut plain: Vec<String> = keys().filter_map(|key| without_marks(key)).collect();
        plain.retain(|plain| !keys().any(|key| key.contains(plain)));
        let parts: Vec<&str> = keys().chain(&plain).map(String::as_str).collect();
        index::Document {
            id: self.id,
            name_key: name_key.clone(),
            text: parts.join("\n"),
            role: self.role_keys.first().cloned(),
            departments: self.department_ids.clone(),
            active: self.active,
        }
    }
}

impl ReadModel for ProfileSearch {
    const NAME: &'static str = "profile_search";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    const REFRESHED: bool = true;
    type Row = Row;
}

impl RowModel for ProfileSearch {
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
