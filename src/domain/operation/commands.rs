//! What one may order to be put on record.

use std::collections::BTreeMap;

use crate::domain::ids::ProfileId;

/// An order to the record.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Somebody wanted to act as another and was not let.
    RecordRefusedEmulation { target: ProfileId, reason: &'static str },
    /// The read models of the tenant were replayed: rows that differed, by read model.
    RecordRefresh { rows_differing: BTreeMap<String, i64> },
}
