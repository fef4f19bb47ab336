//! A request as handlers see it: headers taken apart, body read within bounds.

use axum::body::Bytes;
use axum::extract::{FromRequest, MatchedPath, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName};
use axum::response::Response;
use chrono::{DateTime, Datelike, SubsecRound, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use super::failure::{Failure, InvalidField};
use super::mistakes::mistakes;
use super::object::Object;
use crate::api::bounds::BODY_BYTES_MAX;
use crate::api::circumstances::{Circumstances, RealActor};
use crate::api::face::Face;
use crate::domain::ids::ProfileId;
use crate::engine::Envelope;

/// Longest `Idempotency-Key`, in bytes.
const IDEMPOTENCY_KEY_BYTES_MAX: usize = 200;

/// A request.
#[derive(Clone)]
pub struct Call {
    pub face: Face,
    pub received_at: DateTime<Utc>,
    /// Route template.
    pub route: String,
    pub api_key: Option<String>,
    pub bearer: Option<String>,
    /// Whether it comes from a program that says so (contract 1.2.8).
    pub mcp: bool,
    pub bypass_cache: bool,
    pub idempotency_key: Option<String>,
    pub min_position: Option<String>,
    /// When its changes became true, if not now (History contract 1).
    pub occurred_at: Option<DateTime<Utc>>,
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    pub range: Option<String>,
    pub if_range: Option<String>,
    pub is_head: bool,
    /// Whether it counts against the daily limit here.
    pub counted: bool,
    circumstances: Circumstances,
    content_type: Option<String>,
    body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Call, Response> {
        let face = Face::of(request.uri().path()).unwrap_or(Face::ProfilesV5);
        Call::read(face, request).await.map_err(|failure| face.refuse(failure))
    }
}

impl Call {
    async fn read(face: Face, request: Request) -> Result<Call, Failure> {
        let (parts, body) = request.into_parts();
        let headers = &parts.headers;
        let mut call = Call {
            face,
            // To the precision of the database, so that a replay gives the same time.
            received_at: Utc::now().trunc_subsecs(6),
            route: parts
                .extensions
                .get::<MatchedPath>()
                .map_or_else(String::new, |path| path.as_str().to_owned()),
            api_key: text(headers, "x-api-key").filter(|key| !key.is_empty()),
            bearer: bearer(headers),
            mcp: text(headers, "x-mcp").is_some_and(|value| {
                matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes")
            }),
            bypass_cache: text(headers, "x-bypass-cache").is_some_and(|value| value == "1"),
            idempotency_key: text(headers, "idempotency-key"),
            min_position: text(headers, "dossier-min-position"),
            occurred_at: None,
            if_match: text(headers, IF_MATCH.as_str()),
            if_none_match: text(headers, IF_NONE_MATCH.as_str()),
            range: text(headers, "range"),
            if_range: text(headers, "if-range"),
            is_head: parts.method == axum::http::Method::HEAD,
            counted: true,
            circumstances: Circumstances::of(&parts),
            content_type: text(headers, CONTENT_TYPE.as_str()),
            body: Bytes::new(),
        };
        let long = |key: &String| key.is_empty() || key.len() > IDEMPOTENCY_KEY_BYTES_MAX;
        if call.idempotency_key.as_ref().is_some_and(long) {
            let why = format!("1 to {IDEMPOTENCY_KEY_BYTES_MAX} bytes");
            return Err(invalid_header("Idempotency-Key", &why));
        }
        let occurred_at = text(headers, "dossier-occurred-at").map(|text| instant(&text));
        call.occurred_at =
            occurred_at.transpose().map_err(|why| invalid_header("Dossier-Occurred-At", why))?;
        call.body =
            axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| Failure::BodyTooLarge)?;
        Ok(call)
    }
}

impl Call {
    /// The body, which must be a JSON object.
    ///
    /// # Errors
    /// [`Failure::UnsupportedMediaType`]; [`Failure::Invalid`] with every mistake and its place.
    pub fn body<T: DeserializeOwned + ToSchema>(&self) -> Result<T, Failure> {
        let Object(body) = self.json(|wrong, body| {
            let mut all = mistakes::<T>(body);
            if all.iter().all(|one| one.location != wrong.location) {
                all.insert(0, wrong);
            }
            all
        })?;
        Ok(body)
    }

    /// The body as JSON. If it is invalid: the first mistake, and those that `mistakes` finds
    /// besides.
    fn json<T: DeserializeOwned>(
        &self,
        mistakes: impl FnOnce(InvalidField, &Value) -> Vec<InvalidField>,
    ) -> Result<T, Failure> {
        if self.body.is_empty() {
            return Err(invalid(vec!["body".into()], "a body is required", "missing"));
        }
        if !self.content_type.as_deref().is_some_and(is_json) {
            return Err(Failure::UnsupportedMediaType);
        }
        parse(&self.body, mistakes)
    }

    /// The same request, if its handler counts it itself.
    pub fn uncounted(&self) -> Call {
        Call { counted: false, ..self.clone() }
    }

    /// The body of endpoints that declare none: empty, or any object.
    ///
    /// # Errors
    /// As [`Call::body`], if there is a body.
    pub fn no_body(&self) -> Result<(), Failure> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        self.json::<serde_json::Map<String, Value>>(|wrong, _| vec![wrong]).map(|_| ())
    }

    /// The envelope of what this profile does as itself.
    pub fn envelope(&self, by: ProfileId, operation: &'static str) -> Envelope {
        let by = RealActor { kind: "profile", id: by.0, name: None };
        let channel = if self.mcp { "mcp" } else { "http" };
        Envelope { channel, ..self.circumstances.envelope(self.face, by, operation) }
    }

    /// The envelope of what follows from the request itself, such as opening a session. The
    /// caller's reason is not for that, so it is left out.
    pub fn envelope_without_reason(&self, who: ProfileId, operation: &'static str) -> Envelope {
        Envelope { reason: None, ..self.envelope(who, operation) }
    }

    /// The body as it was sent.
    pub fn raw_body(&self) -> &[u8] {
        &self.body
    }
}

/// The value of a header. If it is sent several times, the values joined, which no check accepts.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(HeaderName::try_from(name).ok()?).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return Some(String::new());
    }
    Some(value.to_str().unwrap_or_default().trim().to_owned())
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = text(headers, AUTHORIZATION.as_str())?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json =
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    is_json && is_utf_8(content_type)
}

/// Whether a media type names no charset but UTF-8.
pub fn is_utf_8(content_type: &str) -> bool {
    let parameters = content_type.split(';').skip(1).filter_map(|one| one.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charsets.all(|(_, charset)| {
        let charset = charset.trim().trim_matches('"');
        ["utf-8", "utf8", "us-ascii"].iter().any(|one| charset.eq_ignore_ascii_case(one))
    })
}

fn parse<T: DeserializeOwned>(
    body: &[u8],
    mistakes: impl FnOnce(InvalidField, &Value) -> Vec<InvalidField>,
) -> Result<T, Failure> {
    // Some programs begin a text with the UTF-8 byte order mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body)
        .map_err(|_| invalid(vec!["body".into()], "the body is not UTF-8", "json_invalid"))?;
    // NUL is refused: the database stores none.
    if text.contains('\0') || has_escaped_nul(text) {
        return Err(invalid(vec!["body".into()], "NUL characters are not allowed", "value_error"));
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json);
    let value = value.map_err(|error| match (located(&error), serde_json::from_str(text)) {
        (first, Ok(body)) => Failure::Invalid(mistakes(first, &body)),
        (first, Err(_)) => Failure::Invalid(vec![first]),
    })?;
    json.end().map_err(|error| {
        invalid(vec!["body".into()], &format!("not JSON: {error}"), "json_invalid")
    })?;
    Ok(value)
}

/// Whether a JSON text contains an escaped NUL: `\u0000` after an even number of backslashes.
fn has_escaped_nul(text: &str) -> bool {
    text.match_indices("\\u0000").any(|(at, _)| {
        let before = text.as_bytes()[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        before % 2 == 0
    })
}

fn located(error: &serde_path_to_error::Error<serde_json::Error>) -> InvalidField {
    use serde_path_to_error::Segment;
    let cause = error.inner();
    if cause.is_syntax() || cause.is_eof() {
        return field(vec!["body".into()], &format!("not JSON: {cause}"), "json_invalid");
    }
    let mut location: Vec<Value> = vec!["body".into()];
    location.extend(error.path().iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(Value::from(*index)),
        Segment::Map { key } => Some(Value::from(key.as_str())),
        Segment::Enum { variant } => Some(Value::from(variant.as_str())),
        Segment::Unknown => None,
    }));
    let message = cause.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    match message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        Some(name) => {
            location.push(name.into());
            field(location, "field required", "missing")
        }
        None => field(location, message, "type_error"),
    }
}

/// A header with a value that is not allowed, for 422.
pub fn invalid_header(name: &str, message: &str) -> Failure {
    invalid(vec!["header".into(), name.into()], message, "value_error")
}

/// A time that the database can hold, cut to microseconds.
///
/// # Errors
/// Says what is expected.
pub fn instant(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| "an RFC 3339 time is expected")?;
    let time = time.to_utc().trunc_subsecs(6);
    let in_calendar = (1..=9999).contains(&time.year());
    in_calendar.then_some(time).ok_or("a year between 1 and 9999 is expected")
}

fn invalid(location: Vec<Value>, message: &str, kind: &'static str) -> Failure {
    Failure::Invalid(vec![field(location, message, kind)])
}

fn field(location: Vec<Value>, message: &str, kind: &'static str) -> InvalidField {
    InvalidField { location, message: message.to_owned(), kind }
}
