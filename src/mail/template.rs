//! Templates: HTML with the places `{{link}}`, `{{address}}` and `{{subject}}`. There are no
//! conditions, no loops, and no unescaped values.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Kind, SettingsError};

/// Longest template of an e-mail, in bytes.
const TEMPLATE_BYTES_MAX: u64 = 256 * 1024;

/// The values of a mail.
pub struct Values<'a> {
    pub link: &'a str,
    /// Without display name.
    pub address: &'a str,
    pub subject: &'a str,
}

/// A template that contains the link.
pub struct Template {
    parts: Vec<Part>,
}

enum Part {
    Text(String),
    Link,
    Address,
    Subject,
}

impl Template {
    /// The template of a kind: from the file in `folder` with its name, otherwise the built-in one.
    ///
    /// # Errors
    /// [`SettingsError::Template`].
    pub fn open(kind: Kind, folder: Option<&Path>) -> Result<Template, SettingsError> {
        let built_in = match kind {
            Kind::VerifyAccount => include_str!("verify_account.html"),
            Kind::ResetPassword => include_str!("reset_password.html"),
        };
        let file = PathBuf::from(format!("{}.html", kind.name()));
        let (file, text) = match folder {
            Some(folder) => {
                let file = folder.join(file);
                let text = read(folder, &file);
                (file, text)
            }
            None => (file, Ok(None)),
        };
        let parsed = text.and_then(|text| Template::parse(text.as_deref().unwrap_or(built_in)));
        parsed.map_err(|reason| SettingsError::Template { file, reason })
    }

    /// Checks a template; otherwise tells what is wrong with it.
    fn parse(text: &str) -> Result<Template, String> {
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err("it has control characters".to_owned());
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else {
                return Err("a {{ has no }}".to_owned());
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(match name.trim() {
                "link" => Part::Link,
                "address" => Part::Address,
                "subject" => Part::Subject,
                name => {
                    let name: String = name.chars().take(40).collect();
                    return Err(format!(
                        "there is no value {{{{{name}}}}}: there are link, address and subject"
                    ));
                }
            });
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        let template = Template { parts };
        if template.has_anchor() {
            Ok(template)
        } else {
            Err(r#"it has no <a id="verificationLink" href="{{link}}">"#.to_owned())
        }
    }

    /// The body of a mail: HTML in which the values are escaped.
    pub fn fill(&self, values: &Values<'_>) -> String {
        let mut filled = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Link => escape(values.link, &mut filled),
                Part::Address => escape(values.address, &mut filled),
                Part::Subject => escape(values.subject, &mut filled),
            }
        }
        filled
    }

    // Contract 4.5: callers find the link by this id.
    fn has_anchor(&self) -> bool {
        let written: String = self.parts.iter().map(Part::written).collect();
        let opens = written.match_indices('<').map(|(at, _)| &written[at + 1..]);
        let tags = opens.filter_map(|tag| tag.split_once('>')).map(|(tag, _)| tag);
        tags.filter(|tag| tag.split_whitespace().next().is_some_and(|name| name == "a")).any(
            |tag| {
                has_attribute(tag, "id", "verificationLink")
                    && has_attribute(tag, "href", "{{link}}")
            },
        )
    }
}

impl Part {
    fn written(&self) -> &str {
        match self {
            Part::Text(text) => text,
            Part::Link => "{{link}}",
            Part::Address => "{{address}}",
            Part::Subject => "{{subject}}",
        }
    }
}

/// The text of a file; None if the folder has no such file.
fn read(folder: &Path, file: &Path) -> Result<Option<String>, String> {
    // A misspelt folder is an error: it must not silently mean the built-in templates.
    if !folder.is_dir() {
        return Err("its folder is none".to_owned());
    }
    let bytes = match fs::metadata(file) {
        Ok(found) if found.len() > TEMPLATE_BYTES_MAX => return Err("it is too long".to_owned()),
        Ok(_) => fs::read(file).map_err(|error| error.to_string())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    String::from_utf8(bytes).map(Some).map_err(|_| "it is not UTF-8".to_owned())
}

fn has_attribute(tag: &str, name: &str, value: &str) -> bool {
    let mut words = tag.split_whitespace();
    words
        .any(|word| ['"', '\''].iter().any(|quote| word == format!("{name}={quote}{value}{quote}")))
}

/// Appends text as HTML, for attributes too. The result is ASCII, so a value never makes a body
/// need another encoding than 7bit.
fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            ' '..='~' if c != '\'' => into.push(c),
            _ => into.push_str(&format!("&#{};", u32::from(c))),
        }
    }
}
