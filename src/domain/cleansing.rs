//! Makes attribute values harmless to show (Crafter contract 4.7): every character that HTML 4.01
//! has a name for becomes that name. HTML is not parsed, and cleansing twice escapes twice.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::LazyLock;

use serde_json::{Map, Value};

/// The value as it is stored for an attribute of this kind (its definition's `metadata.type`).
///
/// `TEXT` and `LARGE_TEXT` become escaped text whatever their type was, as Java writes it: `5`,
/// `1.0E10`, `true`, `{a=1, b=[x, null]}`. In a `STRING_LIST` each item does; a value that is no
/// list counts as one item. Other kinds, no kind, and null stay as they are.
pub fn cleansed(value: Value, kind: Option<&str>) -> Value {
    match (kind, value) {
        (_, Value::Null) => Value::Null,
        (Some("STRING_LIST"), Value::Array(items)) => items
            .into_iter()
            .map(|item| if item.is_null() { item } else { Value::String(escaped(&text(&item))) })
            .collect(),
        // A value that is no list must be escaped too.
        (Some("TEXT" | "LARGE_TEXT" | "STRING_LIST"), value) => {
            Value::String(escaped(&text(&value)))
        }
        (_, value) => value,
    }
}

/// The text with every character that has an HTML 4.01 name replaced by it: `é` → `&eacute;`.
/// The apostrophe has none.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match entity(character) {
            Some(name) => {
                escaped.push('&');
                escaped.push_str(name);
                escaped.push(';');
            }
            None => escaped.push(character),
        }
    }
    escaped
}

/// The HTML 4.01 name of this character.
pub fn entity(character: char) -> Option<&'static str> {
    if character.is_ascii_alphanumeric() || character == ' ' {
        return None;
    }
    NAMES.get(&character).copied()
}

/// The value as Java's `toString` writes it, so that it becomes the same text as in the original.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(|| number.to_string(), double)
        }
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => object(fields),
    }
}

fn object(fields: &Map<String, Value>) -> String {
    let mut written = String::from("{");
    for (name, value) in fields {
        let separator = if written.len() > 1 { ", " } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(written, "{separator}{name}={}", text(value));
    }
    written + "}"
}

/// A floating-point number: plain between 10^-3 and 10^7, scientific outside, always with a point.
fn double(number: f64) -> String {
    let magnitude = number.abs();
    if magnitude == 0.0 || (1e-3..1e7).contains(&magnitude) {
        return format!("{number:?}");
    }
    let scientific = format!("{number:e}");
    match scientific.split_once('e') {
        Some((digits, power)) if digits.contains('.') => format!("{digits}E{power}"),
        Some((digits, power)) => format!("{digits}.0E{power}"),
        None => scientific,
    }
}

static NAMES: LazyLock<HashMap<char, &'static str>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    let mut point = 0;
    for token in ENTITIES.split_ascii_whitespace() {
        if token.starts_with(|first: char| first.is_ascii_digit()) {
            point = u32::from_str_radix(token, 16).expect("the table's points are hexadecimal");
        } else {
            let character = char::from_u32(point).expect("the table's points are characters");
            names.insert(character, token);
            point += 1;
        }
    }
    names
});

/// The 252 named characters of HTML 4.01: a code point, and the names from there on.
const ENTITIES: &str = "
    0022 quot 0026 amp 003C lt 003E gt
    00A0 nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg
    plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest
    Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc
    Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute
    THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave
    iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc
    uuml yacute thorn yuml
    0152 OElig oelig 0160 Scaron scaron 0178 Yuml 0192 fnof 02C6 circ 02DC tilde
    0391 Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho
    03A3 Sigma Tau Upsilon Phi Chi Psi Omega 03B1 alpha beta gamma delta epsilon zeta eta theta
    iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau upsilon phi chi psi omega
    03D1 thetasym upsih 03D6 piv
    2002 ensp emsp 2009 thinsp 200C zwnj zwj lrm rlm 2013 ndash mdash 2018 lsquo rsquo sbquo
    201C ldquo rdquo bdquo 2020 dagger Dagger bull 2026 hellip 2030 permil 2032 prime Prime
    2039 lsaquo rsaquo 203E oline 2044 frasl 20AC euro
    2111 image 2118 weierp 211C real 2122 trade 2135 alefsym 2190 larr uarr rarr darr harr
    21B5 crarr 21D0 lArr uArr rArr dArr hArr
    2200 forall 2202 part exist 2205 empty 2207 nabla isin notin 220B ni 220F prod 2211 sum minus
    2217 lowast 221A radic 221D prop infin 2220 ang 2227 and or cap cup int 2234 there4 223C sim
    2245 cong 2248 asymp 2260 ne equiv 2264 le ge 2282 sub sup nsub 2286 sube supe 2295 oplus
    2297 otimes 22A5 perp 22C5 sdot
    2308 lceil rceil lfloor rfloor 2329 lang rang 25CA loz 2660 spades 2663 clubs 2665 hearts diams
";
