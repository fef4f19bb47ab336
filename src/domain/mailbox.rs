//! E-mail addresses as RFC 822 writes them (Crafter contract 4.9): `a@b`, `Ada <a@b>`, `a@b (Ada)`.
//! One mailbox, never a list, a group or a route. Whether the address exists is not checked.

use super::values::EMAIL_CHARACTERS_MAX;

/// Longest mailbox with its name and comments, in characters.
pub const MAILBOX_CHARACTERS_MAX: usize = 320;
/// Characters that an atom cannot contain.
const SPECIALS: &str = "()<>,;:\\\"[]@";

/// A parsed mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mailbox<'a> {
    /// All of it, without surrounding white space.
    pub text: &'a str,
    /// The bare `local@domain` in it, at most 254 characters.
    pub address: &'a str,
}

/// The text is not a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an e-mail address reads a@b or Name <a@b>, and has at most \
         {EMAIL_CHARACTERS_MAX} characters"
)]
pub struct NoMailbox;

/// Reads a mailbox of at most 320 characters.
///
/// # Errors
/// [`NoMailbox`].
pub fn parse_mailbox(text: &str) -> Result<Mailbox<'_>, NoMailbox> {
    let text = text.trim_matches(' ');
    if text.chars().count() > MAILBOX_CHARACTERS_MAX || text.contains(char::is_control) {
        return Err(NoMailbox);
    }
    let bare = without_comments(text)?;
    let address = match top_level(bare, '<') {
        Some(at) if is_phrase(bare[..at].trim()) => {
            bare[at + 1..].strip_suffix('>').ok_or(NoMailbox)?.trim_matches(' ')
        }
        Some(_) => return Err(NoMailbox),
        None => bare,
    };
    let at = top_level(address, '@').ok_or(NoMailbox)?;
    let is_address = is_local(&address[..at]) && is_domain(&address[at + 1..]);
    if is_address && address.chars().count() <= EMAIL_CHARACTERS_MAX {
        Ok(Mailbox { text, address })
    } else {
        Err(NoMailbox)
    }
}

/// Whether the text is an address without anything else: what a person can log in with.
pub fn is_bare_address(text: &str) -> bool {
    parse_mailbox(text).is_ok_and(|mailbox| mailbox.address == text)
}

/// The text without a comment at its beginning and one at its end. A parenthesis elsewhere is
/// refused later.
fn without_comments(text: &str) -> Result<&str, NoMailbox> {
    let mut rest = text;
    if rest.starts_with('(') {
        let end = rest.find(')').filter(|end| is_comment(&rest[1..*end])).ok_or(NoMailbox)?;
        rest = rest[end + 1..].trim_start_matches(' ');
    }
    if rest.ends_with(')') {
        let start = top_level(rest, '(').ok_or(NoMailbox)?;
        if !is_comment(&rest[start + 1..rest.len() - 1]) {
            return Err(NoMailbox);
        }
        rest = rest[..start].trim_end_matches(' ');
    }
    Ok(rest)
}

/// The inside of a comment without another comment in it.
fn is_comment(text: &str) -> bool {
    !text.contains(['(', ')', '\\'])
}

/// The first place of this character outside quotes.
fn top_level(text: &str, wanted: char) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if character == wanted && !is_quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// The name before `<`: nothing, or words and quoted strings. Many write an address there, as in
/// `a@b <a@b>`, so an `@` needs no quotes here.
fn is_phrase(text: &str) -> bool {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for character in text.chars() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '@' => {}
            _ if !is_quoted && SPECIALS.contains(character) => return false,
            _ => {}
        }
    }
    !is_quoted
}

/// One quoted string, its quotes and backslashes inside escaped.
fn is_quoted(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return false;
    };
    let mut is_escaped = false;
    for character in inner.chars() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return false,
            _ => {}
        }
    }
    !is_escaped
}

/// Atoms with single dots between them, or one quoted string.
fn is_local(text: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty() && !atom.contains(|c: char| c.is_whitespace() || SPECIALS.contains(c))
    };
    is_quoted(text) || text.split('.').all(is_atom)
}

/// Labels of letters, digits and hyphens with single dots between them, or a literal in brackets.
fn is_domain(text: &str) -> bool {
    if let Some(literal) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let is_plain = |c: char| c.is_ascii_graphic() && !"[]\\".contains(c);
        return !literal.is_empty() && literal.chars().all(is_plain);
    }
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    text.split('.').all(is_label)
}
