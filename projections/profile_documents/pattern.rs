//! Regular expressions in the syntax of PostgreSQL (AREs), with the same meaning. Classes, letter
//! cases and word boundaries are written out, so that the locale does not matter. Whether an
//! expression is allowed was decided when it was read.

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind, Look, Repetition};

use crate::domain::filter::Regular;

/// After and before an ASCII word character; after and before anything else.
const BEHIND: &str = "(?<=[0-9A-Za-z_])";
const AHEAD: &str = "(?=[0-9A-Za-z_])";
const NOT_BEHIND: &str = "(?<![0-9A-Za-z_])";
const NOT_AHEAD: &str = "(?![0-9A-Za-z_])";
/// Two different characters at one place: it never matches.
const NEVER: &str = "(?:(?=a)(?=b))";

/// The expression for `~`, or for `like_regex` with flag `s`.
pub fn advanced(regular: &Regular) -> String {
    let mut text = String::new();
    match trimmed(regular.hir()) {
        [part] => write(part, &mut text),
        parts => parts.iter().for_each(|part| write_part(part, &mut text)),
    }
    text
}

/// The expression without parts at either end that may match nothing, such as the `.*` around a
/// word: they do not change whether it matches, and take time at each row.
fn trimmed(hir: &Hir) -> &[Hir] {
    let optional = |part: &Hir| match part.kind() {
        HirKind::Repetition(repetition) => repetition.min == 0,
        _ => false,
    };
    let mut parts = match hir.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        _ => std::slice::from_ref(hir),
    };
    while let [first, rest @ ..] = parts
        && optional(first)
    {
        parts = rest;
    }
    while let [rest @ .., last] = parts
        && optional(last)
    {
        parts = rest;
    }
    parts
}

fn write(hir: &Hir, text: &mut String) {
    match hir.kind() {
        HirKind::Empty => text.push_str("(?:)"),
        HirKind::Literal(literal) => {
            String::from_utf8_lossy(&literal.0).chars().for_each(|c| write_character(c, text));
        }
        HirKind::Class(Class::Unicode(class)) => write_class(class, text),
        HirKind::Class(Class::Bytes(_)) => text.push_str(NEVER),
        HirKind::Look(look) => text.push_str(&assertion(*look)),
        HirKind::Repetition(repetition) => write_repetition(repetition, text),
        HirKind::Capture(capture) => write_group(&capture.sub, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write_part(part, text)),
        HirKind::Alternation(parts) => {
            for (place, part) in parts.iter().enumerate() {
                if place > 0 {
                    text.push('|');
                }
                write(part, text);
            }
        }
    }
}

fn write_part(hir: &Hir, text: &mut String) {
    match hir.kind() {
        HirKind::Alternation(_) => write_group(hir, text),
        _ => write(hir, text),
    }
}

fn write_group(hir: &Hir, text: &mut String) {
    text.push_str("(?:");
    write(hir, text);
    text.push(')');
}

/// Greediness does not change whether it matches, so none is written.
fn write_repetition(repetition: &Repetition, text: &mut String) {
    write_group(&repetition.sub, text);
    match (repetition.min, repetition.max) {
        (0, None) => text.push('*'),
        (1, None) => text.push('+'),
        (0, Some(1)) => text.push('?'),
        (min, None) => text.push_str(&format!("{{{min},}}")),
        (min, Some(max)) => text.push_str(&format!("{{{min},{max}}}")),
    }
}

/// A class that reaches to the last character is written as its complement: PostgreSQL visits each
/// character of a range when it folds case for trigrams.
fn write_class(class: &ClassUnicode, text: &mut String) {
    let reaches_last = class.ranges().last().is_some_and(|range| range.end() == char::MAX);
    let mut listed = class.clone();
    if reaches_last {
        listed.negate();
    }
    match (listed.ranges().is_empty(), reaches_last) {
        (true, true) => return text.push('.'),
        (true, false) => return text.push_str(NEVER),
        (false, true) => text.push_str("[^"),
        (false, false) => text.push('['),
    }
    for range in listed.ranges() {
        // PostgreSQL's texts never hold U+0000, and its ranges may not end there.
        let (start, end) = (range.start().max('\u{1}'), range.end().max('\u{1}'));
        write_character(start, text);
        if start < end {
            text.push('-');
            write_character(end, text);
        }
    }
    text.push(']');
}

fn write_character(character: char, text: &mut String) {
    let code = u32::from(character);
    match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' => text.push(character),
        _ if code <= 0xffff => text.push_str(&format!("\\u{code:04x}")),
        _ => text.push_str(&format!("\\U{code:08x}")),
    }
}

fn assertion(look: Look) -> String {
    match look {
        Look::Start => "^".to_owned(),
        Look::End => "$".to_owned(),
        Look::StartLF => "(?:^|(?<=\\n))".to_owned(),
        Look::EndLF => "(?:$|(?=\\n))".to_owned(),
        Look::WordAscii | Look::WordUnicode => {
            format!("(?:{NOT_BEHIND}{AHEAD}|{BEHIND}{NOT_AHEAD})")
        }
        Look::WordAsciiNegate | Look::WordUnicodeNegate => {
            format!("(?:{NOT_BEHIND}{NOT_AHEAD}|{BEHIND}{AHEAD})")
        }
        // Such an expression was refused when it was read.
        _ => NEVER.to_owned(),
    }
}
