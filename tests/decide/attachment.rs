//! What an attachment may be called and what it may be.

use dossier::domain::attachment::{
    Digest, FILE_NAME_BYTES_MAX, Invalid, Kind, Named, may_run_in_browser, parse_allowed,
    parse_file_name,
};

#[track_caller]
fn accepted(text: &str) -> Named {
    parse_file_name(text, &Kind::ALL).unwrap()
}

#[track_caller]
fn refused(text: &str) -> Invalid {
    parse_file_name(text, &Kind::ALL).unwrap_err()
}

#[test]
fn the_extension_alone_says_the_type_in_the_spellings_of_the_contract() {
    let contract = [
        (&["bmp"][..], "image/bmp"),
        (&["gif", "GIF"], "image/gif"),
        (&["jpeg", "jpg", "jpe", "JPG"], "image/jpeg"),
        (&["png", "PNG"], "image/png"),
        (&["tif", "tiff"], "image/tiff"),
        (&["svg", "svgz"], "image/svg+xml"),
    ];
    for (extensions, content_type) in contract {
        for extension in extensions {
            let named = accepted(&format!("picture1.{extension}"));
            assert_eq!(named.kind.content_type(), content_type, "{extension}");
            assert_eq!(named.name, "picture1");
        }
    }
}

#[test]
fn other_extensions_and_other_spellings_are_refused() {
    for extension in ["BMP", "Gif", "JPEG", "Jpg", "TIF", "SVG", "html", "exe", "jpg ", "", "webp"]
    {
        assert_eq!(refused(&format!("picture1.{extension}")), Invalid::Kind, "{extension}");
    }
    assert_eq!(refused("png"), Invalid::Kind);
    assert_eq!(refused(""), Invalid::Kind);
}

#[test]
fn a_type_that_is_not_allowed_is_refused() {
    let allowed = parse_allowed("image/png, image/gif").unwrap();
    assert_eq!(allowed, [Kind::Png, Kind::Gif]);
    assert!(parse_file_name("a.png", &allowed).is_ok());
    assert_eq!(parse_file_name("a.svg", &allowed), Err(Invalid::Kind));
    assert_eq!(parse_allowed("image/png,text/html"), Err(Invalid::Kind));
    assert_eq!(parse_allowed(""), Ok(vec![]));
}

#[test]
fn only_the_last_extension_is_cut_off() {
    assert_eq!(accepted("holiday.2024.png").name, "holiday.2024");
    assert_eq!(accepted(".hidden.png").name, ".hidden");
    assert_eq!(accepted("Zoë im Garten.jpg").name, "Zoë im Garten");
}

#[test]
fn names_that_are_paths_or_hide_something_are_refused() {
    let names = [
        "../../etc/passwd.png",
        "a/b.png",
        "C:\\fakepath\\b.png",
        "a\0.png",
        "a\n.png",
        "a\u{7f}.png",
        "\u{202e}gnp.exe.png",
        ".png",
        "  .png",
        "..png",
        "...png",
    ];
    for name in names {
        assert_eq!(refused(name), Invalid::Name, "{name:?}");
    }
}

#[test]
fn a_name_may_be_as_long_as_the_bound_and_no_longer() {
    let stem = "é".repeat((FILE_NAME_BYTES_MAX - 5) / 2);
    assert_eq!(format!("{stem}.jpeg").len(), FILE_NAME_BYTES_MAX);
    assert_eq!(accepted(&format!("{stem}.jpeg")).name, stem);
    assert_eq!(refused(&format!("a{stem}.jpeg")), Invalid::Name);
}

#[test]
fn what_a_browser_could_run_is_known_as_such() {
    assert!(may_run_in_browser("image/svg+xml"));
    assert!(may_run_in_browser("text/html"));
    assert!(may_run_in_browser("image/png; charset=x"));
    for kind in [Kind::Bmp, Kind::Gif, Kind::Jpeg, Kind::Png, Kind::Tiff] {
        assert!(!may_run_in_browser(kind.content_type()), "{kind:?}");
    }
}

#[test]
fn a_digest_is_read_as_it_is_written_and_in_no_other_way() {
    let digest = Digest(std::array::from_fn(|place| place as u8 * 8));
    let text = digest.to_string();
    assert_eq!(text.len(), 64);
    assert_eq!(text.parse(), Ok(digest));
    let json = serde_json::to_string(&digest).unwrap();
    assert_eq!(json, format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
    assert!(text.to_uppercase().parse::<Digest>().is_err());
    assert!(text[1..].parse::<Digest>().is_err());
    assert!(format!("{}..", &text[2..]).parse::<Digest>().is_err());
}
