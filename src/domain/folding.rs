//! Text as people compare it, in three strengths: without case for log-ins, case-folded for names,
//! and without marks for what people type into a search.

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Letters that people write without their strokes and ligatures, though Unicode does not take
/// them apart; in the case that [`folded`] leaves.
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

/// The form in which names are compared, sorted and searched. It lets different texts meet, as
/// `straße` and `strasse`, so that nobody is told apart by it who logs in.
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfc().default_case_fold().nfc().collect()
}

/// The form in which log-ins are compared: each letter in lower case, composed (NFC).
///
/// No two letters meet but the cases of one: who owns the mailbox `straße@x` is not let in as
/// `strasse@x`. Therefore `İ`, whose lower case is two letters, keeps itself; so does `ϴ`, which
/// has the same lower case as another capital; and `ς` is not `σ`. The signs for kelvin, ångström
/// and ohm are canonically the letters K, Å and Ω: one text to Unicode, and so one here.
pub fn lower_cased(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Some letters are composed only in lower case, as `ẘ`.
    text.nfc().map(lower_case).nfc().collect()
}

/// Folded text without marks and in plain letters: `école` as `ecole`, `ışık` as `isik`.
/// None where it is so already.
///
/// What it gives holds nothing that it would change. A term with marks is therefore in no such
/// text, and one without them is found in either form.
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

/// Whether somebody who types this term, already folded, looks for this name.
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
/// Hebrew and Arabic. Not those that make another syllable, as in Japanese, Thai and the scripts of
/// India.
fn is_mark(c: char) -> bool {
    matches!(canonical_combining_class(c), 1 | 10..=35 | 200..=240)
}
