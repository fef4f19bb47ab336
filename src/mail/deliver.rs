//! Making a mail and handing it over, to a server or a folder: one attempt. Does not try again.

use tracing::{info, warn};

use super::folder::Folder;
use super::message::Form;
use super::smtp::Client;
use super::template::Template;
use super::{Kind, Mail, Security, Settings, SettingsError};

/// Why a mail was not handed over. The texts are ours alone: no address, no link, and nothing
/// that a server said but its code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// This mail will never be taken.
    #[error("{0}")]
    Final(String),
    /// Another attempt, later, may do.
    #[error("{0}")]
    Passing(String),
}

/// Sends mails.
pub struct Mailer {
    verify_account: Form,
    reset_password: Form,
    way: Way,
}

enum Way {
    Smtp(Box<Client>),
    Folder(Folder),
}

impl Mailer {
    /// Checks all settings and templates, and says in the log where mails will go. Connects to
    /// nothing yet: a mail server may be down while this one starts.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn open(settings: Settings) -> Result<Mailer, SettingsError> {
        let templates = settings.template_folder.as_deref();
        let form = |kind, wording| Form::new(kind, wording, Template::open(kind, templates)?);
        let verify_account = form(Kind::VerifyAccount, &settings.verify_account)?;
        let reset_password = form(Kind::ResetPassword, &settings.reset_password)?;
        let way = match settings.smtp {
            Some(smtp) => {
                let (host, port) = (&smtp.host, smtp.port);
                info!(mail.host = %host, mail.port = port, "mails go out through {host}:{port}");
                if smtp.auth && smtp.security == Security::None {
                    warn!("the mail server is sent its password over a connection without TLS");
                }
                Way::Smtp(Box::new(Client::new(smtp)?))
            }
            None => {
                let folder = settings.folder.display();
                let path = folder.to_string();
                info!(mail.folder = %path, "no mail server is set: mails land as files in {path}");
                Way::Folder(Folder::open(settings.folder)?)
            }
        };
        Ok(Mailer { verify_account, reset_password, way })
    }

    /// Hands a mail over: once this is `Ok`, the server, or the disk, has it.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn deliver(&self, mail: &Mail) -> Result<(), Failure> {
        let form = match mail.kind {
            Kind::VerifyAccount => &self.verify_account,
            Kind::ResetPassword => &self.reset_password,
        };
        let built = form.build(mail)?;
        match &self.way {
            Way::Smtp(client) => client.send(&built).await,
            Way::Folder(folder) => folder.write(mail, built.bytes).await,
        }
    }

    /// What became of a mail that was handed over, as metrics name it: `sent` to a server, or
    /// `filed` in a folder, where nobody receives it.
    pub fn outcome(&self) -> &'static str {
        match self.way {
            Way::Smtp(_) => "sent",
            Way::Folder(_) => "filed",
        }
    }

    /// Lets go of connections that were kept for the next mail, there being none for now.
    pub async fn rest(&self) {
        match &self.way {
            Way::Smtp(client) => client.rest().await,
            Way::Folder(_) => {}
        }
    }
}
