//! Which part of a file a request asks for (RFC 9110 13 and 14): `Range`, `If-Range`,
//! `If-None-Match`.

use std::ops::Range;

/// The part of a file that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Whole,
    Part(Range<u64>),
    /// Outside the file: 416.
    Outside,
}

/// The part that `range` asks for, of a file of so many bytes. A part is sent only if the caller
/// has other parts of the same file, which `if_range` tells. Anything but a single range of bytes
/// is ignored.
pub fn asked(range: Option<&str>, if_range: Option<&str>, etag: &str, bytes: u64) -> Asked {
    if if_range.is_some_and(|validator| validator != etag) {
        return Asked::Whole;
    }
    match range.and_then(|range| parse(range, bytes)) {
        None => Asked::Whole,
        Some(part) if part.is_empty() => Asked::Outside,
        Some(part) => Asked::Part(part),
    }
}

/// Whether `If-None-Match` names this tag.
pub fn is_held(if_none_match: &str, etag: &str) -> bool {
    let mut held = if_none_match.split(',').map(|one| one.trim().trim_start_matches("W/"));
    if_none_match.trim() == "*" || held.any(|one| one == etag)
}

/// A single range of bytes; an empty one lies outside the file.
fn parse(range: &str, bytes: u64) -> Option<Range<u64>> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.split_once('-').filter(|_| unit.eq_ignore_ascii_case("bytes"))?;
    let position = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse::<u64>().ok(),
        false => None,
    };
    Some(match (first.trim(), last.trim()) {
        ("", "") => return None,
        ("", last) => bytes - position(last)?.min(bytes)..bytes,
        (first, "") => position(first)?.min(bytes)..bytes,
        (first, last) => {
            let (first, last) = (position(first)?, position(last)?);
            if last < first {
                return None;
            }
            first.min(bytes)..last.saturating_add(1).min(bytes)
        }
    })
}
