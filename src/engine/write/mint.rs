//! New ids of profiles, tenants and attachments. In one process each is later than the one before,
//! so that they sort in the order in which they were made.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::Utc;
use uuid::Uuid;

use crate::domain::object_id::ObjectId;

/// The microsecond of the newest id.
static NEWEST: AtomicI64 = AtomicI64::new(0);

/// A new id. Two processes make the same one only if 44 random bits are equal within a microsecond;
/// then the claim on it allows only one.
pub fn new_id() -> Uuid {
    let now = Utc::now().timestamp_micros();
    let later = |newest: i64| Some(now.max(newest + 1));
    let before = NEWEST.fetch_update(Ordering::AcqRel, Ordering::Acquire, later);
    let newest = before.unwrap_or_else(|newest| newest);
    ObjectId::new(now.max(newest + 1), rand::random()).held()
}
