//! Dossier's own token issuer, so that tokens are available without another server.
//!
//! One Ed25519 key signs for all tenants. Each token names its tenant as audience and is worthless
//! in another. The secret is never stored or printed here. Tokens name a profile by its id and
//! contain no e-mail address.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use uuid::{NoContext, Timestamp, Uuid};

use crate::bearer::keys::KeySet;

/// The `iss` of local tokens. No configured issuer can take it.
pub const NAME: &str = "dossier:local";

const LIFETIME_DAYS_MAX: i64 = 366;

/// The bytes before an Ed25519 secret in PKCS #8 (RFC 8410), the form that the library reads.
const PKCS8_BEFORE_SECRET: [u8; 16] =
    [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// Makes local tokens, and recognises them.
#[derive(Clone)]
pub struct LocalIssuer {
    signing: EncodingKey,
    keys: Arc<KeySet>,
}

/// Why there is no issuer or no token.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    #[error("making the local signing key from its secret")]
    Secret(#[source] jsonwebtoken::errors::Error),
    #[error("a token lives a second at least and {LIFETIME_DAYS_MAX} days at most")]
    Lifetime,
    #[error("signing a token")]
    Signing(#[source] jsonwebtoken::errors::Error),
}

#[derive(Serialize)]
struct Body {
    iss: &'static str,
    aud: String,
    profile_id: Uuid,
    sid: Uuid,
    jti: Uuid,
    iat: i64,
    exp: i64,
}

impl LocalIssuer {
    /// The issuer with this secret, which the caller stores.
    pub fn from_secret(secret: &[u8; 32]) -> Result<Self, LocalError> {
        let signing = EncodingKey::from_ed_der(&[&PKCS8_BEFORE_SECRET[..], &secret[..]].concat());
        let public = Jwk::from_encoding_key(&signing, jsonwebtoken::Algorithm::EdDSA)
            .map_err(LocalError::Secret)?;
        let AlgorithmParameters::OctetKeyPair(public) = public.algorithm else {
            let kind = jsonwebtoken::errors::ErrorKind::InvalidEddsaKey;
            return Err(LocalError::Secret(kind.into()));
        };
        let keys = KeySet::of_one(&public.x).map_err(LocalError::Secret)?;
        Ok(Self { signing, keys: Arc::new(keys) })
    }

    /// A token for `profile` in `tenant`. Each one opens a session of its own.
    pub fn mint(
        &self,
        tenant: Uuid,
        profile: Uuid,
        ttl: TimeDelta,
        now: DateTime<Utc>,
    ) -> Result<String, LocalError> {
        if ttl < TimeDelta::seconds(1) || ttl > TimeDelta::days(LIFETIME_DAYS_MAX) {
            return Err(LocalError::Lifetime);
        }
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let id =
            Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()));
        let body = Body {
            iss: NAME,
            aud: audience(tenant),
            profile_id: profile,
            sid: id,
            jti: id,
            iat: now.timestamp(),
            exp: (now + ttl).timestamp(),
        };
        let header = Header::new(jsonwebtoken::Algorithm::EdDSA);
        jsonwebtoken::encode(&header, &body, &self.signing).map_err(LocalError::Signing)
    }

    pub(super) fn keys(&self) -> &KeySet {
        &self.keys
    }
}

impl fmt::Debug for LocalIssuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LocalIssuer").finish_non_exhaustive()
    }
}

/// The `aud` of a tenant's local tokens.
pub(super) fn audience(tenant: Uuid) -> String {
    format!("dossier:{tenant}")
}
