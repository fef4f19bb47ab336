//! Bearer tokens: whether a JWT may be believed, and what it says about who holds it.
//!
//! Contract 1.2. The algorithm is pinned by configuration and by the key, never taken from the
//! token. A token is bound to one tenant: to its issuers, or, for the local one, by its audience.
//!
//! What a token says is read and checked anew with each request; only that its signature fits
//! is remembered, at most five minutes, by the token, the tenant and the exact content of the key
//! set. So an issuer that is taken from the list stops at once, and a key that is withdrawn stops
//! when its set is read again: within a second for a file; for an address with the first requests
//! after ten minutes (the very first is still judged by the old set), or after a day at most while
//! the address does not answer.
//!
//! It never reads the clock: the caller passes the time, and all that decides is measured by it.
//! It never believes a `profile_id` of another issuer than our own, never looks up a profile, never
//! opens a session, and never logs a token or an e-mail.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::debug;
use uuid::Uuid;

use crate::bearer::keys::KeySet;
use crate::bearer::local::LocalIssuer;
use crate::bearer::sources::Sources;
use crate::bearer::token::Token;

mod keys;
pub mod local;
mod read;
mod sources;
mod token;

const SIGNATURES_REMEMBERED_MAX: u64 = 10_000;
const SIGNATURE_REMEMBERED_SECONDS: u64 = 5 * 60;

/// One issuer that a tenant believes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Issuer {
    /// What the token's `iss` must be, to the letter. No two issuers of a tenant share it.
    pub issuer: String,
    /// What the token's `aud` must contain.
    pub audience: String,
    /// The algorithms its tokens may be signed with.
    pub algorithms: Vec<Algorithm>,
    /// Where its public keys are.
    pub keys: KeySource,
}

/// Where an issuer's key set (RFC 7517) is read from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeySource {
    /// A file, looked at again at most every second. Replace it by renaming another over it.
    File(PathBuf),
    /// An address: https, or http on this very machine.
    Url(String),
}

/// A signature algorithm that an issuer may use: asymmetric ones only, by their JOSE names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

/// What a valid token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    pub issuer: TokenIssuer,
    /// Whose token it is: set by the local issuer always, by others never.
    pub profile_id: Option<Uuid>,
    /// An address that another issuer has verified; as it stands in the token.
    pub email: Option<String>,
    pub email_verified: bool,
    /// The token's `sid`, else its `jti`.
    pub session: Option<String>,
    pub expires_at: DateTime<Utc>,
}

/// Who issued a valid token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TokenIssuer {
    Local,
    External(String),
}

/// Why there are no claims. What is wrong with a token is logged, but not told to its bearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// 401.
    #[error("the bearer token is not valid here")]
    Invalid,
    /// 503: it could be valid, but the issuer's key set can be had from nowhere.
    #[error("the keys of the token's issuer cannot be read at present")]
    Unavailable,
}

/// How far clocks of issuers may be ahead when nothing else is set, in seconds.
pub const LEEWAY_SECONDS: i64 = 30;

/// Verifies tokens. Shared by all requests and cheap to clone: it holds what is known of key sets.
#[derive(Clone)]
pub struct Verifier {
    inner: Arc<Inner>,
}

struct Inner {
    local: LocalIssuer,
    sources: Sources,
    remembered: Cache<Proof, ()>,
    leeway: TimeDelta,
}

/// That a token's signature fits a key set. It depends on nothing else, since token and set name
/// key and algorithm; the tenant is in it so that nothing at all is shared between tenants.
#[derive(PartialEq, Eq, Hash)]
struct Proof {
    token: [u8; 32],
    tenant: Uuid,
    keys: [u8; 32],
}

/// What is wrong with a token, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("it is too long")]
    Oversized,
    #[error("it is not a signed JWT with the claims needed")]
    Malformed,
    #[error("its header demands what is not supported (crit)")]
    CriticalHeader,
    #[error("its typ says that it is for another purpose")]
    OtherPurpose,
    #[error("its algorithm is not one that its issuer may use")]
    AlgorithmRefused,
    #[error("its issuer is not one of the tenant's, or stands there twice")]
    IssuerUnknown,
    #[error("it is meant for another audience")]
    OtherAudience,
    #[error("it has expired")]
    Expired,
    #[error("its time has not come")]
    NotYetValid,
    #[error("no key of its issuer fits it")]
    KeyUnknown,
    #[error("its signature is wrong")]
    SignatureWrong,
    #[error("the key set of its issuer cannot be read, and none is remembered")]
    KeysUnavailable,
}

impl Verifier {
    /// `leeway` is how far clocks of issuers may be ahead of ours, for `nbf` and `iat`. `exp` has
    /// none.
    pub fn new(local: LocalIssuer, leeway: TimeDelta) -> Self {
        let remembered = Cache::builder()
            .max_capacity(SIGNATURES_REMEMBERED_MAX)
            .time_to_live(Duration::from_secs(SIGNATURE_REMEMBERED_SECONDS))
            .build();
        Self { inner: Arc::new(Inner { local, sources: Sources::new(), remembered, leeway }) }
    }

    /// What `token` says, if it may be believed. `issuers` are those of the API key's tenant,
    /// whose id is `tenant`.
    pub async fn verify(
        &self,
        token: &str,
        tenant: Uuid,
        issuers: &[Issuer],
        now: DateTime<Utc>,
    ) -> Result<Claims, Refused> {
        self.inner.examine(token, tenant, issuers, now).await.map_err(|fault| {
            debug!(tenant.id = %tenant, "refused a bearer token of tenant {tenant}: {fault}");
            fault.answer()
        })
    }
}

/// Whether keys are ever fetched from this address: it is https, or http on this machine, and holds
/// no credentials.
pub fn is_key_address(text: &str) -> bool {
    read::address(text).is_some()
}

impl Algorithm {
    /// The algorithm of that name in a token's header or a key, if it is one of ours.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::RS256,
            "RS384" => Self::RS384,
            "RS512" => Self::RS512,
            "PS256" => Self::PS256,
            "PS384" => Self::PS384,
            "PS512" => Self::PS512,
            "ES256" => Self::ES256,
            "ES384" => Self::ES384,
            // RFC 9864 renames it; the one curve that is supported is meant by both.
            "EdDSA" | "Ed25519" => Self::EdDSA,
            _ => return None,
        })
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "{}", path.display()),
            // A query may hold a secret.
            Self::Url(text) => {
                formatter.write_str(text.split(['?', '#']).next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl Inner {
    /// All that costs nothing is checked before keys are asked for, so that only a token with the
    /// right issuer, audience and times can make us fetch anything.
    async fn examine(
        &self,
        token: &str,
        tenant: Uuid,
        issuers: &[Issuer],
        now: DateTime<Utc>,
    ) -> Result<Claims, Fault> {
        let token = Token::parse(token)?;
        token.is_in_time(now, self.leeway)?;
        // First: whatever is configured, nobody else speaks in the local issuer's name.
        if token.issuer() == local::NAME {
            token.is_meant_for(&local::audience(tenant), &[Algorithm::EdDSA])?;
            self.is_signed(&token, tenant, self.local.keys())?;
            return token.local_claims();
        }
        let issuer = the_one(issuers, token.issuer()).ok_or(Fault::IssuerUnknown)?;
        token.is_meant_for(&issuer.audience, &issuer.algorithms)?;
        let keys = self.sources.current(&issuer.keys, now).await;
        let keys = keys.ok_or(Fault::KeysUnavailable)?;
        match self.is_signed(&token, tenant, &keys) {
            Err(Fault::KeyUnknown) => {
                let newer = self.sources.newer(&issuer.keys, &keys, now).await;
                let newer = newer.ok_or(Fault::KeyUnknown)?;
                self.is_signed(&token, tenant, &newer)?;
            }
            outcome => outcome?,
        }
        Ok(token.external_claims())
    }

    fn is_signed(&self, token: &Token<'_>, tenant: Uuid, keys: &KeySet) -> Result<(), Fault> {
        let print = Sha256::digest(token.text()).into();
        let proof = Proof { token: print, tenant, keys: keys.print() };
        if self.remembered.get(&proof).is_some() {
            return Ok(());
        }
        keys.check(token)?;
        self.remembered.insert(proof, ());
        Ok(())
    }
}

impl Fault {
    fn answer(self) -> Refused {
        match self {
            Self::KeysUnavailable => Refused::Unavailable,
            Self::Oversized
            | Self::Malformed
            | Self::CriticalHeader
            | Self::OtherPurpose
            | Self::AlgorithmRefused
            | Self::IssuerUnknown
            | Self::OtherAudience
            | Self::Expired
            | Self::NotYetValid
            | Self::KeyUnknown
            | Self::SignatureWrong => Refused::Invalid,
        }
    }
}

/// The issuer of that name. Two of one name could have different keys: then neither is meant.
fn the_one<'a>(issuers: &'a [Issuer], name: &str) -> Option<&'a Issuer> {
    let mut named = issuers.iter().filter(|issuer| issuer.issuer == name);
    match (named.next(), named.next()) {
        (Some(issuer), None) => Some(issuer),
        _ => None,
    }
}
