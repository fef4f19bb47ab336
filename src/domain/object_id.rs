//! Ids of twelve bytes, as clients of Crafter Profile write the ids of profiles, tenants and
//! attachments (Crafter contract 0: 24 hexadecimal digits, parsed strictly). Each UUID has one.
//! Time and random bits are passed in.

use std::fmt;

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Bytes of an id; shown as twice as many hexadecimal digits.
pub const OBJECT_ID_BYTES: usize = 12;
/// The middle four bytes of a UUID that holds such an id: version 8, variant 1, and 26 bits that
/// distinguish it from other UUIDs of version 8. Stored ids contain it, so it never changes.
const MARK: [u8; 4] = [0x8d, 0x0b, 0x91, 0xd5];
/// Bits of a new id below the microseconds.
const RANDOM_BITS: u32 = 44;

/// An id of twelve bytes. New ids begin with their time, so they sort by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub [u8; OBJECT_ID_BYTES]);

impl ObjectId {
    /// A new id: seconds since 1970 in four bytes, as in Mongo, then the microseconds of the second
    /// in 20 bits, then the lowest 44 bits of `random`. Before 1970 and after 2106 ids do not sort
    /// by their time.
    pub fn new(microseconds: i64, random: u64) -> ObjectId {
        let seconds = microseconds.div_euclid(1_000_000) as u32;
        let below = microseconds.rem_euclid(1_000_000) as u64;
        let rest = (below << RANDOM_BITS) | (random & ((1 << RANDOM_BITS) - 1));
        let mut bytes = [0; OBJECT_ID_BYTES];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..].copy_from_slice(&rest.to_be_bytes());
        ObjectId(bytes)
    }

    /// The twelve bytes of any UUID: those that it holds, otherwise a digest of it. A claim makes
    /// sure that no two UUIDs in use have the same twelve bytes.
    pub fn of(id: Uuid) -> ObjectId {
        holding(id).unwrap_or_else(|| {
            let digest = Sha256::new().chain_update(b"object_id").chain_update(id).finalize();
            let mut bytes = [0; OBJECT_ID_BYTES];
            bytes.copy_from_slice(&digest[..OBJECT_ID_BYTES]);
            ObjectId(bytes)
        })
    }

    /// The UUID that holds these bytes: six of them, the mark, the other six. UUIDs of this form
    /// sort as the bytes do.
    pub fn held(self) -> Uuid {
        let mut all = [0_u8; 16];
        all[..6].copy_from_slice(&self.0[..6]);
        all[6..10].copy_from_slice(&MARK);
        all[10..].copy_from_slice(&self.0[6..]);
        Uuid::from_bytes(all)
    }

    /// The id in a text of 24 hexadecimal digits in either case, or in a UUID with hyphens. None
    /// for any other text.
    pub fn parse(text: &str) -> Option<ObjectId> {
        let digits = text.as_bytes();
        if digits.len() == uuid::fmt::Hyphenated::LENGTH {
            return Uuid::try_parse(text).ok().map(ObjectId::of);
        }
        if digits.len() != 2 * OBJECT_ID_BYTES || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let number = u128::from_str_radix(text, 16).ok()?;
        let mut bytes = [0_u8; OBJECT_ID_BYTES];
        bytes.copy_from_slice(&number.to_be_bytes()[16 - OBJECT_ID_BYTES..]);
        Some(ObjectId(bytes))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The id in this UUID, if it holds one.
pub fn holding(id: Uuid) -> Option<ObjectId> {
    let all = id.as_bytes();
    if all[6..10] != MARK {
        return None;
    }
    let mut bytes = [0_u8; OBJECT_ID_BYTES];
    bytes[..6].copy_from_slice(&all[..6]);
    bytes[6..].copy_from_slice(&all[10..]);
    Some(ObjectId(bytes))
}

/// The id as callers see it: always 24 hexadecimal digits.
pub fn shown(id: Uuid) -> String {
    ObjectId::of(id).to_string()
}
