//! The values that profiles share (contract 1.4): accepted at each bound, refused one past it.

use dossier::domain::folding::folded;
use dossier::domain::ids::{TenantId, catalogue_id, derived, flag_id};
use dossier::domain::personal::Personal;
use dossier::domain::values::{
    EMAIL_CHARACTERS_MAX, Invalid, NAME_CHARACTERS_MAX, REQUESTS_PER_DAY_MAX, ValueKind,
    login_form, parse_email, parse_name, parse_request_limit,
};
use proptest::prelude::*;
use uuid::Uuid;

const CONTROL_CHARACTERS: [char; 6] = ['\0', '\t', '\n', '\u{1f}', '\u{7f}', '\u{85}'];

#[test]
fn the_bounds_are_those_of_the_contract() {
    let bounds = (NAME_CHARACTERS_MAX, EMAIL_CHARACTERS_MAX, REQUESTS_PER_DAY_MAX);
    assert_eq!(bounds, (200, 254, 1_000_000));
}

#[test]
fn a_name_has_one_to_two_hundred_characters() {
    for letter in ["a", "é", "名", "🙂"] {
        assert_eq!(parse_name(letter), Ok(letter.to_owned()));
        assert_eq!(parse_name(&letter.repeat(200)), Ok(letter.repeat(200)));
        assert_eq!(parse_name(&letter.repeat(201)), Err(Invalid::Name));
    }
}

#[test]
fn a_name_of_nothing_but_white_space_is_none() {
    for blank in ["", " ", "\t \n", "\u{a0}\u{3000}"] {
        assert_eq!(parse_name(blank), Err(Invalid::Name), "{blank:?}");
    }
}

#[test]
fn white_space_around_a_name_neither_stays_nor_counts() {
    let padded = format!("\t {} \r\n", "a".repeat(200));
    assert_eq!(parse_name(&padded), Ok("a".repeat(200)));
    assert_eq!(parse_name(" Ada  Lovelace "), Ok("Ada  Lovelace".to_owned()));
}

#[test]
fn a_name_has_no_control_characters() {
    for character in CONTROL_CHARACTERS {
        assert_eq!(parse_name(&format!("A{character}da")), Err(Invalid::Name), "{character:?}");
    }
}

#[test]
fn an_address_has_at_most_254_characters() {
    for letter in ["a", "é", "名"] {
        let address = |letters: usize| format!("{}@example.com", letter.repeat(letters));
        assert_eq!(parse_email(&address(242)), Ok(address(242)));
        assert_eq!(parse_email(&address(243)), Err(Invalid::Email));
    }
}

#[test]
fn an_address_has_one_at_sign_with_text_on_both_sides() {
    assert_eq!(parse_email("a@b"), Ok("a@b".to_owned()));
    for text in ["", "@", "ada", "@example.com", "ada@", "a@b@c", "a@@b", "@a@b", "a@b@"] {
        assert_eq!(parse_email(text), Err(Invalid::Email), "{text:?}");
    }
}

#[test]
fn an_address_is_kept_as_given() {
    for address in ["Ada.Lovelace+x@Example.COM", "ада@пример.рф", "e\u{301}@x"] {
        assert_eq!(parse_email(address), Ok(address.to_owned()));
    }
}

#[test]
fn white_space_around_an_address_makes_it_none() {
    for address in [" ada@example.com", "ada@example.com\n", "\u{a0}ada@example.com"] {
        assert_eq!(parse_email(address), Err(Invalid::Email), "{address:?}");
    }
}

#[test]
fn an_address_has_no_white_space_and_no_control_characters() {
    for character in CONTROL_CHARACTERS.into_iter().chain([' ', '\u{a0}', '\u{2028}']) {
        for address in [format!("a{character}b@c"), format!("a@b{character}c")] {
            assert_eq!(parse_email(&address), Err(Invalid::Email), "{character:?}");
        }
    }
}

#[test]
fn a_request_limit_lies_between_one_and_a_million() {
    for limit in [1, 2, 999_999, 1_000_000] {
        assert_eq!(parse_request_limit(limit).map(i64::from), Ok(limit));
    }
    for limit in [0, -1, 1_000_001, i64::from(i32::MAX) + 2, i64::MIN, i64::MAX] {
        assert_eq!(parse_request_limit(limit), Err(Invalid::RequestLimit), "{limit}");
    }
}

#[test]
fn what_is_no_value_is_said_with_its_bounds() {
    assert!(Invalid::Name.to_string().contains("1 to 200 characters"));
    assert!(Invalid::Email.to_string().contains("254 characters"));
    assert!(Invalid::RequestLimit.to_string().contains("1 and 1000000"));
}

#[test]
fn kinds_of_values_are_stored_under_these_names() {
    let kinds = [ValueKind::Name, ValueKind::Email, ValueKind::RequestLimit];
    assert_eq!(kinds.map(ValueKind::name), ["name", "email", "request_limit"]);
}

#[test]
fn addresses_are_one_log_in_whatever_their_case_and_composition() {
    for (one, other) in [
        ("ADA@Example.COM", "ada@example.com"),
        ("É@x", "e\u{301}@x"),
        ("STRAẞE@x", "straße@x"),
        ("ΣΊΣΥΦΟΝ@x", "σίσυφον@x"),
        ("ÅSA@x", "a\u{30a}sa@x"),
        ("ЖАН@x", "жан@x"),
    ] {
        assert_eq!(login_form(one), login_form(other), "{one} {other}");
    }
    for (one, other) in [
        ("e@x", "é@x"),
        ("a.b@x", "ab@x"),
        ("a+b@x", "a@x"),
        ("0@x", "o@x"),
        (" ada@x ", "ada@x"),
        // Issue 8: these can be the mailboxes of two people.
        ("STRASSE@x", "straße@x"),
        ("STRASSE@x", "ſtrasse@x"),
        ("finn@x", "ﬁnn@x"),
        ("istanbul@x", "İstanbul@x"),
        ("isik@x", "ısık@x"),
        ("ΣΊΣΥΦΟΣ@x", "σίσυφος@x"),
        ("ada@x", "ａda@x"),
        ("ǆ@x", "dž@x"),
    ] {
        assert_ne!(login_form(one), login_form(other), "{one} {other}");
    }
}

#[test]
fn ids_of_the_catalogue_depend_on_tenant_kind_and_key_alone() {
    let (one, other) = (TenantId(Uuid::from_u128(1)), TenantId(Uuid::from_u128(2)));
    assert_eq!(catalogue_id(one, "role", "admin"), catalogue_id(one, "role", "admin"));
    let ids = [
        catalogue_id(one, "role", "admin"),
        catalogue_id(one, "role", "member"),
        catalogue_id(one, "department", "admin"),
        catalogue_id(other, "role", "admin"),
        // The same letters, cut elsewhere.
        catalogue_id(one, "rol", "eadmin"),
        catalogue_id(one, "roleadmin", ""),
        flag_id(one, true).0,
        flag_id(one, false).0,
        flag_id(other, true).0,
    ];
    for (place, id) in ids.iter().enumerate() {
        assert!(!ids[..place].contains(id), "{place}");
        assert_eq!(id.get_version_num(), 8);
    }
}

/// The log holds them: were they derived otherwise, every catalogue's entries would be new ones.
#[test]
fn derived_ids_stay_what_they_are() {
    let tenant = TenantId(Uuid::from_u128(1));
    let ids = [catalogue_id(tenant, "role", "admin"), derived(&[])];
    let expected = ["bdf83335-d26d-8b0d-bbef-ff6979ef05db", "e3b0c442-98fc-8c14-9afb-f4c8996fb924"];
    assert_eq!(ids.map(|id| id.to_string()), expected);
}

#[test]
fn personal_values_do_not_show_in_debug_output() {
    let shown = format!("{:?}", Personal("ada@example.com".to_owned()));
    assert_eq!(shown, "[personal]");
}

proptest! {
    #[test]
    fn a_parsed_value_is_a_value(text in ".*") {
        if let Ok(name) = parse_name(&text) {
            prop_assert_eq!(parse_name(&name), Ok(name));
        }
        if let Ok(address) = parse_email(&text.replacen('a', "@", 1)) {
            prop_assert_eq!(parse_email(&address), Ok(address));
        }
    }

    #[test]
    fn folding_text_of_one_case_or_another_comes_to_the_same(text in "[a-zà-öø-þа-яα-ρ@. ]*") {
        prop_assert_eq!(folded(&text.to_uppercase()), folded(&text.to_lowercase()));
    }

    #[test]
    fn folded_text_folds_to_itself(text in ".*") {
        let once = folded(&text);
        prop_assert_eq!(folded(&once), once);
    }
}
