//! An issuer's public keys, and whether one of them signed a token.
//!
//! Symmetric keys are never used, and no key is used for another algorithm, curve or purpose than
//! its own: the token's header only chooses among what the key allows.

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::bearer::token::Token;
use crate::bearer::{Algorithm, Fault};

/// Most keys that are tried if the token names none.
const KEYS_TRIED_MAX: usize = 8;

const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// The keys of one issuer, from one reading.
pub(super) struct KeySet {
    keys: Vec<Key>,
    print: [u8; 32],
}

struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    public: DecodingKey,
}

#[derive(Deserialize)]
struct WrittenSet {
    keys: Vec<Value>,
}

/// RFC 7517 and 7518, as far as it concerns public keys.
#[derive(Deserialize)]
struct WrittenKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// The keys in `text` that can verify a signature. Others are skipped: a set may contain kinds
    /// that are not known here.
    pub(super) fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        let written: WrittenSet = serde_json::from_slice(text)?;
        let keys = written.keys.into_iter().filter_map(Key::read).collect();
        Ok(Self { keys, print: Sha256::digest(text).into() })
    }

    /// The set of a single Ed25519 key, given in base64 as in a key set.
    pub(super) fn of_one(x: &str) -> Result<Self, jsonwebtoken::errors::Error> {
        let public = DecodingKey::from_ed_components(x)?;
        let key = Key { id: None, algorithms: vec![Algorithm::EdDSA], public };
        Ok(Self { keys: vec![key], print: Sha256::digest(x).into() })
    }

    /// Equal only for equal content.
    pub(super) fn print(&self) -> [u8; 32] {
        self.print
    }

    /// Whether a key of this set signed the token: the one it names, else any that fits.
    pub(super) fn check(&self, token: &Token<'_>) -> Result<(), Fault> {
        let fitting = self.keys.iter().filter(|key| key.fits(token));
        let mut tried = fitting.take(KEYS_TRIED_MAX).peekable();
        if tried.peek().is_none() {
            return Err(Fault::KeyUnknown);
        }
        if tried.any(|key| key.signed(token)) { Ok(()) } else { Err(Fault::SignatureWrong) }
    }
}

impl Key {
    fn read(value: Value) -> Option<Self> {
        let key: WrittenKey = serde_json::from_value(value).ok()?;
        let for_signatures = key.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && key.key_ops.as_ref().is_none_or(|all| all.iter().any(|one| one == "verify"));
        if !for_signatures {
            return None;
        }
        let able: &[Algorithm] = match (key.kty.as_str(), key.crv.as_deref()) {
            ("RSA", _) => &RSA,
            ("EC", Some("P-256")) => &[Algorithm::ES256],
            ("EC", Some("P-384")) => &[Algorithm::ES384],
            ("OKP", Some("Ed25519")) => &[Algorithm::EdDSA],
            _ => return None,
        };
        let algorithms = match &key.alg {
            Some(name) => {
                let only = Algorithm::named(name)?;
                able.iter().copied().filter(|one| *one == only).collect()
            }
            None => able.to_vec(),
        };
        let public = match key.kty.as_str() {
            "RSA" => DecodingKey::from_rsa_components(&key.n?, &key.e?),
            "EC" => DecodingKey::from_ec_components(&key.x?, &key.y?),
            _ => DecodingKey::from_ed_components(&key.x?),
        };
        Some(Self { id: key.kid, algorithms, public: public.ok()? })
    }

    fn fits(&self, token: &Token<'_>) -> bool {
        let named = token.key_id().is_none_or(|id| self.id.as_deref() == Some(id));
        named && self.algorithms.contains(&token.algorithm())
    }

    fn signed(&self, token: &Token<'_>) -> bool {
        let (signed, signature) = token.signed();
        let algorithm = token.algorithm().into();
        let outcome =
            jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &self.public, algorithm);
        // An error means that the signature or the key is invalid: then it did not sign this token.
        outcome.unwrap_or(false)
    }
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::RS256 => Self::RS256,
            Algorithm::RS384 => Self::RS384,
            Algorithm::RS512 => Self::RS512,
            Algorithm::PS256 => Self::PS256,
            Algorithm::PS384 => Self::PS384,
            Algorithm::PS512 => Self::PS512,
            Algorithm::ES256 => Self::ES256,
            Algorithm::ES384 => Self::ES384,
            Algorithm::EdDSA => Self::EdDSA,
        }
    }
}
