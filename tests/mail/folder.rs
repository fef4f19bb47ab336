//! Mails as files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use dossier::mail::{Failure, Mailer, Settings, SettingsError};
use tempfile::TempDir;

use super::mail_to;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn without_a_server_each_mail_is_one_file_that_only_its_owner_reads() {
    let data = TempDir::new().unwrap();
    let mailer = Mailer::open(Settings::new(data.path())).unwrap();
    let mail = mail_to("Ada <ada@example.org>");
    mailer.deliver(&mail).await.unwrap();
    mailer.deliver(&mail).await.unwrap();
    let folder = data.path().join("mail");
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, [format!("verify_account-{}.eml", mail.id).as_str()]);
    let file = folder.join(&names[0]);
    assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("To: Ada <ada@example.org>\r\n"), "{text}");
    assert!(text.contains(&format!("href=\"{}\"", mail.link)), "{text}");
    assert_eq!(mailer.outcome(), "filed");
}

#[tokio::test]
async fn a_folder_that_went_away_is_a_passing_failure() {
    let data = TempDir::new().unwrap();
    let mailer = Mailer::open(Settings::new(data.path())).unwrap();
    fs::remove_dir(data.path().join("mail")).unwrap();
    let failed = mailer.deliver(&mail_to("ada@example.org")).await;
    assert!(matches!(failed, Err(Failure::Passing(_))));
}

#[test]
fn a_folder_that_cannot_be_made_is_refused() {
    let data = TempDir::new().unwrap();
    fs::write(data.path().join("mail"), "a file").unwrap();
    let refused = Mailer::open(Settings::new(data.path())).err().unwrap();
    assert!(matches!(refused, SettingsError::Folder { .. }));
}
