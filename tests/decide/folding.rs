//! How text is compared: for log-ins no two letters meet but the cases of one; in searches marks
//! need not be typed.

use std::collections::HashMap;

use dossier::domain::folding::{folded, is_found_by, lower_cased, without_marks};
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

/// Issue 8: by full case folding and compatibility forms other people's mailboxes met.
#[test]
fn letters_that_meet_in_log_ins_are_cases_of_one_letter() {
    let mut met: HashMap<String, Vec<String>> = HashMap::new();
    for letter in '\0'..=char::MAX {
        let composed: String = letter.nfc().collect();
        let alike = met.entry(lower_cased(&letter.to_string())).or_default();
        if !alike.contains(&composed) {
            alike.push(composed);
        }
    }
    let is_title = |text: &String| {
        let letter = text.chars().next().unwrap();
        let category = CodePointMapData::<GeneralCategory>::new().get(letter);
        category == GeneralCategory::TitlecaseLetter
    };
    for (form, alike) in met {
        // A small letter, its capital, and of digraphs one as titles have it.
        let cases = if alike.iter().any(is_title) { 3 } else { 2 };
        assert!(alike.len() <= cases, "{form}: {alike:?}");
        assert!(alike.contains(&form), "{form}: {alike:?}");
    }
}

#[test]
fn signs_that_are_canonically_letters_are_these_letters_in_log_ins() {
    for (sign, letter) in [('\u{212a}', "k"), ('\u{212b}', "å"), ('\u{2126}', "ω")] {
        assert_eq!(lower_cased(&sign.to_string()), letter);
    }
}

#[test]
fn letters_without_a_single_lower_case_of_their_own_keep_themselves_in_log_ins() {
    for letter in ["İ", "ϴ", "ß", "ſ", "ﬁ", "ς", "ı", "ａ", "²"] {
        assert_eq!(lower_cased(letter), letter);
    }
    assert_eq!(lower_cased("I\u{307}"), "İ");
    assert_eq!(lower_cased("W\u{30a}"), "ẘ");
}

#[test]
fn who_types_no_marks_finds_names_that_have_some() {
    for (name, term) in [
        ("École", "ecole"),
        ("E\u{301}cole", "ecole"),
        ("Müller", "muller"),
        ("İstanbul", "istanbul"),
        ("Işık", "isik"),
        ("IŞIK", "isik"),
        ("Søren", "soren"),
        ("Łukasz", "lukasz"),
        ("Đorđe", "dorde"),
        ("Straße", "strasse"),
        ("Æthelstan", "aethelstan"),
        ("Nguyễn", "nguyen"),
        ("Ἀθηνᾶ", "αθηνα"),
        ("Артём", "артем"),
        ("أحمد", "احمد"),
        ("Ecole", "ecole"),
    ] {
        assert!(is_found_by(name, &folded(term)), "{name} {term}");
        assert!(is_found_by(name, &folded(name)), "{name}");
    }
}

#[test]
fn a_term_with_marks_finds_only_what_has_them() {
    for (name, term) in [
        ("Ecole", "école"),
        ("Muller", "müller"),
        ("Isik", "ışık"),
        ("Işık", "işik"),
        ("Soren", "søren"),
        ("École", "ecolé"),
        ("École", "ècole"),
    ] {
        assert!(!is_found_by(name, &folded(term)), "{name} {term}");
    }
}

#[test]
fn marks_that_make_another_syllable_stay() {
    for name in ["が", "กุ", "कु", "한"] {
        assert_eq!(without_marks(name), None, "{name}");
    }
    assert_eq!(without_marks("école が").as_deref(), Some("ecole が"));
}

proptest! {
    /// So a term with marks is in no text without them, and finds what it found before.
    #[test]
    fn no_part_of_a_text_without_marks_has_any(text in "[a-zéèışøđ\u{301}\u{327}が한 ]*|.*") {
        let text = folded(&text);
        let plain = without_marks(&text).unwrap_or(text);
        prop_assert_eq!(without_marks(&plain), None);
        let letters: Vec<(usize, char)> = plain.char_indices().collect();
        for (start, _) in &letters {
            for (end, letter) in &letters[letters.partition_point(|(at, _)| at < start)..] {
                let part = &plain[*start..end + letter.len_utf8()];
                prop_assert_eq!(without_marks(part), None);
            }
        }
    }

    #[test]
    fn a_log_in_compares_to_itself(text in ".*") {
        let once = lower_cased(&text);
        prop_assert_eq!(lower_cased(&once), once);
    }
}
