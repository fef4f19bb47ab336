//! Ids of twelve bytes, as imported profiles bring them, held as UUIDs and given back unchanged.
//! Makes none.

use uuid::Uuid;

/// Bytes of such an id; shown as twice as many hexadecimal digits.
pub const OBJECT_ID_BYTES: usize = 12;
/// The middle four bytes of a UUID that holds one: version 8, variant 1, and 26 bits that tell it
/// from other UUIDs of version 8. Part of stored ids, so it never changes.
const MARK: [u8; 4] = [0x8d, 0x0b, 0x91, 0xd5];

/// The UUID that holds these bytes: six of them, the mark, the other six.
///
/// No UUIDv7 equals one, and a derived UUIDv8 carries the mark once in 2^26; should one, it is only
/// shown as an object id, and still found by it: nothing meets but the very same 128 bits.
pub fn held(bytes: [u8; OBJECT_ID_BYTES]) -> Uuid {
    let mut all = [0_u8; 16];
    all[..6].copy_from_slice(&bytes[..6]);
    all[6..10].copy_from_slice(&MARK);
    all[10..].copy_from_slice(&bytes[6..]);
    Uuid::from_bytes(all)
}

/// The bytes that this UUID holds, if it holds some.
pub fn holding(id: Uuid) -> Option<[u8; OBJECT_ID_BYTES]> {
    let all = id.as_bytes();
    if all[6..10] != MARK {
        return None;
    }
    let mut bytes = [0_u8; OBJECT_ID_BYTES];
    bytes[..6].copy_from_slice(&all[..6]);
    bytes[6..].copy_from_slice(&all[10..]);
    Some(bytes)
}

/// The UUID that holds the id with these 24 hexadecimal digits, of either case.
pub fn parse_object_id(text: &str) -> Option<Uuid> {
    let digits = text.as_bytes();
    if digits.len() != 2 * OBJECT_ID_BYTES || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let number = u128::from_str_radix(text, 16).ok()?;
    let mut bytes = [0_u8; OBJECT_ID_BYTES];
    bytes.copy_from_slice(&number.to_be_bytes()[16 - OBJECT_ID_BYTES..]);
    Some(held(bytes))
}

/// The id as callers know it: 24 hexadecimal digits where it holds an object id, else the UUID.
pub fn shown(id: Uuid) -> String {
    match holding(id) {
        Some(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        None => id.to_string(),
    }
}
