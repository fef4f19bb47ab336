//! Templates of the operator's own.

use std::error::Error;
use std::fs;
use std::path::Path;

use dossier::mail::{Kind, Mail, Mailer, SettingsError};
use tempfile::TempDir;

use super::{mail_to, reaching, settings};
use crate::support::smtp::SmtpServer;

/// A folder with this template for new profiles.
fn folder(template: impl AsRef<[u8]>) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("verify_account.html"), template).unwrap();
    folder
}

fn opened(folder: &Path, port: u16) -> Result<Mailer, SettingsError> {
    let mut settings = settings(reaching(port));
    settings.template_folder = Some(folder.to_owned());
    Mailer::open(settings)
}

/// Why a template is refused.
fn refusal(template: impl AsRef<[u8]>) -> String {
    let folder = folder(template);
    let error = opened(folder.path(), 25).err().expect("the template was taken");
    assert!(error.source().is_none());
    let text = error.to_string();
    let start = format!("the template {}: ", folder.path().join("verify_account.html").display());
    text.strip_prefix(&start).expect("names its file").to_owned()
}

#[tokio::test]
async fn a_file_in_the_folder_replaces_a_template_and_the_others_stay() {
    let mut server = SmtpServer::start();
    let folder = folder("<a href='{{ link }}'\n  id='verificationLink'>Los</a> {{address}}\n.\n");
    let mailer = opened(folder.path(), server.port).unwrap();
    mailer.deliver(&mail_to("Ada <ada@example.org>")).await.unwrap();
    let body = server.next().await.text().split_once("\r\n\r\n").unwrap().1.to_owned();
    let link = mail_to("").link;
    assert_eq!(
        body.trim_end(),
        format!("<a href='{link}'\r\n  id='verificationLink'>Los</a> ada@example.org\r\n.")
    );
    let reset = Mail { kind: Kind::ResetPassword, ..mail_to("ada@example.org") };
    mailer.deliver(&reset).await.unwrap();
    assert!(server.next().await.text().contains("Choose a new password"));
}

#[tokio::test]
async fn a_template_beyond_ascii_is_encoded() {
    let mut server = SmtpServer::start();
    let folder = folder("Grüße: <a id=\"verificationLink\" href=\"{{link}}\">hier</a>");
    opened(folder.path(), server.port).unwrap().deliver(&mail_to("a@b.org")).await.unwrap();
    let received = server.next().await;
    assert_eq!(received.header("Content-Transfer-Encoding").unwrap(), "quoted-printable");
    assert!(received.text().contains("Gr=C3=BC=C3=9Fe"));
}

#[test]
fn a_template_without_the_anchor_is_refused() {
    let reason = r#"it has no <a id="verificationLink" href="{{link}}">"#;
    let without = [
        "",
        "{{link}}",
        r#"<a href="{{link}}">here</a>"#,
        r#"<a id="verificationLink" href="https://example.org">{{link}}</a>"#,
        r#"<area id="verificationLink" href="{{link}}">"#,
        r#"<a id="verificationLink"></a><a href="{{link}}"></a>"#,
    ];
    for template in without {
        assert_eq!(refusal(template), reason, "{template}");
    }
}

#[test]
fn a_template_that_cannot_be_read_as_one_is_refused() {
    let anchor = r#"<a id="verificationLink" href="{{link}}">"#;
    let there_are = "there are link, address and subject";
    assert_eq!(
        refusal(format!("{anchor}{{{{ name }}}}")),
        format!("there is no value {{{{name}}}}: {there_are}")
    );
    assert_eq!(refusal(format!("{anchor}{{{{link")), "a {{ has no }}");
    assert_eq!(refusal(format!("{anchor}\0")), "it has control characters");
    assert_eq!(refusal([0xff]), "it is not UTF-8");
    assert_eq!(refusal(anchor.repeat(10_000)), "it is too long");
}

#[test]
fn a_folder_that_is_not_there_is_refused() {
    let folder = TempDir::new().unwrap();
    let error = opened(&folder.path().join("none"), 25).err().unwrap();
    assert!(error.to_string().ends_with("verify_account.html: its folder is none"));
    assert!(opened(folder.path(), 25).is_ok());
}

#[test]
fn a_sender_that_is_no_address_and_a_subject_of_two_lines_are_refused() {
    let mut bad_sender = settings(reaching(25));
    for from in ["nobody", "", "a@b.org\r\nBcc: eve@example.org", "jürgen@example.org"] {
        bad_sender.verify_account.from = from.to_owned();
        let refused = Mailer::open(bad_sender.clone()).err().unwrap();
        assert!(matches!(refused, SettingsError::Sender("verify_account")), "{from:?}");
    }
    for subject in ["", "a\r\nBcc: eve@example.org", &"a".repeat(201)] {
        let mut bad_subject = settings(reaching(25));
        bad_subject.reset_password.subject = subject.to_owned();
        let refused = Mailer::open(bad_subject).err().unwrap();
        assert!(matches!(refused, SettingsError::Subject("reset_password")), "{subject:?}");
    }
}
