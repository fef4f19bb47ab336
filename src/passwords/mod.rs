//! Hashes and verifies passwords with Argon2id, away from the threads that answer requests.
//! Passwords are never stored, logged or shown. The time never tells whether a profile exists, has
//! a password, or how an old one was hashed.

mod argon;
mod stored;

use std::collections::HashSet;
use std::fmt;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing::error;
use zeroize::Zeroizing;

use argon::Argon;
use stored::{FILLED_KIB_MAX, MEMORY_KIB_MAX, Malformed};

/// Longest password, in bytes. Longer ones are refused.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// Most malformed stored texts that are remembered, so that each is logged once.
const MALFORMED_KNOWN_MAX: usize = 1_024;

/// A password as it was given. It is wiped from memory when dropped, and never printed.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// A password is empty, or longer than [`PASSWORD_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password has 1 to {PASSWORD_BYTES_MAX} bytes")]
pub struct InvalidPassword;

/// A password's hash to be stored: Argon2id in PHC form.
#[derive(Clone)]
pub struct Hash(String);

/// The result of a verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// Right, but the stored hash is weaker than a new one: store a new one.
    RightButUpgrade,
    Wrong,
}

/// The queue of passwords is full. Nothing was computed: try again in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are waiting to be hashed")]
pub struct Busy;

/// The settings are invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    #[error("the memory of a password hash lies between 8 and {MEMORY_KIB_MAX} KiB")]
    Memory,
    #[error("a password hash takes at least 1 iteration, and fills at most {} MiB", FILLED_KIB_MAX >> 10)]
    Iterations,
    #[error("the number of passwords hashed at once is at least 1")]
    AtOnce,
}

/// The cost of a hash, and how many are computed and waiting.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Hashes computed at once; each keeps its memory while the process runs.
    pub at_once: usize,
    /// Callers that may wait besides those.
    pub waiting_max: usize,
}

/// Hashes and verifies. Cheap to clone.
#[derive(Clone)]
pub struct Passwords {
    argon: Arc<Argon>,
    /// Held while computing or waiting ...
    places: Arc<Semaphore>,
    /// ... and held while computing.
    turns: Arc<Semaphore>,
    malformed: Arc<Mutex<HashSet<[u8; 32]>>>,
}

impl Password {
    /// The password in this text, exactly as given.
    ///
    /// # Errors
    /// [`InvalidPassword`].
    pub fn parse(text: String) -> Result<Password, InvalidPassword> {
        let password = Password(Zeroizing::new(text));
        match password.0.len() {
            1..=PASSWORD_BYTES_MAX => Ok(password),
            _ => Err(InvalidPassword),
        }
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password]")
    }
}

impl Hash {
    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[password hash]")
    }
}

impl Default for Settings {
    /// OWASP's recommendation for Argon2id; one hash for each core, and about 1.5 seconds of them
    /// waiting.
    fn default() -> Settings {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Settings { memory_kib: 19_456, iterations: 2, at_once: cores, waiting_max: 64 * cores }
    }
}

impl Passwords {
    /// With these settings, from now on.
    ///
    /// # Errors
    /// [`InvalidSettings`].
    pub fn new(settings: Settings) -> Result<Passwords, InvalidSettings> {
        if settings.at_once == 0 {
            return Err(InvalidSettings::AtOnce);
        }
        let most = settings.at_once.saturating_add(settings.waiting_max);
        Ok(Passwords {
            argon: Arc::new(Argon::new(settings.memory_kib, settings.iterations)?),
            places: Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS))),
            turns: Arc::new(Semaphore::new(settings.at_once.min(Semaphore::MAX_PERMITS))),
            malformed: Arc::default(),
        })
    }

    /// A new hash of this password, with its own salt.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn hash(&self, password: Password) -> Result<Hash, Busy> {
        self.compute(move |argon| Hash(argon.hash(password.bytes()))).await
    }

    /// Whether this password is the stored one. If nothing is stored (no such profile, or no
    /// password), or if it cannot be read, the answer takes as long and is wrong.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn verify(&self, password: Password, stored: Option<&str>) -> Result<Verdict, Busy> {
        let text = stored.map(str::to_owned);
        let work = move |argon: &Argon| argon.verify(password.bytes(), text.as_deref());
        let verdict = self.compute(work).await?;
        Ok(verdict.unwrap_or_else(|malformed| {
            self.report(stored.unwrap_or_default(), malformed);
            Verdict::Wrong
        }))
    }

    /// Memory filled since the start, in KiB: the total cost of hashing.
    pub fn filled_kib(&self) -> u64 {
        self.argon.filled_kib()
    }

    /// Memory held for hashing while nothing is computed, in KiB.
    pub fn held_kib(&self) -> usize {
        self.argon.held_kib()
    }

    /// The work keeps its permits until it is done, even if nobody waits for it.
    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Busy)?;
        let argon = Arc::clone(&self.argon);
        let worked = spawn_blocking(move || {
            let _held = (place, turn);
            work(&argon)
        });
        worked.await.map_err(|error| match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // The runtime is being shut down.
            Err(_) => Busy,
        })
    }

    fn report(&self, text: &str, malformed: Malformed) {
        let digest = Sha256::digest(text).into();
        let mut known = self.malformed.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MALFORMED_KNOWN_MAX && known.insert(digest) {
            error!(%malformed, "a stored password cannot be verified: {malformed}");
        }
    }
}
