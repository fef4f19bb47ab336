//! What one may order an emulation stack to become.

use chrono::{DateTime, Duration, Utc};

use crate::domain::ids::GrantId;
use crate::domain::permission::Standing;

/// A profile as a layer sees it; None when it does not exist (any more).
pub type Known = Option<Standing>;

/// An order to an emulation stack.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Act as `target` on top of the live layers.
    GrantEmulation {
        grant_id: GrantId,
        real: Standing,
        effective: Standing,
        target: Known,
        /// Which roles the tenant lets be emulated: asked of the ranks in the standings.
        ttl: Duration,
        now: DateTime<Utc>,
        /// When the session ends: no grant outlives it.
        session_ends_at: DateTime<Utc>,
    },
    /// Leave the innermost live layer. Needs no right of anybody.
    ExitEmulation {
        /// The standings of the real actor and of each layer's target, outermost first.
        real: Known,
        targets: Vec<Known>,
        now: DateTime<Utc>,
    },
    /// Put on record which layers have died.
    CutEmulation {
        real: Known,
        targets: Vec<Known>,
        /// The standings are those of this moment: layers granted later end only with a layer that
        /// they are inside of. None: of now.
        granted_until: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    },
}
