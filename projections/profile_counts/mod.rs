//! Read model: how many profiles a tenant has, by what they have in common. Each counter is the
//! sum of what the rows of `profiles_view` stand for.
//!
//! Fed by: what `tally` of a row of profiles_view was before an event and is after it
//! Fills: profile_counts
//! Read by: GET /api/v1/counts, GET /api/1/profile/count

mod fold;
pub mod read;

use postgres_types::{FromSql, ToSql};
use uuid::Uuid;

use crate::projections::ReadModel;

pub use fold::{Counter, tally};

/// The read model.
pub struct ProfileCounts;

/// A row; as a change, `profiles` is what is to be added.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "profile_counts")]
pub struct Row {
    pub tenant_id: Uuid,
    /// `profile`, `active`, `role` or `department`.
    pub dimension: String,
    /// Which one of the dimension.
    pub key: String,
    pub profiles: i64,
}

impl ReadModel for ProfileCounts {
    const NAME: &'static str = "profile_counts";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    type Row = Row;
}
