//! Values escaped as HTML 4.01 names characters (Crafter contract 4.7).

use dossier::domain::cleansing::{cleansed, entity, escaped};
use serde_json::{Value, json};

fn cleansed_text(value: Value) -> Value {
    let cleansed_short = cleansed(value.clone(), Some("TEXT"));
    assert_eq!(cleansed(value, Some("LARGE_TEXT")), cleansed_short);
    cleansed_short
}

#[test]
fn html_4_names_252_characters() {
    let named: Vec<&str> = ('\0'..=char::MAX).filter_map(entity).collect();
    assert_eq!(named.len(), 252);
    let mut unique = named;
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), 252);
    assert!(unique.iter().all(|name| name.chars().all(|c| c.is_ascii_alphanumeric())));
}

#[test]
fn characters_have_the_names_of_html_4() {
    let names = [
        ('"', "quot"),
        ('&', "amp"),
        ('<', "lt"),
        ('>', "gt"),
        ('\u{a0}', "nbsp"),
        ('£', "pound"),
        ('À', "Agrave"),
        ('×', "times"),
        ('ß', "szlig"),
        ('é', "eacute"),
        ('ÿ', "yuml"),
        ('Œ', "OElig"),
        ('š', "scaron"),
        ('Ÿ', "Yuml"),
        ('ƒ', "fnof"),
        ('ˆ', "circ"),
        ('˜', "tilde"),
        ('Α', "Alpha"),
        ('Ρ', "Rho"),
        ('Σ', "Sigma"),
        ('Ω', "Omega"),
        ('α', "alpha"),
        ('ς', "sigmaf"),
        ('ω', "omega"),
        ('ϑ', "thetasym"),
        ('ϒ', "upsih"),
        ('ϖ', "piv"),
        ('\u{200d}', "zwj"),
        ('\u{200f}', "rlm"),
        ('—', "mdash"),
        ('‘', "lsquo"),
        ('„', "bdquo"),
        ('…', "hellip"),
        ('‰', "permil"),
        ('″', "Prime"),
        ('›', "rsaquo"),
        ('€', "euro"),
        ('ℑ', "image"),
        ('™', "trade"),
        ('ℵ', "alefsym"),
        ('↔', "harr"),
        ('⇔', "hArr"),
        ('∀', "forall"),
        ('∇', "nabla"),
        ('∉', "notin"),
        ('∋', "ni"),
        ('−', "minus"),
        ('∫', "int"),
        ('∴', "there4"),
        ('≡', "equiv"),
        ('⊄', "nsub"),
        ('⊥', "perp"),
        ('⌋', "rfloor"),
        ('\u{2329}', "lang"),
        ('◊', "loz"),
        ('♠', "spades"),
        ('♦', "diams"),
    ];
    for (character, name) in names {
        assert_eq!(entity(character), Some(name), "{character}");
    }
}

#[test]
fn every_other_character_stays() {
    let text = "it's 100% plain: Ł ğ 名 🙂 \u{80} \u{9f} \n\t `~!@#$^*()_+-=[]{}|\\;:,./?";
    assert_eq!(escaped(text), text);
}

#[test]
fn markup_and_accents_are_escaped_in_place() {
    let text = "<b class=\"x\">José & l'été: 5 €</b>";
    let harmless = "&lt;b class=&quot;x&quot;&gt;Jos&eacute; &amp; l'&eacute;t&eacute;: \
                    5 &euro;&lt;/b&gt;";
    assert_eq!(escaped(text), harmless);
}

#[test]
fn escaping_twice_escapes_the_escapes() {
    assert_eq!(escaped(&escaped("é")), "&amp;eacute;");
}

#[test]
fn text_becomes_escaped_text_whatever_it_was() {
    assert_eq!(cleansed_text(json!("<i>")), json!("&lt;i&gt;"));
    assert_eq!(cleansed_text(json!(5)), json!("5"));
    assert_eq!(cleansed_text(json!(u64::MAX)), json!("18446744073709551615"));
    assert_eq!(cleansed_text(json!(true)), json!("true"));
    assert_eq!(cleansed_text(json!({})), json!("{}"));
    let object = json!({"a": 1, "b": ["x", null, 2.5], "c": {"d": "<é>"}});
    let written = json!("{a=1, b=[x, null, 2.5], c={d=&lt;&eacute;&gt;}}");
    assert_eq!(cleansed_text(object), written);
}

#[test]
fn floating_point_numbers_are_written_as_java_does() {
    let numbers = [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (-2.5, "-2.5"),
        (0.001, "0.001"),
        (0.000_999, "9.99E-4"),
        (9_999_999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (-1.25e-7, "-1.25E-7"),
        (1.797_693_134_862_315_7e308, "1.7976931348623157E308"),
    ];
    for (number, written) in numbers {
        assert_eq!(cleansed_text(json!(number)), json!(written));
    }
}

#[test]
fn each_item_of_a_list_of_texts_is_escaped() {
    let list = json!(["<", "plain", null, 5, ["é"]]);
    let harmless = json!(["&lt;", "plain", null, "5", "[&eacute;]"]);
    assert_eq!(cleansed(list, Some("STRING_LIST")), harmless);
    assert_eq!(cleansed(json!([]), Some("STRING_LIST")), json!([]));
}

#[test]
fn what_should_be_a_list_and_is_none_is_escaped_all_the_same() {
    assert_eq!(cleansed(json!("<"), Some("STRING_LIST")), json!("&lt;"));
    assert_eq!(cleansed(json!({"a": "<"}), Some("STRING_LIST")), json!("{a=&lt;}"));
}

#[test]
fn other_kinds_and_null_stay_as_they_are() {
    let value = json!({"html": ["<b>", "é"]});
    for kind in [None, Some("COMPLEX"), Some("text"), Some("")] {
        assert_eq!(cleansed(value.clone(), kind), value);
    }
    for kind in [None, Some("TEXT"), Some("LARGE_TEXT"), Some("STRING_LIST")] {
        assert_eq!(cleansed(Value::Null, kind), Value::Null);
    }
}
