//! E-mails: what they say, how they reach a real SMTP server or a folder, and that none is lost.

mod folder;
mod message;
mod outbox;
mod outbox_failures;
mod secrecy;
mod smtp;
mod templates;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use dossier::mail::{Kind, Mail, Mailer, Settings, Smtp, link};
use dossier::sealing::SealingKeys;
use uuid::Uuid;

const TOKEN: Uuid = Uuid::from_u128(0x5ec2e7);
/// How long a link works.
const LINK_LIFE: TimeDelta = TimeDelta::days(1);

/// When the tests take place.
fn noon() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// A mail to this address, made at noon.
fn mail_to(recipient: &str) -> Mail {
    Mail {
        id: Uuid::now_v7(),
        kind: Kind::VerifyAccount,
        recipient: recipient.to_owned(),
        link: link("https://example.org/verify", TOKEN),
        created_at: noon(),
        expires_at: noon() + LINK_LIFE,
    }
}

/// The keys that links are sealed with.
fn sealing() -> Arc<SealingKeys> {
    Arc::new(SealingKeys::from_setting(&"5ea1".repeat(16)).unwrap())
}

/// A server on this machine, given little time.
fn reaching(port: u16) -> Smtp {
    Smtp { port, timeout: Duration::from_secs(5), ..Smtp::new("localhost") }
}

/// Settings of a process whose mails go to a server.
fn settings(smtp: Smtp) -> Settings {
    Settings { smtp: Some(smtp), ..Settings::new(Path::new("/nonexistent")) }
}

fn mailer(port: u16) -> Mailer {
    Mailer::open(settings(reaching(port))).unwrap()
}
