//! Caches what credentials led to, so that it is not looked up at every request. Whether it is
//! still valid must be checked after each use of the cache.

use std::time::Duration;

use moka::sync::Cache;

use crate::domain::ids::{ApiKeyId, ProfileId, SessionId, TenantId};

/// Most cached keys.
const KEYS_MAX: u64 = 10_000;
/// How long a key is cached.
const KEY_AGE_MAX: Duration = Duration::from_secs(300);
/// Most cached sessions.
const SESSIONS_MAX: u64 = 50_000;

/// The tenant and the stream of an API key.
#[derive(Clone, Debug)]
pub struct KnownKey {
    pub tenant: TenantId,
    pub id: ApiKeyId,
    pub hash: [u8; 32],
}

/// A tenant, a real actor and a session of its tokens.
pub type TokenSession = (TenantId, ProfileId, String);

/// What credentials led to.
pub struct Known {
    /// API keys, by their digests.
    pub keys: Cache<[u8; 32], KnownKey>,
    /// The session that was opened for each of them.
    pub sessions: Cache<TokenSession, SessionId>,
}

impl Default for Known {
    fn default() -> Self {
        let keys = Cache::builder().max_capacity(KEYS_MAX).time_to_live(KEY_AGE_MAX).build();
        Known { keys, sessions: Cache::new(SESSIONS_MAX) }
    }
}
