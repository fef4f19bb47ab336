//! The operator's settings of mails. The environment is read elsewhere. Property names are those of
//! contract 5, without their common prefix `crafter.profile.`; `mail.encoding` has no field, since
//! mails are always UTF-8.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::message::SUBJECT_CHARACTERS_MAX;

/// Longest [`Smtp::timeout`]. Connecting and sending, one after the other, must end well within the
/// lease of a mail.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(120);

/// All settings of mail.
#[derive(Clone)]
pub struct Settings {
    /// The server that accepts the mails. None, unlike the contract's default: mails are written to
    /// [`Settings::folder`].
    pub smtp: Option<Smtp>,
    /// Where mails are written while there is no server: `mail` in the data directory.
    pub folder: PathBuf,
    /// `verification.newProfile.mail.from`, `….subject`: "Verify Account".
    pub verify_account: SenderAndSubject,
    /// `resetPassword.mail.from`, `….subject`: "Reset Password".
    pub reset_password: SenderAndSubject,
    /// A folder whose `verify_account.html` and `reset_password.html`, if there, replace the
    /// built-in templates. None: the built-in ones. `{{link}}`, `{{address}}` and `{{subject}}` in
    /// them stand for values; each must hold `<a id="verificationLink" href="{{link}}">`.
    pub template_folder: Option<PathBuf>,
}

impl Settings {
    /// The defaults.
    pub fn new(data_directory: &Path) -> Settings {
        let wording = |subject: &str| SenderAndSubject {
            from: "noreply@example.com".to_owned(),
            subject: subject.to_owned(),
        };
        Settings {
            smtp: None,
            folder: data_directory.join("mail"),
            verify_account: wording("Verify Account"),
            reset_password: wording("Reset Password"),
            template_folder: None,
        }
    }
}

/// The headers of mails of one kind.
#[derive(Clone)]
pub struct SenderAndSubject {
    /// The sender, with or without a display name, the address in ASCII: "noreply@example.com".
    pub from: String,
    /// One line.
    pub subject: String,
}

/// A mail server.
#[derive(Clone)]
pub struct Smtp {
    /// `mail.host`.
    pub host: String,
    /// `mail.port`: 25. Usual with STARTTLS: 587, with TLS from the first byte: 465.
    pub port: u16,
    /// `mail.smtp.auth`: false. Whether to log in, which needs `username` and `password`.
    pub auth: bool,
    /// `mail.username`: empty.
    pub username: String,
    /// `mail.password`: empty. Never logged.
    pub password: String,
    /// `mail.smtp.starttls.enable`, `mail.protocol`: none.
    pub security: Security,
    /// A PEM file of certificates that are trusted besides the machine's. None: only the machine's.
    pub certificates: Option<PathBuf>,
    /// Longest wait for a connection, and again for the server to take one mail: 30 s, at most
    /// [`TIMEOUT_MAX`].
    pub timeout: Duration,
}

impl Smtp {
    /// A server with the defaults.
    pub fn new(host: &str) -> Smtp {
        Smtp {
            host: host.to_owned(),
            port: 25,
            auth: false,
            username: String::new(),
            password: String::new(),
            security: Security::None,
            certificates: None,
            timeout: Duration::from_secs(30),
        }
    }
}

/// How the connection to the mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all (`mail.protocol` smtp).
    None,
    /// By STARTTLS; nothing is sent to a server without it (`mail.smtp.starttls.enable`).
    StartTls,
    /// By TLS from the first byte (`mail.protocol` smtps): the best, if the server supports it.
    Tls,
}

/// Why these settings are invalid.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("the template {}: {reason}", file.display())]
    Template { file: PathBuf, reason: String },
    #[error("the sender of mails of kind {0} is not an e-mail address in ASCII")]
    Sender(&'static str),
    #[error(
        "the subject of mails of kind {0} is not one line of 1 to {SUBJECT_CHARACTERS_MAX} \
         characters"
    )]
    Subject(&'static str),
    #[error("logging in to the mail server takes a user name and a password")]
    Credentials,
    #[error("the mail server's time limit is not between 1 and {} seconds", TIMEOUT_MAX.as_secs())]
    Timeout,
    #[error("the certificates for the mail server in {}", file.display())]
    Certificates { file: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the certificates of this machine, for the mail server")]
    Trust(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("making the folder for mails {}", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
}
