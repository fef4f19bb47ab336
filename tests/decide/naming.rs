//! What can be a name on a screen.

use dossier::domain::naming::{Unreadable, readable};
use dossier::domain::values::{Invalid, parse_name};

#[test]
fn names_are_written_in_any_script_with_the_joiners_that_it_needs() {
    for name in [
        "Ada",
        "O'Brien-Łuków",
        "名",
        "مریم می\u{200c}خواهد",
        "क\u{94d}\u{200d}ष",
        "ශ\u{dca}\u{200d}රී",
        "שלום\u{200f}!",
        "👩\u{200d}🚀",
        "❤\u{fe0f}",
        "-",
        "7",
        "\u{feff}Ada",
    ] {
        assert_eq!(readable(name), Ok(()), "{name:?}");
        assert_eq!(parse_name(name), Ok(name.to_owned()));
    }
}

/// Issue 8: names that nobody can see, and such that look like others, were taken.
#[test]
fn a_name_has_something_to_be_seen() {
    for name in [
        "",
        " ",
        "\u{200b}",
        "\u{feff}",
        "\u{200d}",
        "\u{200e}",
        "\u{ad}",
        "\u{34f}",
        "\u{61c}",
        "\u{115f}",
        "\u{1160}",
        "\u{180e}",
        "\u{2060}",
        "\u{2800}",
        "\u{3164}",
        "\u{ffa0}",
        "\u{fe0f}",
        "\u{301}",
        "\u{1d159}",
        "\u{e0041}",
        "\u{200b} \u{feff}\u{3000}\u{200c}",
    ] {
        assert_eq!(readable(name), Err(Unreadable::Invisible), "{name:?}");
        assert_eq!(parse_name(name), Err(Invalid::Name), "{name:?}");
    }
}

#[test]
fn a_name_has_no_control_and_stands_on_one_line() {
    for character in ['\0', '\t', '\n', '\u{1f}', '\u{7f}', '\u{85}', '\u{2028}', '\u{2029}'] {
        for name in [format!("A{character}da"), format!("É{character}da")] {
            assert_eq!(readable(&name), Err(Unreadable::Control), "{name:?}");
            assert_eq!(parse_name(&name), Err(Invalid::Name), "{name:?}");
        }
    }
}

#[test]
fn a_name_does_not_turn_the_text_around_it() {
    for character in ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
        let name = format!("Ada{character} htroN");
        assert_eq!(readable(&name), Err(Unreadable::Direction), "{name:?}");
        assert_eq!(parse_name(&name), Err(Invalid::Name), "{name:?}");
    }
}
