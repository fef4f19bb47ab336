//! The parameters of a call (contract 0): from its query and its form, query first, each any number
//! of times. They are read strictly and within bounds, never cut or repaired.

use std::collections::BTreeMap;
use std::fmt;

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use crate::api::people::call::is_utf_8;
use crate::domain::attributes::AttributeToReturn;

use super::body;
use super::error::Failure;

/// Most parameters of a call, and most items of a list.
pub const PARAMETERS_MAX: usize = 1_000;
/// Longest name of a parameter that is kept, in bytes.
pub const NAME_BYTES_MAX: usize = 100;
/// All parameters of a call as they were sent, in bytes.
pub const PARAMETERS_BYTES_MAX: usize = 1 << 20;
/// The name of the parameter that holds the access token's id.
pub const TOKEN_PARAMETER: &str = "accessTokenId";
/// The media type of forms.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// Stands for no attribute at all, at any place in the list.
const NO_ATTRIBUTES: &str = "$none";

/// The parameters of a call. They hold passwords and tokens, so `Debug` shows only their names.
#[derive(Clone, Default)]
pub struct Parameters(Vec<(String, String)>);

/// The parameters of a call, readable or not, and the access token among them: a caller without a
/// valid token is not told what else is wrong (contract 2).
pub struct Given {
    pub parameters: Result<Parameters, Failure>,
    pub token: Option<String>,
}

/// The direction of a sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortOrder {
    Ascending,
    /// Contract 4.7: the direction when none is given.
    #[default]
    Descending,
}

/// The field that profiles are sorted by: `username`, `attributes.lastName`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    pub by: String,
    pub order: SortOrder,
}

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// How many profiles are skipped.
    pub start: u32,
    /// How many follow at most; None is no limit.
    pub count: Option<u32>,
}

impl Given {
    /// See [`Parameters::read`].
    pub fn read(query: Option<&str>, content_type: Option<&str>, body: &[u8]) -> Given {
        let form = if content_type.is_some_and(is_form_type) { body } else { b"" };
        let token = token_in(query.unwrap_or_default().as_bytes()).or_else(|| token_in(form));
        Given { parameters: Parameters::read(query, content_type, body), token }
    }

    /// See [`Parameters::of_multipart`].
    pub fn of_multipart(query: Option<&str>, fields: BTreeMap<String, String>) -> Given {
        let token = token_in(query.unwrap_or_default().as_bytes());
        let token = token.or_else(|| fields.get(TOKEN_PARAMETER).cloned());
        Given { parameters: Parameters::of_multipart(query, fields), token }
    }
}

/// The first access token among pairs, of which others may be unreadable.
fn token_in(text: &[u8]) -> Option<String> {
    let text = &text[..text.len().min(PARAMETERS_BYTES_MAX)];
    let mut pairs = text.split(|byte| *byte == b'&').map(pair);
    let (_, value) =
        pairs.find(|(name, _)| decoded(name).is_ok_and(|name| name == TOKEN_PARAMETER))?;
    decoded(value).ok()
}

/// A name and a value, both still encoded.
fn pair(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == b'=') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &b""[..]),
    }
}

impl Parameters {
    /// The parameters of a query and, if the body is a form, of the body.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for bad percent escapes, text that is not UTF-8, NUL, too many or too
    /// long.
    pub fn read(
        query: Option<&str>,
        content_type: Option<&str>,
        body: &[u8],
    ) -> Result<Parameters, Failure> {
        let mut parameters = Parameters::default();
        parameters.add_encoded(query.unwrap_or_default().as_bytes())?;
        if content_type.is_some_and(|kind| is_form_type(kind) && !is_utf_8(kind)) {
            return Err(Failure::UnsupportedMediaType);
        }
        if content_type.is_some_and(is_form_type) {
            parameters.add_encoded(body)?;
        }
        Ok(parameters)
    }

    /// The parameters of a query and of the text fields of a multipart form.
    ///
    /// # Errors
    /// As [`Parameters::read`].
    pub fn of_multipart(
        query: Option<&str>,
        fields: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Parameters, Failure> {
        let mut parameters = Parameters::read(query, None, b"")?;
        let mut bytes = 0_usize;
        for (name, value) in fields {
            bytes += name.len() + value.len();
            if bytes > PARAMETERS_BYTES_MAX {
                return Err(too_long());
            }
            parameters.add(name, value)?;
        }
        Ok(parameters)
    }

    /// The first value. Others under the same name are ignored.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// The only value, which may be empty. The same value may be sent again.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when values differ: which one is meant is unknown.
    pub fn optional(&self, name: &str) -> Result<Option<&str>, Failure> {
        let Some(first) = self.first(name) else { return Ok(None) };
        if self.values(name).any(|value| value != first) {
            return Err(Failure::invalid(format!("parameter {name} has several values")));
        }
        Ok(Some(first))
    }

    /// The only value, unless it is empty.
    ///
    /// # Errors
    /// As [`Parameters::optional`].
    pub fn filled(&self, name: &str) -> Result<Option<&str>, Failure> {
        Ok(self.optional(name)?.filter(|value| !value.is_empty()))
    }

    /// The only value, which must be given but may be empty.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when it is missing, or as [`Parameters::optional`].
    pub fn required(&self, name: &str) -> Result<&str, Failure> {
        self.optional(name)?.ok_or_else(|| missing(name))
    }

    /// The items: one for each occurrence, or those of one comma-separated value, trimmed. One
    /// empty value is the empty list. Empty items are left out.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for more than [`PARAMETERS_MAX`] items.
    pub fn list(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        let values: Vec<&str> = self.values(name).collect();
        let items: Vec<&str> = match values.as_slice() {
            [] => return Ok(None),
            [one] => one.split(',').map(str::trim).collect(),
            _ => values,
        };
        let items: Vec<String> =
            items.into_iter().filter(|item| !item.is_empty()).map(str::to_owned).collect();
        if items.len() > PARAMETERS_MAX {
            return Err(Failure::invalid(format!(
                "parameter {name} has more than {PARAMETERS_MAX} items"
            )));
        }
        Ok(Some(items))
    }

    /// The items. The parameter must be given but may be an empty list.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when it is missing, or as [`Parameters::list`].
    pub fn required_list(&self, name: &str) -> Result<Vec<String>, Failure> {
        self.list(name)?.ok_or_else(|| missing(name))
    }

    /// True or false, in any of the accepted words; None when empty.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for other words, or as [`Parameters::optional`].
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Failure> {
        let Some(value) = self.trimmed(name)? else { return Ok(None) };
        match value.to_ascii_lowercase().as_str() {
            "true" | "on" | "yes" | "1" => Ok(Some(true)),
            "false" | "off" | "no" | "0" => Ok(Some(false)),
            _ => Err(Failure::invalid(format!("parameter {name} is neither true nor false"))),
        }
    }

    /// True or false, which must be given.
    ///
    /// # Errors
    /// [`Failure::Invalid`] when it is missing or empty, or as [`Parameters::boolean`].
    pub fn required_boolean(&self, name: &str) -> Result<bool, Failure> {
        self.boolean(name)?.ok_or_else(|| missing(name))
    }

    /// A decimal number of 32 bits; None when empty.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for anything else, or as [`Parameters::optional`].
    pub fn integer(&self, name: &str) -> Result<Option<i32>, Failure> {
        let Some(value) = self.trimmed(name)? else { return Ok(None) };
        let number = value.parse();
        number.map(Some).map_err(|_| Failure::invalid(format!("parameter {name} is no integer")))
    }

    /// `sortOrder`, exactly `ASC` or `DESC`; None when empty.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for anything else.
    pub fn sort_order(&self) -> Result<Option<SortOrder>, Failure> {
        match self.filled("sortOrder")? {
            None => Ok(None),
            Some("ASC") => Ok(Some(SortOrder::Ascending)),
            Some("DESC") => Ok(Some(SortOrder::Descending)),
            Some(_) => Err(Failure::invalid("parameter sortOrder is neither ASC nor DESC")),
        }
    }

    /// `sortBy` and `sortOrder`; None without the former.
    ///
    /// # Errors
    /// As [`Parameters::sort_order`].
    pub fn sort(&self) -> Result<Option<Sort>, Failure> {
        let order = self.sort_order()?.unwrap_or_default();
        Ok(self.filled("sortBy")?.map(|by| Sort { by: by.to_owned(), order }))
    }

    /// `start` and `count`. Contract 4.7: without `start`, `count` is ignored, and 0 is no limit.
    ///
    /// # Errors
    /// [`Failure::Invalid`] for what is no integer, or is below 0.
    pub fn page(&self) -> Result<Page, Failure> {
        let at_least_0 = |name: &str| match self.integer(name)?.map(u32::try_from) {
            Some(Err(_)) => Err(Failure::invalid(format!("parameter {name} is below 0"))),
            Some(Ok(number)) => Ok(Some(number)),
            None => Ok(None),
        };
        let (start, count) = (at_least_0("start")?, at_least_0("count")?);
        Ok(start.map_or_else(Page::default, |start| Page {
            start,
            count: count.filter(|count| *count > 0),
        }))
    }

    /// `attributeToReturn` (contract 4.7).
    ///
    /// # Errors
    /// As [`Parameters::list`].
    pub fn attribute_to_return(&self) -> Result<AttributeToReturn, Failure> {
        let names = self.list("attributeToReturn")?.unwrap_or_default();
        Ok(if names.is_empty() {
            AttributeToReturn::All
        } else if names.iter().any(|name| name == NO_ATTRIBUTES) {
            AttributeToReturn::Nothing
        } else {
            AttributeToReturn::Only(names)
        })
    }

    /// A JSON object, as text; None when empty.
    ///
    /// # Errors
    /// [`Failure::NoJsonObject`], or as [`Parameters::optional`].
    pub fn json_object(&self, name: &str) -> Result<Option<Map<String, Value>>, Failure> {
        let Some(text) = self.trimmed(name)? else { return Ok(None) };
        match body::parse(text.as_bytes()) {
            Ok(Value::Object(fields)) => Ok(Some(fields)),
            _ => Err(Failure::NoJsonObject(name.to_owned())),
        }
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(named, _)| named == name).map(|(_, value)| value.as_str())
    }

    /// The only value without surrounding white space; None when nothing is left.
    fn trimmed(&self, name: &str) -> Result<Option<&str>, Failure> {
        Ok(self.optional(name)?.map(str::trim).filter(|value| !value.is_empty()))
    }

    fn add_encoded(&mut self, text: &[u8]) -> Result<(), Failure> {
        if text.len() > PARAMETERS_BYTES_MAX {
            return Err(too_long());
        }
        for (name, value) in text.split(|byte| *byte == b'&').map(pair) {
            if !name.is_empty() {
                self.add(decoded(name)?, decoded(value)?)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, name: String, value: String) -> Result<(), Failure> {
        if self.0.len() == PARAMETERS_MAX {
            return Err(Failure::invalid(format!("more than {PARAMETERS_MAX} parameters")));
        }
        // Longer than every known name, so it is ignored: a JSON text sent as a form looks like
        // this.
        if name.len() > NAME_BYTES_MAX {
            return Ok(());
        }
        // NUL is refused: the database stores none.
        if name.contains('\0') || value.contains('\0') {
            return Err(Failure::invalid("a parameter holds a NUL character"));
        }
        self.0.push((name, value));
        Ok(())
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Whether a request declares its body to be a form.
pub fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(is_form_type)
}

fn is_form_type(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(FORM)
}

/// The text that a form encodes in this way.
fn decoded(text: &[u8]) -> Result<String, Failure> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let digits = match tail {
                    [high, low, after @ ..] => {
                        rest = after;
                        hexadecimal(*high).zip(hexadecimal(*low))
                    }
                    _ => None,
                };
                let (high, low) =
                    digits.ok_or_else(|| Failure::invalid("a parameter has a bad % escape"))?;
                high << 4 | low
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).map_err(|_| Failure::invalid("a parameter is not UTF-8"))
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn missing(name: &str) -> Failure {
    Failure::invalid(format!("parameter {name} is required"))
}

fn too_long() -> Failure {
    let most = PARAMETERS_BYTES_MAX >> 20;
    Failure::invalid(format!("the parameters have more than {most} MiB"))
}
