//! What can be a name on a screen: something is visible, on one line, in the order in which it is
//! written. One rule for people, departments, roles, tenants and usernames.

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Blank although Unicode calls them symbols: an empty cell of braille, a null note.
const BLANK_SYMBOLS: [char; 2] = ['\u{2800}', '\u{1d159}'];

/// Why a text is refused as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("holds a control character or a line separator")]
    Control,
    #[error("holds a character that changes the direction of the text around it")]
    Direction,
    #[error("has no visible character")]
    Invisible,
}

/// Whether people can read this name. Joiners are allowed: Persian, Sinhala and emoji need them.
///
/// # Errors
/// Why they cannot.
pub fn readable(name: &str) -> Result<(), Unreadable> {
    if name.is_ascii() {
        let visible = name.bytes().any(|byte| byte.is_ascii_graphic());
        let control = name.bytes().any(|byte| byte.is_ascii_control());
        return match (control, visible) {
            (true, _) => Err(Unreadable::Control),
            (false, false) => Err(Unreadable::Invisible),
            (false, true) => Ok(()),
        };
    }
    if name.contains(is_control) {
        return Err(Unreadable::Control);
    }
    if name.contains(is_directing) {
        return Err(Unreadable::Direction);
    }
    name.contains(is_visible).then_some(()).ok_or(Unreadable::Invisible)
}

/// Whether the character is a control character or ends a line.
pub fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Whether the character embeds, overrides or isolates a direction, so that a text looks like
/// another one. Plain marks of direction are allowed: Hebrew and Arabic names need them.
pub fn is_directing(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A mark is visible only on a letter, so it does not count by itself.
fn is_visible(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    let is_drawn = !matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::SpaceSeparator
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::NonspacingMark
            | GeneralCategory::EnclosingMark
            | GeneralCategory::Unassigned
    );
    let is_ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c);
    is_drawn && !is_ignorable && !BLANK_SYMBOLS.contains(&c)
}
