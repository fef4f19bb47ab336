//! Read model: when each profile began and ceased to hold a role, a department, an application role
//! or a state. Whoever holds something at a moment has a row before it that says so, and no later
//! one that ends it.
//!
//! Fed by: what a profile was before each of its events and is after it
//! Fills: profile_holdings
//! Read by: GET /api/v1/profiles, GET /api/v1/holdings, GET /api/v1/events (department)

mod fold;
pub mod read;

use postgres_types::{FromSql, ToSql};
use uuid::Uuid;

use crate::projections::{Lane, ReadModel, Transition, TransitionKey, TransitionModel};

/// A directory role, by its key.
pub const ROLE: &str = "role";
/// A department, by its id.
pub const DEPARTMENT: &str = "department";
/// An application role, by its name.
pub const APPLICATION_ROLE: &str = "application_role";
/// One of [`LIVE`], [`INACTIVE`], [`DELETED`], [`UNASSIGNED`].
pub const STATE: &str = "state";

/// Registered and not deleted.
pub const LIVE: &str = "live";
/// Live and deactivated.
pub const INACTIVE: &str = "inactive";
/// Deleted.
pub const DELETED: &str = "deleted";
/// Live and without a directory role.
pub const UNASSIGNED: &str = "unassigned";

/// The read model.
pub struct ProfileHoldings;

/// A row: from this event on the profile holds something, or holds it no longer.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "profile_holdings")]
pub struct Row {
    pub tenant_id: Uuid,
    pub profile_id: Uuid,
    pub kind: String,
    pub key: String,
    pub position: i64,
    pub holds: bool,
}

impl ReadModel for ProfileHoldings {
    const NAME: &'static str = "profile_holdings";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    const LANE: Lane = Lane::Audit;
    type Row = Row;
}

impl TransitionModel for ProfileHoldings {
    fn rows(transition: Transition<'_>) -> Vec<Row> {
        fold::rows(transition)
    }

    fn key_of(row: &Row) -> TransitionKey {
        (row.profile_id, row.position, format!("{} {}", row.kind, row.key))
    }
}
