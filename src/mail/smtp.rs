//! Handing mails to a server over SMTP. The library speaks the protocol; the steps are taken one by
//! one here, since only a refusal of the recipient or the content is final, and a wrong password or
//! a refused sender is the operator's to mend. Keeps connections while there is more to send.

use std::fs;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::message::Built;
use super::{Failure, Security, SettingsError, Smtp, TIMEOUT_MAX};

/// Longest wait for a server to answer a farewell.
const FAREWELL_TIME_MAX: Duration = Duration::from_secs(2);
/// Codes by which a server asks for another sign-in, at whatever step: not a word on the mail.
const SIGN_IN_CODES: [&str; 4] = ["530", "534", "535", "538"];

/// The way to one server.
pub struct Client {
    settings: Smtp,
    tls: Option<TlsParameters>,
    hello: ClientId,
    idle: Mutex<Vec<AsyncSmtpConnection>>,
}

/// What the server was asked when it refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Connecting,
    SigningIn,
    Sender,
    Recipient,
    Content,
}

impl Client {
    /// A client of the server. Connects when there is something to send.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(settings: Smtp) -> Result<Client, SettingsError> {
        if settings.auth && (settings.username.is_empty() || settings.password.is_empty()) {
            return Err(SettingsError::Credentials);
        }
        if settings.timeout < Duration::from_secs(1) || settings.timeout > TIMEOUT_MAX {
            return Err(SettingsError::Timeout);
        }
        let tls = match settings.security {
            Security::None => None,
            Security::StartTls | Security::Tls => Some(tls_parameters(&settings)?),
        };
        Ok(Client { settings, tls, hello: ClientId::default(), idle: Mutex::default() })
    }

    /// Hands one mail over.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn send(&self, mail: &Built) -> Result<(), Failure> {
        let limit = self.settings.timeout;
        let connected = timeout(limit, self.connection()).await;
        let mut connection = connected.map_err(|_| late("connecting to"))??;
        // Dropped when it takes too long: what it would say next belongs to no command.
        let taken = timeout(limit, hand_over(&mut connection, mail)).await;
        match taken.map_err(|_| late("sending to"))? {
            Ok(()) => {
                self.idle.lock().await.push(connection);
                Ok(())
            }
            Err(failure) => {
                let _ = timeout(FAREWELL_TIME_MAX, connection.abort()).await;
                Err(failure)
            }
        }
    }

    /// Takes leave on all connections that were kept.
    pub async fn rest(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().await);
        let farewells = idle.into_iter().map(|mut connection| async move {
            let _ = timeout(FAREWELL_TIME_MAX, connection.abort()).await;
        });
        futures_util::future::join_all(farewells).await;
    }

    async fn connection(&self) -> Result<AsyncSmtpConnection, Failure> {
        loop {
            let kept = self.idle.lock().await.pop();
            match kept {
                Some(mut connection) => {
                    if connection.test_connected().await {
                        return Ok(connection);
                    }
                }
                None => return self.connect().await,
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let settings = &self.settings;
        let at_once = self.tls.clone().filter(|_| settings.security == Security::Tls);
        let server = (settings.host.as_str(), settings.port);
        let limit = Some(settings.timeout);
        let connected =
            AsyncSmtpConnection::connect_tokio1(server, limit, &self.hello, at_once, None).await;
        let mut connection = connected.map_err(|error| failure(Step::Connecting, &error))?;
        if let (Security::StartTls, Some(tls)) = (settings.security, &self.tls) {
            let secured = connection.starttls(tls.clone(), &self.hello).await;
            secured.map_err(|error| failure(Step::Connecting, &error))?;
        }
        if settings.auth {
            let credentials =
                Credentials::new(settings.username.clone(), settings.password.clone());
            let signed_in = connection.auth(DEFAULT_MECHANISMS, &credentials).await;
            signed_in.map_err(|error| failure(Step::SigningIn, &error))?;
        }
        Ok(connection)
    }
}

fn tls_parameters(settings: &Smtp) -> Result<TlsParameters, SettingsError> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(file) = &settings.certificates {
        let unusable = |source| SettingsError::Certificates { file: file.clone(), source };
        let pem = fs::read(file).map_err(|error| unusable(error.into()))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| unusable(error.into()))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| SettingsError::Trust(error.into()))
}

async fn hand_over(connection: &mut AsyncSmtpConnection, mail: &Built) -> Result<(), Failure> {
    let mut parameters = vec![];
    // Headers and body are encoded, but for an address that has no ASCII form.
    if !mail.bytes.is_ascii() {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            let reason = "the mail server takes no address beyond ASCII";
            return Err(Failure::Final(reason.to_owned()));
        }
        parameters.push(MailParameter::SmtpUtfEight);
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let sender = Mail::new(mail.envelope.from().cloned(), parameters);
    let answer = connection.command(sender).await;
    answer.map_err(|error| failure(Step::Sender, &error))?;
    for recipient in mail.envelope.to() {
        let answer = connection.command(Rcpt::new(recipient.clone(), vec![])).await;
        answer.map_err(|error| failure(Step::Recipient, &error))?;
    }
    let answer = connection.command(Data).await;
    answer.map_err(|error| failure(Step::Content, &error))?;
    let answer = connection.message(&mail.bytes).await;
    answer.map_err(|error| failure(Step::Content, &error))?;
    Ok(())
}

fn late(doing: &str) -> Failure {
    Failure::Passing(format!("{doing} the mail server took too long"))
}

/// What a failure means, in our words: a server's may repeat the address.
fn failure(step: Step, error: &Error) -> Failure {
    let doing = match step {
        Step::Connecting => "the mail server refused the connection",
        Step::SigningIn => "the mail server refused the sign-in",
        Step::Sender => "the mail server refused the sender",
        Step::Recipient => "the mail server refused the recipient",
        Step::Content => "the mail server refused the content",
    };
    match error.status() {
        Some(code) => {
            let code = code.to_string();
            let of_the_mail = matches!(step, Step::Recipient | Step::Content);
            let text = format!("{doing} with {code}");
            if error.is_permanent() && of_the_mail && !SIGN_IN_CODES.contains(&code.as_str()) {
                Failure::Final(text)
            } else {
                Failure::Passing(text)
            }
        }
        None if error.is_response() => {
            Failure::Passing("the mail server hung up, or speaks no SMTP".to_owned())
        }
        // Of the network, of TLS, of the library: none of these knows the mail.
        None => Failure::Passing(format!("speaking with the mail server: {error}")),
    }
}
