//! Where the credentials of people led lately, so that it is not looked for at every request. What
//! is found here must still be asked whether it holds.

use std::time::Duration;

use moka::sync::Cache;

use crate::domain::ids::{ApiKeyId, ProfileId, SessionId, TenantId};

/// Most keys remembered.
const KEYS_MAX: u64 = 10_000;
/// For how long one is.
const KEY_AGE_MAX: Duration = Duration::from_secs(300);
/// Most sessions remembered.
const SESSIONS_MAX: u64 = 50_000;

/// Where an API key leads.
#[derive(Clone, Debug)]
pub struct KnownKey {
    pub tenant: TenantId,
    pub id: ApiKeyId,
    pub hash: [u8; 32],
}

/// A tenant, a real actor and a session of its tokens.
pub type TokenSession = (TenantId, ProfileId, String);

/// Where credentials led lately.
pub struct Known {
    /// API keys by their digests.
    pub keys: Cache<[u8; 32], KnownKey>,
    /// The session that was opened for each.
    pub sessions: Cache<TokenSession, SessionId>,
}

impl Default for Known {
    fn default() -> Self {
        let keys = Cache::builder().max_capacity(KEYS_MAX).time_to_live(KEY_AGE_MAX).build();
        Known { keys, sessions: Cache::new(SESSIONS_MAX) }
    }
}
