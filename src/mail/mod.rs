//! E-mails with the link of a verification token (Crafter contract 4.5): their texts, their bytes,
//! and how they are sent. No copy is kept. Addresses, links and the texts of mail servers, which
//! may repeat them, are never logged.

mod deliver;
mod folder;
mod message;
mod settings;
mod smtp;
mod template;

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use deliver::{Failure, Mailer};
pub use settings::{Security, SenderAndSubject, Settings, SettingsError, Smtp, TIMEOUT_MAX};

/// The purpose of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// To verify a new profile.
    VerifyAccount,
    /// To replace a password.
    ResetPassword,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 2] = [Kind::VerifyAccount, Kind::ResetPassword];

    /// The stored name, which is also the name of its template and its label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::VerifyAccount => "verify_account",
            Kind::ResetPassword => "reset_password",
        }
    }

    /// The kind with this name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A mail to be sent. Its `Debug` shows neither address nor link.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its Message-ID is made from this, so that a mail sent twice can be recognised.
    pub id: Uuid,
    pub kind: Kind,
    /// The profile's address, which may have a display name: `Ada <ada@example.org>`.
    pub recipient: String,
    /// The link for the recipient, made by [`link`]. It contains a secret.
    pub link: String,
    /// The date of the mail.
    pub created_at: DateTime<Utc>,
    /// When its link ends: then it is no longer sent.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// The link of a token (contract 4.5): the parameter `tokenId` added to `url`, before its fragment
/// if it has one. Blanks and control characters, which no URL has, are percent-encoded.
pub fn link(url: &str, token: Uuid) -> String {
    let (address, fragment) = match url.find('#') {
        Some(at) => url.split_at(at),
        None => (url, ""),
    };
    let separator = if address.contains('?') { '&' } else { '?' };
    let mut link = String::with_capacity(url.len() + 48);
    let given = format!("{address}{separator}tokenId={token}{fragment}");
    for c in given.chars() {
        if c.is_control() || c == ' ' {
            let mut bytes = [0; 4];
            link.extend(c.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")));
        } else {
            link.push(c);
        }
    }
    link
}
