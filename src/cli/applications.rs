//! The services of the Crafter Profile API, from the command line and the environment.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;

use crate::api::crafter::services::{Parts, Services, Settings};
use crate::attachments::{Settings as AttachmentSettings, Store};
use crate::domain::attachment::parse_allowed;
use crate::engine::Engine;

use crate::mail::{Mailer, Security, Settings as MailSettings, Smtp};
use crate::passwords::{Passwords, Settings as PasswordSettings};
use crate::sealing::{KEY_VARIABLE, SealingKeys};

/// The sealing keys' file in the data directory.
const KEY_FILE: &str = "sealing.key";
const YEAR_SECONDS: i64 = 366 * 86_400;

/// Settings that clients of the Crafter Profile API can notice; names in brackets are Crafter's
/// own.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Crafter Profile API")]
#[group(skip)]
pub struct Arguments {
    /// The path under which it is served besides /
    #[arg(
        long,
        value_name = "PATH",
        default_value = "/crafter-profile",
        env = "DOSSIER_CRAFTER_PREFIX"
    )]
    crafter_prefix: String,
    /// The token for the monitoring endpoints [management.authorizationToken]; random if not given,
    /// except with --demo
    #[arg(long, value_name = "TOKEN", env = "DOSSIER_MANAGEMENT_TOKEN", hide_env_values = true)]
    management_token: Option<String>,
    /// How long a ticket may be unused, up to a year [auth.ticket.maxAge]
    #[arg(long, value_name = "SECONDS", default_value_t = 900, env = "DOSSIER_TICKET_SECONDS",
        value_parser = clap::value_parser!(i64).range(1..=YEAR_SECONDS))]
    ticket_seconds: i64,
    /// How long a persistent login is valid, up to ten years [persistentLogin.maxAge]
    #[arg(long, value_name = "SECONDS", default_value_t = 1_296_000,
        env = "DOSSIER_PERSISTENT_LOGIN_SECONDS", value_parser = clap::value_parser!(i64).range(1..=10 * YEAR_SECONDS))]
    persistent_login_seconds: i64,
    /// How long a link in an e-mail is valid, up to a year [verification.token.maxAge]
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400,
        env = "DOSSIER_VERIFICATION_SECONDS", value_parser = clap::value_parser!(i64).range(1..=YEAR_SECONDS))]
    verification_seconds: i64,
    /// How long log-ins are locked after too many failures, up to a year [auth.lockTime]
    #[arg(long, value_name = "MINUTES", default_value_t = 10, env = "DOSSIER_LOCK_MINUTES",
        value_parser = clap::value_parser!(i64).range(1..=YEAR_SECONDS / 60))]
    lock_minutes: i64,
    /// Failures after which answers are delayed, up to 1000 [auth.failedLoginAttemptsBeforeDelay]
    #[arg(long, value_name = "NUMBER", default_value_t = 2, env = "DOSSIER_FAILURES_BEFORE_DELAY",
        value_parser = clap::value_parser!(u32).range(..=1_000))]
    failures_before_delay: u32,
    /// Further failures after which log-ins are locked, up to 1000
    /// [auth.failedLoginAttemptsBeforeLock]
    #[arg(long, value_name = "NUMBER", default_value_t = 8, env = "DOSSIER_FAILURES_BEFORE_LOCK",
        value_parser = clap::value_parser!(u32).range(..=1_000))]
    failures_before_lock: u32,
    /// Where attachments are stored: a folder, or s3://bucket/prefix with AWS_* in the environment;
    /// by default a folder in the data directory
    #[arg(long, value_name = "PLACE", env = "DOSSIER_ATTACHMENTS")]
    attachments: Option<String>,
    /// The allowed types of attachments [attachments.validMimeTypes]
    #[arg(
        long,
        value_name = "TYPES",
        default_value = "image/bmp,image/gif,image/jpeg,image/png,image/tiff,image/svg+xml",
        env = "DOSSIER_ATTACHMENT_TYPES"
    )]
    attachment_types: String,
    /// The largest upload, in bytes, up to 1 GiB [attachments.maxSizeUpload]
    #[arg(long, value_name = "BYTES", default_value_t = 5_242_880, env = "DOSSIER_UPLOAD_BYTES",
        value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    upload_bytes: u64,
    /// Continue without this lost sealing key and without what it sealed; repeatable
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    without_sealing_key: Vec<String>,
    /// The server that sends e-mails [mail.host]; without one, e-mails are written to the data
    /// directory
    #[arg(long, value_name = "HOST", env = "DOSSIER_SMTP_HOST")]
    smtp_host: Option<String>,
    /// Its port [mail.port]
    #[arg(long, value_name = "PORT", default_value_t = 25, env = "DOSSIER_SMTP_PORT",
        value_parser = clap::value_parser!(u16).range(1..))]
    smtp_port: u16,
    /// How the connection to it is secured [mail.smtp.starttls.enable]
    #[arg(long, value_name = "HOW", default_value = "none", env = "DOSSIER_SMTP_SECURITY",
        value_parser = ["none", "starttls", "tls"])]
    smtp_security: String,
    /// The user name for it [mail.username]
    #[arg(long, value_name = "NAME", env = "DOSSIER_SMTP_USERNAME")]
    smtp_username: Option<String>,
    /// The password for it [mail.password]
    #[arg(long, value_name = "PASSWORD", env = "DOSSIER_SMTP_PASSWORD", hide_env_values = true)]
    smtp_password: Option<String>,
    /// The sender of e-mails [verification.newProfile.mail.from, resetPassword.mail.from]
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "noreply@example.com",
        env = "DOSSIER_MAIL_FROM"
    )]
    mail_from: String,
    /// Folder with verify_account.html or reset_password.html to use instead of the built-in ones
    #[arg(long, value_name = "DIR", env = "DOSSIER_MAIL_TEMPLATES")]
    mail_templates: Option<PathBuf>,
}

impl Arguments {
    /// Opens the services.
    ///
    /// # Errors
    /// What failed, and what to do.
    pub async fn open(
        &self,
        engine: &Arc<Engine>,
        data_dir: &Path,
        demo: bool,
    ) -> anyhow::Result<Services> {
        std::fs::create_dir_all(data_dir).context("making the data directory")?;
        let passwords = Passwords::new(PasswordSettings::default())?;
        let given_up = &self.without_sealing_key;
        let sealing = Arc::new(sealing_keys(engine, data_dir, given_up).await?);
        let mailer = Mailer::open(self.mail(data_dir))?;
        let outbox = engine.outbox(mailer, sealing.clone());
        let mut attachments = AttachmentSettings::new(data_dir, self.attachments.as_deref())?;
        attachments.environment =
            std::env::vars().filter(|(name, _)| name.starts_with("AWS_")).collect();
        let attachments = Store::open(attachments).await?;
        let settings = self.settings(demo)?;
        Ok(Services::new(Parts { settings, passwords, sealing, outbox, attachments }))
    }

    fn settings(&self, demo: bool) -> anyhow::Result<Settings> {
        let prefix = self.crafter_prefix.trim_end_matches('/');
        if !prefix.is_empty() && !prefix.starts_with('/') {
            anyhow::bail!("--crafter-prefix begins with /");
        }
        let demos = || demo.then(|| Settings::default().management_token);
        let random = || uuid::Uuid::new_v4().to_string();
        Ok(Settings {
            ticket_seconds_max: self.ticket_seconds,
            persistent_login_seconds_max: self.persistent_login_seconds,
            verification_seconds_max: self.verification_seconds,
            lock_minutes: self.lock_minutes,
            failures_before_delay: self.failures_before_delay,
            failures_before_lock: self.failures_before_lock,
            management_token: self.management_token.clone().or_else(demos).unwrap_or_else(random),
            upload_bytes_max: self.upload_bytes,
            attachment_kinds: parse_allowed(&self.attachment_types)
                .context("reading --attachment-types")?,
            path_prefix: prefix.to_owned(),
            ..Settings::default()
        })
    }

    fn mail(&self, data_dir: &Path) -> MailSettings {
        let mut settings = MailSettings::new(data_dir);
        settings.verify_account.from.clone_from(&self.mail_from);
        settings.reset_password.from.clone_from(&self.mail_from);
        settings.template_folder.clone_from(&self.mail_templates);
        settings.smtp = self.smtp_host.as_deref().map(|host| {
            let mut smtp = Smtp::new(host);
            smtp.port = self.smtp_port;
            smtp.auth = self.smtp_username.is_some();
            smtp.username = self.smtp_username.clone().unwrap_or_default();
            smtp.password = self.smtp_password.clone().unwrap_or_default();
            smtp.security = match self.smtp_security.as_str() {
                "starttls" => Security::StartTls,
                "tls" => Security::Tls,
                _ => Security::None,
            };
            smtp
        });
        settings
    }
}

/// The keys that seal secrets which must be shown again: from the environment, else from a file
/// beside the database, never in it. The file is made with the database. A missing key that sealed
/// something must be given up by its id.
///
/// # Errors
/// They cannot be read or made, or one is missing.
pub async fn sealing_keys(
    engine: &Engine,
    data_dir: &Path,
    given_up: &[String],
) -> anyhow::Result<SealingKeys> {
    let used = engine.secrets.sealing_keys().await?;
    let needed: Vec<String> = used.into_iter().filter(|id| !given_up.contains(id)).collect();
    let path = data_dir.join(KEY_FILE);
    let keys = match std::env::var(KEY_VARIABLE) {
        Ok(keys) => SealingKeys::from_setting(&keys)?,
        Err(_) if !needed.is_empty() && !path.exists() => {
            return Err(lost_keys(&needed, &format!("{} is not there", path.display())));
        }
        Err(_) => {
            std::fs::create_dir_all(data_dir).context("making the data directory")?;
            SealingKeys::open(&path)?
        }
    };
    let ids = keys.ids();
    let missing: Vec<String> = needed.into_iter().filter(|id| !ids.contains(id)).collect();
    if !missing.is_empty() {
        let why = format!("{} holds only {}", keys.place(), ids.join(", "));
        return Err(lost_keys(&missing, &why));
    }
    engine.secrets.use_sealing_key(&ids[0], given_up).await?;
    Ok(keys)
}

fn lost_keys(missing: &[String], why: &str) -> anyhow::Error {
    let ids = missing.join(",");
    anyhow::anyhow!(
        "secrets in this database were sealed by the key {ids}, and {why}: bring that key back, in \
         {KEY_FILE} in the data directory or in {KEY_VARIABLE}. To go on without it, start once \
         with `dossier serve --without-sealing-key {ids}`: remembered log-ins, the list of access \
         tokens and links in e-mails that wait are then lost; access tokens go on working"
    )
}
