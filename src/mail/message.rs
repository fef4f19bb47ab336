//! Makes the bytes of a mail. Whatever an address contains, it stays inside its own header.

use std::time::SystemTime;

use lettre::Message;
use lettre::address::Envelope;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, HeaderName, HeaderValue, MIME_VERSION_1_0,
};
use lettre::message::{Body, Mailbox};

use super::template::{Template, Values};
use super::{Failure, Kind, Mail, SenderAndSubject, SettingsError};

/// Longest line of a mail, in bytes without its end (RFC 5322, 2.1.1).
const LINE_BYTES_MAX: usize = 998;
pub(super) const SUBJECT_CHARACTERS_MAX: usize = 200;

/// How mails of one kind are made.
pub struct Form {
    from: Mailbox,
    subject: String,
    template: Template,
}

/// A mail to be handed over.
pub struct Built {
    pub envelope: Envelope,
    /// Headers and body, lines ending in CRLF.
    pub bytes: Vec<u8>,
}

impl Form {
    /// The form of mails of a kind.
    ///
    /// # Errors
    /// [`SettingsError::Sender`], [`SettingsError::Subject`].
    pub fn new(
        kind: Kind,
        wording: &SenderAndSubject,
        template: Template,
    ) -> Result<Form, SettingsError> {
        // Many servers refuse mails from a sender outside ASCII.
        let from =
            mailbox(&wording.from).filter(|from| AsRef::<str>::as_ref(&from.email).is_ascii());
        let from = from.ok_or(SettingsError::Sender(kind.name()))?;
        let subject = wording.subject.trim().to_owned();
        let characters = subject.chars().count();
        if characters == 0
            || characters > SUBJECT_CHARACTERS_MAX
            || subject.chars().any(char::is_control)
        {
            return Err(SettingsError::Subject(kind.name()));
        }
        Ok(Form { from, subject, template })
    }

    /// The bytes of a mail: the same each time.
    ///
    /// # Errors
    /// [`Failure::Final`] when it has no valid recipient.
    pub fn build(&self, mail: &Mail) -> Result<Built, Failure> {
        let unusable = || Failure::Final("no mail can be sent to the address".to_owned());
        let to = mailbox(&mail.recipient).ok_or_else(unusable)?;
        let address: &str = to.email.as_ref();
        let values = Values { link: &mail.link, address, subject: &self.subject };
        let body = encoded(&self.template.fill(&values));
        let message = Message::builder()
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .date(SystemTime::from(mail.created_at))
            .from(self.from.clone())
            .to(to)
            .subject(self.subject.as_str())
            // Keeps out-of-office programs from answering (RFC 3834).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_HTML)
            .body(body)
            .map_err(|_| unusable())?;
        Ok(Built { envelope: message.envelope().clone(), bytes: message.formatted() })
    }
}

fn mailbox(text: &str) -> Option<Mailbox> {
    if text.chars().any(char::is_control) {
        return None;
    }
    text.trim().parse().ok()
}

/// The encoding of a body. The library would encode every line of more than 76 bytes, and a link is
/// soon longer; contract 4.5: ASCII bodies stay readable.
fn encoded(html: &str) -> Body {
    let short = html.lines().all(|line| line.len() <= LINE_BYTES_MAX);
    if !html.is_ascii() || !short {
        return Body::new(html.to_owned());
    }
    let mut bytes = Vec::with_capacity(html.len() + 64);
    for line in html.lines() {
        // Some servers take a single carriage return for the end of a line.
        bytes.extend(line.bytes().filter(|byte| *byte != b'\r'));
        bytes.extend(b"\r\n");
    }
    Body::dangerous_pre_encoded(bytes, ContentTransferEncoding::SevenBit)
}
