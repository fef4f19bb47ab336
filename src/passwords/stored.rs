//! The stored forms of passwords: Argon2id in PHC form, and that of Crafter Profile. Only
//! [`crafter_hash`] takes noticeable time.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Most memory that a hash may ask for, in KiB.
pub(super) const MEMORY_KIB_MAX: u32 = 262_144;
/// Most memory that a hash may fill in all its passes, in KiB.
pub(super) const FILLED_KIB_MAX: u64 = 1_048_576;
/// Most lanes. More do not cost more here, but change the result.
const LANES_MAX: u32 = 16;
/// Bytes of a salt: at least what Argon2 requires, at most what its text form can hold.
const SALT_BYTES: std::ops::RangeInclusive<usize> = 8..=48;
/// Contract 4.5: rounds after the first.
const CRAFTER_ROUNDS: usize = 1_000;

/// A stored password, parsed.
pub(super) enum Stored {
    Argon2id { params: Params, version: Version, salt: Vec<u8>, output: Vec<u8> },
    Crafter { hash: [u8; 32], salt: Vec<u8> },
}

/// What is wrong with a stored text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("it has neither the form of Argon2id nor that of Crafter Profile")]
    Form,
    #[error("its parameters are unreadable, or demand too much memory or time")]
    Parameters,
    #[error("its salt does not have {} to {} bytes", SALT_BYTES.start(), SALT_BYTES.end())]
    Salt,
}

pub(super) fn parse(text: &str) -> Result<Stored, Malformed> {
    if text.starts_with('$') { argon2id(text) } else { crafter(text) }
}

/// Contract 4.5: SHA-256 of salt and password, then repeatedly of the hash itself.
pub(super) fn crafter_hash(password: &[u8], salt: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new().chain_update(salt).chain_update(password).finalize();
    for _ in 0..CRAFTER_ROUNDS {
        hash = Sha256::digest(hash);
    }
    hash.into()
}

/// How much memory a hash with these parameters fills in all its passes, in KiB.
pub(super) fn cost_kib(params: &Params) -> u64 {
    u64::from(params.m_cost()) * u64::from(params.t_cost())
}

fn argon2id(text: &str) -> Result<Stored, Malformed> {
    let parsed = PasswordHash::new(text).map_err(|_| Malformed::Form)?;
    if parsed.algorithm.as_str() != "argon2id" {
        return Err(Malformed::Form);
    }
    let (Some(salt), Some(output)) = (parsed.salt, parsed.hash) else {
        return Err(Malformed::Form);
    };
    let params = Params::try_from(&parsed).map_err(|_| Malformed::Parameters)?;
    // The first version of the text form had no number.
    let version = parsed.version.map_or(Ok(Version::V0x10), Version::try_from);
    let version = version.map_err(|_| Malformed::Parameters)?;
    let asks_too_much = params.m_cost() > MEMORY_KIB_MAX
        || params.p_cost() > LANES_MAX
        || cost_kib(&params) > FILLED_KIB_MAX;
    if asks_too_much {
        return Err(Malformed::Parameters);
    }
    if !SALT_BYTES.contains(&salt.len()) {
        return Err(Malformed::Salt);
    }
    let (salt, output) = (salt.to_vec(), output.as_bytes().to_vec());
    Ok(Stored::Argon2id { params, version, salt, output })
}

fn crafter(text: &str) -> Result<Stored, Malformed> {
    let (hash, salt) = text.split_once('|').ok_or(Malformed::Form)?;
    let hash = STANDARD.decode(hash).map_err(|_| Malformed::Form)?;
    let hash = hash.try_into().map_err(|_| Malformed::Form)?;
    let salt = STANDARD.decode(salt).map_err(|_| Malformed::Form)?;
    if !SALT_BYTES.contains(&salt.len()) {
        return Err(Malformed::Salt);
    }
    Ok(Stored::Crafter { hash, salt })
}
