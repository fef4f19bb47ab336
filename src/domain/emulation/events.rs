//! The events of an emulation stack. Their names and fields never change.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::ids::{GrantId, ProfileId};

/// An event of an emulation stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// From the next request on the session acts as `target`, inside the layers before.
    EmulationGranted {
        grant_id: GrantId,
        /// The real actor at the root, so that each layer can be checked again.
        real_actor: ProfileId,
        target: ProfileId,
        expires_at: DateTime<Utc>,
    },
    /// The innermost layer was left.
    EmulationExited { grant_id: GrantId },
    /// A layer's time was over.
    EmulationExpired { grant_id: GrantId },
    /// A layer is no longer permitted.
    EmulationRevoked { grant_id: GrantId, reason: String },
}

impl From<Event> for crate::domain::Event {
    fn from(event: Event) -> Self {
        crate::domain::Event::Emulation(event)
    }
}
