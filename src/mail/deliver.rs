//! Makes a mail and hands it to a server or a folder, in one attempt.

use tracing::{info, warn};

use super::folder::Folder;
use super::message::Form;
use super::smtp::Client;
use super::template::Template;
use super::{Kind, Mail, Security, Settings, SettingsError};

/// Why a mail was not accepted. The texts are this program's own: they contain no address, no link,
/// and of the server's answer only its code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The mail will never be accepted.
    #[error("{0}")]
    Final(String),
    /// A later attempt may succeed.
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
    /// Checks all settings and templates, and logs where mails will go. Does not connect yet: a
    /// mail server may be down at the start.
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

    /// Hands a mail over. After `Ok` the server, or the disk, has it.
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

    /// The label of metrics for an accepted mail: `sent` to a server, or `filed` in a folder, where
    /// nobody receives it.
    pub fn outcome(&self) -> &'static str {
        match self.way {
            Way::Smtp(_) => "sent",
            Way::Folder(_) => "filed",
        }
    }

    /// Closes connections that were kept for further mails, when there are none.
    pub async fn rest(&self) {
        match &self.way {
            Way::Smtp(client) => client.rest().await,
            Way::Folder(_) => {}
        }
    }
}
