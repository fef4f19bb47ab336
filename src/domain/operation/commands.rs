//! Orders to record something.

use std::collections::BTreeMap;

use crate::domain::ids::ProfileId;

/// An order to record something.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Record that an emulation was refused.
    RecordRefusedEmulation { target: ProfileId, reason: &'static str },
    /// Record a replay of the tenant's read models: rows that differed, by read model.
    RecordRefresh { rows_differing: BTreeMap<String, i64> },
}
