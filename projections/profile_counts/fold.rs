//! The counters in which a profile counts.

use crate::projections::{Counter, profiles_view};

/// The counters in which a profile with this row counts, each once.
pub fn counters_of(row: &profiles_view::Row) -> Vec<Counter> {
    let activity = if row.active { "true" } else { "false" };
    let mut counters = vec![
        (row.tenant_id, "profile", "all".to_owned()),
        (row.tenant_id, "active", activity.to_owned()),
    ];
    counters.extend(row.role_keys.first().map(|role| (row.tenant_id, "role", role.clone())));
    let departments = row.department_ids.iter();
    counters.extend(departments.map(|id| (row.tenant_id, "department", id.to_string())));
    counters
}
