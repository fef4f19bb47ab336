//! What the Crafter Profile face needs in a test's directory, and its calls.

use std::path::Path;

use dossier::api::crafter::services::{Parts, Services, Settings};
use dossier::attachments::{Settings as AttachmentSettings, Store};
use dossier::engine::Engine;
use dossier::engine::outbox::Outbox;
use dossier::mail::{Mailer, Settings as MailSettings};
use dossier::passwords::{Passwords, Settings as PasswordSettings};
use dossier::sealing::SealingKeys;

/// As by default, but that nobody waits long for an answer held back.
pub fn settings() -> Settings {
    Settings { delay_milliseconds: 1, ..Settings::default() }
}

/// Cheap services: mails and attachments land in the folder.
pub async fn services(engine: &Engine, folder: &Path, settings: Settings) -> Services {
    let cheap = PasswordSettings { memory_kib: 64, iterations: 1, at_once: 2, waiting_max: 64 };
    let attachments = AttachmentSettings::new(folder, None).unwrap();
    Services::new(Parts {
        settings,
        passwords: Passwords::new(cheap).unwrap(),
        sealing: SealingKeys::from_setting(&"5ea1".repeat(16)).unwrap(),
        outbox: Outbox::new(engine.pool.clone(), Mailer::open(MailSettings::new(folder)).unwrap()),
        attachments: Store::open(attachments).await.unwrap(),
    })
}
