//! Sends mails over SMTP. The library speaks the protocol; the steps are called one by one here,
//! since only a refusal of the recipient or the content is final: a wrong password or a refused
//! sender is for the operator to correct. Connections are kept while there is more to send.

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

/// Longest wait for the answer to QUIT.
const FAREWELL_TIME_MAX: Duration = Duration::from_secs(2);
/// Codes by which a server demands a log-in, at any step: they say nothing about the mail.
const SIGN_IN_CODES: [&str; 4] = ["530", "534", "535", "538"];

/// The connections to one server.
pub struct Client {
    settings: Smtp,
    tls: Option<TlsParameters>,
    hello: ClientId,
    idle: Mutex<Vec<AsyncSmtpConnection>>,
}

/// The step at which the server refused.
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
        let mut connection = connected.map_err(|_| timed_out("connecting to"))??;
        // Dropped when it takes too long: a late answer would be taken for that of another command.
        let taken = timeout(limit, hand_over(&mut connection, mail)).await;
        match taken.map_err(|_| timed_out("sending to"))? {
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

    /// Sends QUIT on all connections that were kept.
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
    // Headers and body are encoded; only an address may have no ASCII form.
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

fn timed_out(doing: &str) -> Failure {
    Failure::Passing(format!("{doing} the mail server took too long"))
}

/// A failure in this program's own words: the server's may repeat the address.
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
        // A failure of the network, of TLS or of the library is not about the mail.
        None => Failure::Passing(format!("speaking with the mail server: {error}")),
    }
}
