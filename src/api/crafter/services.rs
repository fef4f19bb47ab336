//! What this face works with besides the engine: its settings, passwords, sealed secrets, tickets.

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

/// Secrets remembered with what they lead to.
const FOUND_MAX: u64 = 200_000;
/// Lists and counts read at once; half of the connections there are.
const LISTS_MAX: usize = 12;
/// Long lists answered at once; one more is answered 503.
const LONG_LISTS_MAX: usize = 6;
/// Unknown usernames whose failures are remembered.
const FAILURES_MAX: u64 = 100_000;

/// What a caller can notice of the configuration (contract 5).
#[derive(Clone, Debug)]
pub struct Settings {
    /// `auth.ticket.maxAge`: how long a ticket may be idle, in seconds.
    pub ticket_seconds_max: i64,
    /// `persistentLogin.maxAge`: how long a log-in is remembered, in seconds.
    pub persistent_login_seconds_max: i64,
    /// `verification.token.maxAge`: how long a link in an e-mail leads anywhere, in seconds.
    pub verification_seconds_max: i64,
    /// `auth.lockTime`: how long log-ins are locked, in minutes.
    pub lock_minutes: i64,
    /// `auth.failedLoginAttemptsBeforeDelay`: failures after which the answer is held back.
    pub failures_before_delay: u32,
    /// `auth.failedLoginAttemptsBeforeLock`: failures after these that lock.
    pub failures_before_lock: u32,
    /// How long an answer is held back, in milliseconds.
    pub delay_milliseconds: u64,
    /// `management.authorizationToken`: what the monitoring endpoints ask for.
    pub management_token: String,
    /// `attachments.maxSizeUpload`: the largest upload, all of the request, in bytes.
    pub upload_bytes_max: u64,
    /// `attachments.validMimeTypes`: what files may be.
    pub attachment_kinds: Vec<AttachmentKind>,
    /// Where else than at the root this face is served: the name that the original's war file has.
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

    /// How long the answer to a failure is held back, when so many have failed.
    pub fn delay(&self, failures: u32) -> Option<Duration> {
        let delayed = failures > self.failures_before_delay;
        delayed.then(|| Duration::from_millis(self.delay_milliseconds))
    }
}

/// What [`Services`] are made of.
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
    /// Failures of usernames that nobody has, so that they are answered as those that somebody
    /// has. Of this process; forgotten after the time of a lock.
    pub failures: Cache<Uuid, u32>,
    /// Lists and counts being read: however long each takes, others have connections left.
    pub lists: Arc<Semaphore>,
    /// Long lists being answered: each holds a connection for as long as its reader takes.
    pub long_lists: Arc<Semaphore>,
    /// Which profile an id is, and in which tenant: what it was once it is for ever.
    homes: Cache<ObjectId, (TenantId, ProfileId)>,
    secrets: Cache<Uuid, (TenantId, Uuid)>,
}

impl Services {
    /// With these.
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

    /// The profile that has this id, or had it, and its tenant.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn home(
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

    /// What this secret leads to: a stream, whose state says whether it still does.
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

    /// Forgets what a secret led to: it is free to lead elsewhere.
    pub fn forget(&self, bearer: Bearer, secret: &str) {
        self.secrets.invalidate(&bearer.claim(secret));
    }
}
