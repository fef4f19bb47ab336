//! What this API needs besides the engine: its settings, passwords, sealed secrets, tickets.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::attachments::Store;
use crate::domain::attachment::Kind as AttachmentKind;
use crate::domain::claims::{self, Bearer};
use crate::domain::ids::{ProfileId, TenantId};
use crate::domain::object_id::ObjectId;
use crate::domain::profile::LockPolicy;
use crate::engine::kept::outbox::Outbox;
use crate::engine::kept::tickets::Tickets;
use crate::engine::{Engine, Error};
use crate::passwords::Passwords;
use crate::sealing::SealingKeys;
use crate::system::Started;

/// Secrets that are cached with the streams that they lead to.
const FOUND_MAX: u64 = 200_000;
/// Lists and counts read at once: half of the connections.
const LISTS_MAX: usize = 12;
/// Long lists answered at once; one more is answered 503.
const LONG_LISTS_MAX: usize = 6;
/// Unknown usernames of which failures are counted.
const FAILURES_MAX: u64 = 100_000;

/// The settings that callers can notice (contract 5).
#[derive(Clone, Debug)]
pub struct Settings {
    /// `auth.ticket.maxAge`: how long a ticket may be unused, in seconds.
    pub ticket_seconds_max: i64,
    /// `persistentLogin.maxAge`: how long a persistent login is valid, in seconds.
    pub persistent_login_seconds_max: i64,
    /// `verification.token.maxAge`: how long a link in a mail is valid, in seconds.
    pub verification_seconds_max: i64,
    /// `auth.lockTime`: how long log-ins are locked, in minutes.
    pub lock_minutes: i64,
    /// `auth.failedLoginAttemptsBeforeDelay`: failures after which answers are delayed.
    pub failures_before_delay: u32,
    /// `auth.failedLoginAttemptsBeforeLock`: failures after these before log-ins are locked.
    pub failures_before_lock: u32,
    /// By how much an answer is delayed, in milliseconds.
    pub delay_milliseconds: u64,
    /// `management.authorizationToken`: what the monitoring endpoints ask for.
    pub management_token: String,
    /// `attachments.maxSizeUpload`: the largest upload, as a whole request, in bytes.
    pub upload_bytes_max: u64,
    /// `attachments.validMimeTypes`: the allowed types of files.
    pub attachment_kinds: Vec<AttachmentKind>,
    /// The prefix under which this API is served besides the root: the name of the original's war
    /// file.
    pub path_prefix: String,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            ticket_seconds_max: 900,
            persistent_login_seconds_max: 1_296_000,
            verification_seconds_max: 86_400,
            lock_minutes: 10,
            failures_before_delay: 2,
            failures_before_lock: 8,
            delay_milliseconds: 1_000,
            management_token: "defaultManagementToken".to_owned(),
            upload_bytes_max: 5 << 20,
            attachment_kinds: AttachmentKind::ALL.to_vec(),
            path_prefix: "/crafter-profile".to_owned(),
        }
    }
}

impl Settings {
    /// When log-ins are locked.
    pub fn lock_policy(&self) -> LockPolicy {
        let failures_max = self.failures_before_delay + self.failures_before_lock;
        LockPolicy { failures_max, lock_minutes: self.lock_minutes }
    }

    /// By how much the answer to a failure is delayed, after so many failures.
    pub fn delay(&self, failures: u32) -> Option<Duration> {
        let delayed = failures > self.failures_before_delay;
        delayed.then(|| Duration::from_millis(self.delay_milliseconds))
    }
}

/// The parts of [`Services`].
pub struct Parts {
    pub settings: Settings,
    pub passwords: Passwords,
    pub sealing: Arc<SealingKeys>,
    pub outbox: Arc<Outbox>,
    pub attachments: Store,
}

/// Shared by all calls.
pub struct Services {
    pub settings: Settings,
    pub passwords: Passwords,
    pub sealing: Arc<SealingKeys>,
    pub tickets: Arc<Tickets>,
    pub outbox: Arc<Outbox>,
    pub attachments: Store,
    pub started: Started,
    /// Failures of usernames that no profile has, so that they are answered like those of known
    /// ones. Of this process only; forgotten after the time of a lock.
    pub failures: Cache<Uuid, u32>,
    /// Turns to read lists and counts: however long each takes, connections are left for others.
    pub lists: Arc<Semaphore>,
    /// Long lists being sent: each holds a connection for as long as its client reads.
    pub long_lists: Arc<Semaphore>,
    /// Profile and tenant of an id. These never change, so they are cached.
    homes: Cache<ObjectId, (TenantId, ProfileId)>,
    secrets: Cache<Uuid, (TenantId, Uuid)>,
}

impl Services {
    /// Makes them of these parts.
    pub fn new(parts: Parts) -> Services {
        let Parts { settings, passwords, sealing, outbox, attachments } = parts;
        let forgotten = Duration::from_secs(settings.lock_minutes.unsigned_abs().max(1) * 60);
        Services {
            settings,
            passwords,
            sealing,
            tickets: Arc::new(Tickets::default()),
            outbox,
            attachments,
            started: Started::now(),
            failures: Cache::builder().max_capacity(FAILURES_MAX).time_to_live(forgotten).build(),
            lists: Arc::new(Semaphore::new(LISTS_MAX)),
            long_lists: Arc::new(Semaphore::new(LONG_LISTS_MAX)),
            homes: Cache::new(FOUND_MAX),
            secrets: Cache::builder()
                .max_capacity(FOUND_MAX)
                .time_to_live(Duration::from_secs(300))
                .build(),
        }
    }

    /// The profile that has or had this id, and its tenant.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn profile_and_tenant(
        &self,
        engine: &Engine,
        id: ObjectId,
    ) -> Result<Option<(TenantId, ProfileId)>, Error> {
        if let Some(home) = self.homes.get(&id) {
            return Ok(Some(home));
        }
        let claim = claims::profile_id(id);
        let Some(held) = engine.holder(claim).await? else { return Ok(None) };
        let home = (TenantId(held.tenant_id), ProfileId(held.holder));
        self.homes.insert(id, home);
        Ok(Some(home))
    }

    /// The stream that this secret leads to. Its state says whether the secret is still valid.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn found(
        &self,
        engine: &Engine,
        bearer: Bearer,
        secret: &str,
    ) -> Result<Option<(TenantId, Uuid)>, Error> {
        let claim = bearer.claim(secret);
        if let Some(found) = self.secrets.get(&claim) {
            return Ok(Some(found));
        }
        let Some(held) = engine.holder(claim).await? else { return Ok(None) };
        let found = (TenantId(held.tenant_id), held.holder);
        self.secrets.insert(claim, found);
        Ok(Some(found))
    }

    /// Forgets the stream of a secret, since the secret may be given to another.
    pub fn forget(&self, bearer: Bearer, secret: &str) {
        self.secrets.invalidate(&bearer.claim(secret));
    }
}
