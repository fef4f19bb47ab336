//! Read model: how many profiles a tenant has, by role, by department and by activity. Each counter
//! counts rows of `profiles_view`.
//!
//! Fed by: what `counters_of` of a row of profiles_view was before an event and is after it
//! Fills: profile_counts
//! Read by: GET /api/v1/counts, GET /api/1/profile/count

mod fold;
pub mod read;

use postgres_types::{FromSql, ToSql};
use uuid::Uuid;

use crate::projections::profiles_view::{self, ProfilesView};
use crate::projections::{Counter, CounterModel, ReadModel};

/// The read model.
pub struct ProfileCounts;

/// A row.
#[derive(Clone, Debug, PartialEq, ToSql, FromSql)]
#[postgres(name = "profile_counts")]
pub struct Row {
    pub tenant_id: Uuid,
    /// `profile`, `active`, `role` or `department`.
    pub dimension: String,
    /// The role, the department or the flag.
    pub key: String,
    pub profiles: i64,
}

impl ReadModel for ProfileCounts {
    const NAME: &'static str = "profile_counts";
    const VERSION: u32 = 1;
    const TABLE: &'static str = include_str!("table.sql");
    const REFRESHED: bool = true;
    type Row = Row;
}

impl CounterModel for ProfileCounts {
    type Counted = ProfilesView;
    const RECOUNT: &'static str = "
        select 'profile' as dimension, 'all' as key, count(*) as profiles
        from profiles_view where tenant_id = $1 having count(*) > 0
        union all
        select 'active', active::text, count(*)
        from profiles_view where tenant_id = $1 group by active
        union all
        select 'role', role_keys[1], count(*)
        from profiles_view where tenant_id = $1 and role_keys[1] is not null group by role_keys[1]
        union all
        select 'department', department_id::text, count(*)
        from profiles_view, unnest(department_ids) as department_id
        where tenant_id = $1 group by department_id";

    fn counters_of(row: &profiles_view::Row) -> Vec<Counter> {
        fold::counters_of(row)
    }
}
