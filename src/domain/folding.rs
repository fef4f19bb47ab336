//! Compares text as people do, in three strengths: without case for log-ins, case-folded for names,
//! and without marks for searches.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Letters that people type without their strokes and ligatures, although Unicode does not
/// decompose them; in the case that [`folded`] leaves.
const PLAIN_LETTERS: [(char, &str); 11] = [
    ('æ', "ae"),
    ('ð', "d"),
    ('ø', "o"),
    ('þ', "th"),
    ('đ', "d"),
    ('ħ', "h"),
    ('ı', "i"),
    ('ł', "l"),
    ('ŋ', "n"),
    ('œ', "oe"),
    ('ŧ', "t"),
];

/// The form in which names are compared, sorted and searched. Different texts can have the same
/// form, such as `straße` and `strasse`, so log-ins are not compared in it.
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfc().default_case_fold().nfc().collect()
}

/// The form in which log-ins are compared: each letter in lower case, composed (NFC).
///
/// Only the two cases of one letter become equal: the owner of the mailbox `straße@x` cannot log in
/// as `strasse@x`. Therefore `İ`, whose lower case is two letters, stays; so does `ϴ`, whose lower
/// case belongs to another capital; and `ς` differs from `σ`. The signs for kelvin, ångström and
/// ohm are canonically the letters K, Å and Ω: Unicode calls them the same text.
pub fn lower_cased(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Some letters are composed only in lower case, such as `ẘ`.
    text.nfc().map(lower_case).nfc().collect()
}

/// Folded text without marks and in plain letters: `école` becomes `ecole`, `ışık` becomes `isik`.
/// None if that changes nothing.
///
/// The result never changes again. A term with marks is therefore in no such text, and a term
/// without marks is found in both forms.
pub fn without_marks(folded: &str) -> Option<String> {
    if folded.is_ascii() {
        return None;
    }
    let bare = folded.nfd().filter(|c| !is_mark(*c)).collect::<String>();
    let mut plain = String::with_capacity(bare.len());
    for letter in bare.nfc() {
        match PLAIN_LETTERS.iter().find(|(other, _)| *other == letter) {
            Some((_, letters)) => plain.push_str(letters),
            None => plain.push(letter),
        }
    }
    (plain != folded).then_some(plain)
}

/// Whether this term, which is folded, matches this name.
pub fn is_found_by(name: &str, term: &str) -> bool {
    let name = folded(name);
    name.contains(term) || without_marks(&name).is_some_and(|plain| plain.contains(term))
}

/// Unicode's simple mapping to lower case.
fn lower_case(letter: char) -> char {
    let mut lower = letter.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(only), None) if letter != 'ϴ' => only,
        _ => letter,
    }
}

/// Marks that people leave out: those through, below or above a letter, and the vowel points of
/// Hebrew and Arabic. Marks that make another syllable are kept, as in Japanese, Thai and the
/// scripts of India.
fn is_mark(c: char) -> bool {
    matches!(canonical_combining_class(c), 1 | 10..=35 | 200..=240)
}
