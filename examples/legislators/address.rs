//! E-mail addresses made up for people who have none here, under a domain reserved for examples
//! (RFC 2606), so that no message ever reaches anyone. ASCII, and each person's own.

use std::collections::{HashMap, HashSet};

use anyhow::{Result, ensure};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::source::Legislator;

const DOMAIN: &str = "congress.example";

/// One address a person, in their order. All of those who share a name get their id added, so
/// that no one's address depends on who stands before them in the file.
pub fn addresses(people: &[Legislator]) -> Result<Vec<String>> {
    let local_parts: Vec<String> = people.iter().map(local_part).collect();
    let mut holders: HashMap<&str, usize> = HashMap::new();
    for local in &local_parts {
        *holders.entry(local).or_default() += 1;
    }
    let mut taken = HashSet::new();
    let mut addresses = Vec::with_capacity(people.len());
    for (person, local) in people.iter().zip(&local_parts) {
        let local = match holders[local.as_str()] {
            1 if !local.is_empty() => local.clone(),
            _ => format!("{local}.{}", plain(&person.id)).trim_matches('.').to_owned(),
        };
        let address = format!("{local}@{DOMAIN}");
        ensure!(taken.insert(address.clone()), "{}: {address} is taken already", person.id);
        addresses.push(address);
    }
    Ok(addresses)
}

/// `James (Jim)` `Van Drew` becomes `james.van-drew`.
fn local_part(person: &Legislator) -> String {
    let first = person.name.first.split('(').next().unwrap_or_default();
    let parts = [plain(first), plain(&person.name.last)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
}

/// Lower-case ASCII letters and digits; words joined by hyphens; accents and other marks gone.
fn plain(text: &str) -> String {
    let bare = text.nfkd().filter(|character| !is_combining_mark(*character));
    let mut spelled = String::new();
    for character in bare.flat_map(char::to_lowercase) {
        match spelling(character) {
            Some(letters) => spelled.push_str(letters),
            None => spelled.push(character),
        }
    }
    let words = spelled.split(|character: char| !character.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// How ASCII spells letters that do not come apart into a letter and a mark. An apostrophe or a
/// full stop is left out, and so is a letter without a spelling: none of them parts two words.
fn spelling(character: char) -> Option<&'static str> {
    match character {
        'æ' => Some("ae"),
        'œ' => Some("oe"),
        'ß' => Some("ss"),
        'þ' => Some("th"),
        'ø' => Some("o"),
        'ł' => Some("l"),
        'đ' | 'ð' => Some("d"),
        'ħ' => Some("h"),
        'ı' => Some("i"),
        '\'' | '’' | '‘' | 'ʻ' | 'ʼ' | '`' | '.' => Some(""),
        other if other.is_alphabetic() && !other.is_ascii() => Some(""),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::person::tests::legislator;

    fn made_up(names: &[(&str, &str)]) -> Vec<String> {
        let people: Vec<Legislator> = names
            .iter()
            .enumerate()
            .map(|(number, (first, last))| {
                let mut person = legislator("[]", "[]");
                person.id = format!("X00000{number}");
                person.name.first = (*first).to_owned();
                person.name.last = (*last).to_owned();
                person
            })
            .collect();
        let mut addresses = addresses(&people).unwrap();
        for address in &mut addresses {
            *address = address.strip_suffix("@congress.example").unwrap().to_owned();
        }
        addresses
    }

    #[test]
    fn accents_apostrophes_and_nicknames_go() {
        let names = [
            ("Jesús", "García"),
            ("James (Jim)", "Moylan"),
            ("Beto", "O'Rourke"),
            ("Lauren", "O’Hara-Łęcki"),
            ("J.", "Van Drew"),
            ("Pablo José", "Hernández Rivera"),
        ];
        let expected = [
            "jesus.garcia",
            "james.moylan",
            "beto.orourke",
            "lauren.ohara-lecki",
            "j.van-drew",
            "pablo-jose.hernandez-rivera",
        ];
        assert_eq!(made_up(&names), expected);
    }

    #[test]
    fn namesakes_are_told_apart_whatever_their_case_and_order() {
        let names = [("Mike", "Rogers"), ("Ann", "Lee"), ("MIKE", "Rógers")];
        let expected = ["mike.rogers.x000000", "ann.lee", "mike.rogers.x000002"];
        assert_eq!(made_up(&names), expected);
    }

    #[test]
    fn a_name_without_any_ascii_letter_becomes_the_id() {
        assert_eq!(made_up(&[("李", "王")]), ["x000000"]);
    }
}
