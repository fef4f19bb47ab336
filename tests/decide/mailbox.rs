//! E-mail addresses as RFC 822 writes them (Crafter contract 4.9).

use dossier::domain::mailbox::{MAILBOX_CHARACTERS_MAX, NoMailbox, is_bare_address, parse_mailbox};
use proptest::prelude::*;

#[track_caller]
fn address_of(text: &str) -> &str {
    match parse_mailbox(text) {
        Ok(mailbox) => mailbox.address,
        Err(NoMailbox) => panic!("no mailbox: {text:?}"),
    }
}

#[track_caller]
fn refused(texts: &[&str]) {
    for text in texts {
        assert_eq!(parse_mailbox(text), Err(NoMailbox), "{text:?}");
    }
}

#[test]
fn a_bare_address_is_a_mailbox() {
    let addresses = [
        "a@b",
        "ada.lovelace@example.com",
        "o'brien+news!#$%&*-/=?^_`{|}~@x-y.example",
        "josé@bücher.example",
        "a@[192.0.2.1]",
        "a@[IPv6:2001:db8::1]",
        "\"a.b@c\"@example.com",
        "\"a \\\" b\"@example.com",
    ];
    for address in addresses {
        assert_eq!(address_of(address), address);
        assert!(is_bare_address(address), "{address}");
    }
    for text in ["Ada <a@b>", "<a@b>", "a@b (Ada)", " a@b", "a b@c", ""] {
        assert!(!is_bare_address(text), "{text:?}");
    }
}

#[test]
fn a_name_before_angle_brackets_is_not_part_of_the_address() {
    let mailboxes = [
        "X <a@b.c>",
        "<a@b.c>",
        "Ada King Lovelace <a@b.c>",
        "J. R. <a@b.c>",
        "\"Lovelace, Ada <x@y>\" <a@b.c>",
        "\"Ada\" L <a@b.c>",
        "Zoë<a@b.c>",
        "a@b.c <a@b.c>",
        "X < a@b.c >",
    ];
    for text in mailboxes {
        let mailbox = parse_mailbox(text).unwrap();
        assert_eq!((mailbox.text, mailbox.address), (text, "a@b.c"));
    }
}

#[test]
fn a_comment_in_front_or_behind_is_not_part_of_the_address() {
    for text in ["a@b (Ada)", "(Ada) a@b", "(1) Ada <a@b> (2)", "\"(\" <a@b> (x)"] {
        assert_eq!(address_of(text), "a@b", "{text:?}");
    }
    refused(&[
        "a(x)@b",
        "a@b (x",
        "a@b x)",
        "(a@b)",
        "a@b (x) (y)",
        "(a (b) c) a@b",
        "(a( b) c@d",
        "()",
    ]);
}

#[test]
fn spaces_around_do_not_count() {
    let mailbox = parse_mailbox("  a@b ").unwrap();
    assert_eq!((mailbox.text, mailbox.address), ("a@b", "a@b"));
}

#[test]
fn an_address_has_one_at_with_something_on_both_sides() {
    refused(&["", " ", "a", "@", "a@", "@b", "a@b@c", "X", "X <>", "X <a>", "X <@b>"]);
}

#[test]
fn spaces_within_an_address_are_refused() {
    refused(&["a b@c", "a @b", "a@ b", "a@b c", "X <a b@c>", "X <a @b>", "X <a@ b>"]);
    refused(&["a\u{a0}b@c", "a\u{2028}b@c", "a@b\u{3000}c"]);
}

#[test]
fn dots_stand_alone_and_between() {
    refused(&[".a@b", "a.@b", "a..b@c", "a@.b", "a@b.", "a@b..c"]);
}

#[test]
fn special_characters_need_quotes() {
    refused(&["a,b@c", "a;b@c", "a:b@c", "a\\b@c", "a\"b@c", "a[b@c", "\"a@b", "\"a\"x@b"]);
    refused(&["a@b_c", "a@b!c", "a@b/c", "a@[", "a@[]", "a@[1]x", "a@x[1]", "a@[1 2]"]);
}

#[test]
fn lists_groups_and_routes_are_no_single_mailbox() {
    refused(&["a@b, c@d", "a@b,c@d", "X <a@b>, Y <c@d>", "group: a@b;", "<@x:a@b>", "@x:a@b"]);
    refused(&["X <a@b> Y", "X <a@b", "X a@b>", "X <<a@b>>", "Y, X <a@b>", "Y; X <a@b>"]);
    refused(&["\"X <a@b>", "X\" <a@b>", "\"X\\\" <a@b>"]);
}

#[test]
fn control_characters_are_refused_wherever_they_stand() {
    for character in ['\0', '\t', '\n', '\r', '\u{1f}', '\u{7f}', '\u{85}'] {
        for text in ["*a@b", "a*@b", "a@*b", "a@b*", "X* <a@b>", "\"*\" <a@b>", "\"a*\"@b"] {
            let text = text.replace('*', &character.to_string());
            assert_eq!(parse_mailbox(&text), Err(NoMailbox), "{text:?}");
        }
    }
}

#[test]
fn an_address_has_at_most_254_characters_and_a_mailbox_320() {
    let address = |characters: usize| format!("{}@b", "é".repeat(characters - 2));
    assert_eq!(address_of(&address(254)), address(254));
    refused(&[&address(255), &format!("<{}>", address(255))]);
    let named = |characters: usize| format!("{} <a@b>", "ñ".repeat(characters - 6));
    assert_eq!(address_of(&named(MAILBOX_CHARACTERS_MAX)), "a@b");
    refused(&[&named(MAILBOX_CHARACTERS_MAX + 1)]);
}

proptest! {
    #[test]
    fn an_accepted_address_is_accepted_alone(text in "[ab.@<>\"\\\\(),;: \u{e9}\\[\\]]{0,24}") {
        if let Ok(mailbox) = parse_mailbox(&text) {
            prop_assert!(mailbox.text.contains(mailbox.address));
            let alone = parse_mailbox(mailbox.address);
            prop_assert_eq!(alone.map(|alone| alone.address), Ok(mailbox.address));
        }
    }

    #[test]
    fn no_text_is_too_odd_to_be_judged(text: String) {
        let _ = parse_mailbox(&text);
    }
}
