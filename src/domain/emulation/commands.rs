//! Orders to an emulation stack.

use chrono::{DateTime, Duration, Utc};

use crate::domain::ids::GrantId;
use crate::domain::permission::Standing;

/// A profile as a layer sees it; None if it does not exist or was deleted.
pub type Known = Option<Standing>;

/// An order to an emulation stack.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Act as `target`, on top of the live layers.
    GrantEmulation {
        grant_id: GrantId,
        real: Standing,
        effective: Standing,
        target: Known,
        /// The roles that the tenant allows to be emulated: their ranks are compared.
        ttl: Duration,
        now: DateTime<Utc>,
        /// When the session ends: a grant never lasts longer.
        session_ends_at: DateTime<Utc>,
    },
    /// Leave the innermost live layer. Everyone may.
    ExitEmulation {
        /// The standings of the real actor and of each layer's target, outermost first.
        real: Known,
        targets: Vec<Known>,
        now: DateTime<Utc>,
    },
    /// Record which layers have ended.
    CutEmulation {
        real: Known,
        targets: Vec<Known>,
        /// If a time is given, the standings are those of that time: layers that were granted later
        /// end only together with a layer outside them. None means now.
        granted_until: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    },
}
