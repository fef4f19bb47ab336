//! The parts of a token: which key it names, for whom it is, when it is valid, what it says.
//!
//! Everything here is what the token itself says. Signatures are not checked here, and nothing may
//! be believed before `KeySet::check` has succeeded.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use uuid::Uuid;

use crate::bearer::{Algorithm, Claims, Fault, TokenIssuer};
use crate::domain::values::EMAIL_CHARACTERS_MAX;

/// Longest bearer token, in bytes.
const TOKEN_BYTES_MAX: usize = 8 * 1024;
const SESSION_CHARS_MAX: usize = 200;

/// A token in the right form.
pub(super) struct Token<'a> {
    text: &'a str,
    signed: &'a str,
    signature: &'a str,
    algorithm: Algorithm,
    key_id: Option<String>,
    body: Body,
}

/// Serde refuses a repeated name, so no other reader can see another value.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

#[derive(Deserialize)]
struct Body {
    iss: String,
    aud: Audience,
    exp: Moment,
    nbf: Option<Moment>,
    iat: Option<Moment>,
    profile_id: Option<Value>,
    email: Option<Value>,
    email_verified: Option<Value>,
    sid: Option<Value>,
    jti: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// RFC 7519's NumericDate: seconds since 1970, perhaps with a fraction.
#[derive(Clone, Copy)]
struct Moment(DateTime<Utc>);

impl<'a> Token<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Fault> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Fault::Oversized);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Fault::Malformed)?;
        let (header, body) = signed.split_once('.').ok_or(Fault::Malformed)?;
        // A further dot is not base64, so there are exactly three parts.
        let header: Header = decoded(header)?;
        if header.crit {
            return Err(Fault::CriticalHeader);
        }
        if header.typ.as_deref().is_some_and(is_for_another_purpose) {
            return Err(Fault::OtherPurpose);
        }
        let algorithm = Algorithm::named(&header.alg).ok_or(Fault::AlgorithmRefused)?;
        let body = decoded(body)?;
        Ok(Self { text, signed, signature, algorithm, key_id: header.kid, body })
    }

    pub(super) fn text(&self) -> &str {
        self.text
    }

    /// The signed text, and the signature in base64.
    pub(super) fn signed(&self) -> (&str, &str) {
        (self.signed, self.signature)
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    pub(super) fn issuer(&self) -> &str {
        &self.body.iss
    }

    /// `leeway` is how far its issuer's clock may be ahead, so that a new token is accepted at
    /// once. A token is never accepted after its end.
    pub(super) fn is_in_time(&self, now: DateTime<Utc>, leeway: TimeDelta) -> Result<(), Fault> {
        if self.body.exp.0 <= now {
            return Err(Fault::Expired);
        }
        let begins = [self.body.nbf, self.body.iat];
        if begins.into_iter().flatten().any(|begin| begin.0 > now + leeway) {
            return Err(Fault::NotYetValid);
        }
        Ok(())
    }

    pub(super) fn is_meant_for(
        &self,
        audience: &str,
        algorithms: &[Algorithm],
    ) -> Result<(), Fault> {
        let meant = match &self.body.aud {
            Audience::One(name) => name == audience,
            Audience::Several(names) => names.iter().any(|name| name == audience),
        };
        if !meant {
            return Err(Fault::OtherAudience);
        }
        if !algorithms.contains(&self.algorithm) {
            return Err(Fault::AlgorithmRefused);
        }
        Ok(())
    }

    /// Contract 1.2: the local issuer names the profile.
    pub(super) fn local_claims(self) -> Result<Claims, Fault> {
        let profile_id = self.body.profile_id.as_ref().and_then(Value::as_str);
        let profile_id = profile_id.and_then(|text| Uuid::parse_str(text).ok());
        Ok(Claims {
            issuer: TokenIssuer::Local,
            profile_id: Some(profile_id.ok_or(Fault::Malformed)?),
            email: None,
            email_verified: false,
            session: self.body.session(),
            expires_at: self.body.exp.0,
        })
    }

    /// Contract 1.2: other issuers name an e-mail address. It counts only if it is verified:
    /// otherwise a person could type in anybody's.
    pub(super) fn external_claims(self) -> Claims {
        let email_verified = match &self.body.email_verified {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(text)) => text == "true",
            _ => false,
        };
        let email = bounded(self.body.email.as_ref(), EMAIL_CHARACTERS_MAX);
        Claims {
            profile_id: None,
            email: email.filter(|_| email_verified),
            email_verified,
            session: self.body.session(),
            expires_at: self.body.exp.0,
            issuer: TokenIssuer::External(self.body.iss),
        }
    }
}

impl Body {
    fn session(&self) -> Option<String> {
        let session = bounded(self.sid.as_ref(), SESSION_CHARS_MAX);
        session.or_else(|| bounded(self.jti.as_ref(), SESSION_CHARS_MAX))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        // `as` saturates, and times beyond the calendar are refused in the next line.
        let moment = DateTime::from_timestamp(seconds.floor() as i64, 0);
        moment.map(Self).ok_or_else(|| Error::custom("a time beyond the calendar"))
    }
}

/// Its presence counts, whatever its value is.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

fn decoded<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Fault::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Fault::Malformed)
}

/// Logout tokens and similar ones have the issuer and audience of a log-in too (RFC 8725, 3.11).
fn is_for_another_purpose(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    kind.ends_with("+jwt") && kind != "at+jwt"
}

/// A text that can be stored and compared; any other counts as absent.
fn bounded(value: Option<&Value>, chars_max: usize) -> Option<String> {
    let text = value?.as_str()?;
    let fits = !text.is_empty() && text.chars().count() <= chars_max;
    (fits && !text.contains(char::is_control)).then(|| text.to_owned())
}
