//! What can have happened to an emulation stack. Names and fields are for ever.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{GrantId, ProfileId};

/// An event of an emulation stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The session acts as `target` from the next request on, inside the layers before.
    EmulationGranted {
        grant_id: GrantId,
        /// The root of the chain, so that each layer can be judged again.
        real_actor: ProfileId,
        target: ProfileId,
        expires_at: DateTime<Utc>,
    },
    /// The innermost layer was left.
    EmulationExited { grant_id: GrantId },
    /// A layer reached the end of its time.
    EmulationExpired { grant_id: GrantId },
    /// A layer lost what it stood on.
    EmulationRevoked { grant_id: GrantId, reason: String },
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Emulation(event)
    }
}
