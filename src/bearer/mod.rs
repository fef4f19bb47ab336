//! Bearer tokens: whether a JWT is valid, and what it says about its holder.
//!
//! Contract 1.2. The algorithm is fixed by configuration and by the key, never by the token. A
//! token belongs to one tenant: by its issuer, or, for the local one, by its audience.
//!
//! What a token says is read and checked again with each request. Only the result of the signature
//! check is cached, for at most five minutes, under the token, the tenant and the exact content of
//! the key set. So an issuer that is removed from the catalogue stops at once, and a key that is
//! withdrawn stops when its set is read again: for a file within a second; for an address with the
//! first requests after ten minutes (the very first still uses the old set), or after a day at most
//! while the address does not answer.
//!
//! The caller passes the time; the clock is never read here. A `profile_id` from another issuer is
//! never believed. Profiles and sessions are handled elsewhere, and no token or e-mail address is
//! logged.

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

/// An issuer that a tenant trusts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Issuer {
    /// The `iss` that the token must have, exactly. No two issuers of a tenant share it.
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
    /// A file, checked for changes at most once a second. To replace it, rename another file over
    /// it.
    File(PathBuf),
    /// An address: https, or http on this machine.
    Url(String),
}

/// A signature algorithm that an issuer may use: only asymmetric ones, by their JOSE names.
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

/// The claims of a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    pub issuer: TokenIssuer,
    /// Its profile. The local issuer always sets it, others never do.
    pub profile_id: Option<Uuid>,
    /// An address that another issuer has verified, as it is in the token.
    pub email: Option<String>,
    pub email_verified: bool,
    /// The token's `sid`, else its `jti`.
    pub session: Option<String>,
    pub expires_at: DateTime<Utc>,
}

/// The issuer of a valid token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TokenIssuer {
    Local,
    External(String),
}

/// Why there are no claims. The reason is logged, but not told to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// 401.
    #[error("the bearer token is not valid here")]
    Invalid,
    /// 503: the token may be valid, but the issuer's key set cannot be read now.
    #[error("the keys of the token's issuer cannot be read at present")]
    Unavailable,
}

/// How far clocks of issuers may be ahead when nothing else is set, in seconds.
pub const LEEWAY_SECONDS: i64 = 30;

/// Verifies tokens. Shared by all requests and cheap to clone: it caches key sets.
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

/// The fact that a key set verifies a token's signature. Nothing else matters to it, since token
/// and set contain key and algorithm. The tenant is part of it so that tenants share nothing.
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
    #[error("its issuer is not one of the tenant's, or is listed twice")]
    IssuerUnknown,
    #[error("it is meant for another audience")]
    OtherAudience,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
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

    /// The claims of `token`, if it is valid. `issuers` are those of the API key's tenant, whose id
    /// is `tenant`.
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

/// Whether keys may be fetched from this address: it is https, or http on this machine, and
/// contains no credentials.
pub fn is_key_address(text: &str) -> bool {
    read::address(text).is_some()
}

impl Algorithm {
    /// The algorithm with this name, if it is a supported one.
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
            // RFC 9864 renames it; both names mean the one supported curve.
            "EdDSA" | "Ed25519" => Self::EdDSA,
            _ => return None,
        })
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "{}", path.display()),
            // A query may contain a secret.
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
    /// Everything cheap is checked before keys are read, so that only a token with the right
    /// issuer, audience and times can cause a fetch.
    async fn examine(
        &self,
        token: &str,
        tenant: Uuid,
        issuers: &[Issuer],
        now: DateTime<Utc>,
    ) -> Result<Claims, Fault> {
        let token = Token::parse(token)?;
        token.is_in_time(now, self.leeway)?;
        // Checked first: whatever is configured, no other issuer can use the local issuer's name.
        if token.issuer() == local::NAME {
            token.is_meant_for(&local::audience(tenant), &[Algorithm::EdDSA])?;
            self.is_signed(&token, tenant, self.local.keys())?;
            return token.local_claims();
        }
        let issuer = single_issuer(issuers, token.issuer()).ok_or(Fault::IssuerUnknown)?;
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

/// The issuer with that name. If two have it, neither is used: they could have different keys.
fn single_issuer<'a>(issuers: &'a [Issuer], name: &str) -> Option<&'a Issuer> {
    let mut named = issuers.iter().filter(|issuer| issuer.issuer == name);
    match (named.next(), named.next()) {
        (Some(issuer), None) => Some(issuer),
        _ => None,
    }
}
