//! One attempt with a server: what is final, what passes, and how the way is secured.

use std::time::Duration;

use dossier::mail::{Failure, Mailer, Security, SettingsError, Smtp};
use tempfile::NamedTempFile;

use super::{mail_to, mailer, reaching, settings};
use crate::support::smtp::{CONTENT, Fault, Manners, Port, SmtpServer, certificate_file};

const STARTTLS: Manners =
    Manners { tls: false, starttls: true, sign_in: None, international: false };

fn passing(reason: &str) -> Result<(), Failure> {
    Err(Failure::Passing(reason.to_owned()))
}

fn lasting(reason: &str) -> Result<(), Failure> {
    Err(Failure::Final(reason.to_owned()))
}

/// A mailer that trusts the certificate of the tests' server.
fn secured(port: u16, security: Security) -> Mailer {
    let certificates = Some(certificate_file());
    Mailer::open(settings(Smtp { security, certificates, ..reaching(port) })).unwrap()
}

#[tokio::test]
async fn only_a_lasting_refusal_of_recipient_or_content_is_final() {
    let mut server = SmtpServer::start();
    let mailer = mailer(server.port);
    let refused = |what: &str| format!("the mail server refused the {what}");
    let hung_up = "the mail server hung up, or speaks no SMTP";
    let cases = [
        (Fault::Reply("greeting", "554 closed"), passing(&refused("connection with 554"))),
        (Fault::Reply("EHLO", "550 no"), passing(&refused("connection with 550"))),
        (Fault::Reply("MAIL", "550 who?"), passing(&refused("sender with 550"))),
        (Fault::Reply("RCPT", "450 later"), passing(&refused("recipient with 450"))),
        (Fault::Reply("RCPT", "530 sign in"), passing(&refused("recipient with 530"))),
        (Fault::Reply("RCPT", "550 no ada"), lasting(&refused("recipient with 550"))),
        (Fault::Reply("DATA", "451 later"), passing(&refused("content with 451"))),
        (Fault::Reply(CONTENT, "452 full"), passing(&refused("content with 452"))),
        (Fault::Reply(CONTENT, "554 spam"), lasting(&refused("content with 554"))),
        (Fault::HangUp("RCPT"), passing(hung_up)),
        (Fault::HangUp(CONTENT), passing(hung_up)),
        (Fault::Reply("EHLO", "what, ada?"), passing(hung_up)),
    ];
    for (fault, expected) in cases {
        server.fails([fault]);
        assert_eq!(mailer.deliver(&mail_to("ada@example.org")).await, expected, "{fault:?}");
        assert_eq!(server.all(), [], "{fault:?}");
    }
    mailer.deliver(&mail_to("ada@example.org")).await.unwrap();
    assert_eq!(server.all().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_or_never_answers_is_a_passing_failure() {
    let port = Port::reserve();
    let failed = mailer(port.number).deliver(&mail_to("ada@example.org")).await;
    assert!(matches!(failed, Err(Failure::Passing(_))), "{failed:?}");

    let silent = SmtpServer::start();
    let smtp = Smtp { timeout: Duration::from_secs(1), ..reaching(silent.port) };
    let mailer = Mailer::open(settings(smtp)).unwrap();
    for (at, doing) in [("greeting", "connecting to"), (CONTENT, "sending to")] {
        silent.fails([Fault::Silence(at)]);
        let reason = format!("{doing} the mail server took too long");
        assert_eq!(mailer.deliver(&mail_to("ada@example.org")).await, passing(&reason));
    }
}

#[tokio::test]
async fn a_connection_serves_many_mails_until_there_are_no_more() {
    let mut server = SmtpServer::start();
    let mailer = mailer(server.port);
    for _ in 0..3 {
        mailer.deliver(&mail_to("ada@example.org")).await.unwrap();
    }
    mailer.rest().await;
    mailer.deliver(&mail_to("ada@example.org")).await.unwrap();
    let connections: Vec<_> = server.all().iter().map(|mail| mail.connection).collect();
    assert_eq!(connections, [1, 1, 1, 2]);
}

#[tokio::test]
async fn a_kept_connection_that_broke_is_replaced() {
    let mut server = SmtpServer::start();
    let mailer = mailer(server.port);
    mailer.deliver(&mail_to("ada@example.org")).await.unwrap();
    server.fails([Fault::HangUp("NOOP")]);
    mailer.deliver(&mail_to("ada@example.org")).await.unwrap();
    let connections: Vec<_> = server.all().iter().map(|mail| mail.connection).collect();
    assert_eq!(connections, [1, 2]);
}

#[tokio::test]
async fn starttls_secures_what_follows() {
    let mut server = SmtpServer::with(STARTTLS);
    let mailer = secured(server.port, Security::StartTls);
    mailer.deliver(&mail_to("ada@example.org")).await.unwrap();
    assert!(server.next().await.encrypted);
}

#[tokio::test]
async fn where_starttls_is_required_a_server_without_it_is_sent_nothing() {
    let mut server = SmtpServer::start();
    let mailer = secured(server.port, Security::StartTls);
    let failed = mailer.deliver(&mail_to("ada@example.org")).await;
    assert!(matches!(failed, Err(Failure::Passing(_))), "{failed:?}");
    assert_eq!(server.all(), []);
}

#[tokio::test]
async fn tls_from_the_first_byte_works_and_takes_no_stranger() {
    let mut server = SmtpServer::with(Manners { tls: true, ..Manners::default() });
    let mailer = secured(server.port, Security::Tls);
    mailer.deliver(&mail_to("ada@example.org")).await.unwrap();
    assert!(server.next().await.encrypted);

    let smtp = Smtp { security: Security::Tls, ..reaching(server.port) };
    let trusting_the_machine_only = Mailer::open(settings(smtp)).unwrap();
    let failed = trusting_the_machine_only.deliver(&mail_to("ada@example.org")).await;
    let Err(Failure::Passing(reason)) = failed else { panic!("{failed:?}") };
    assert!(reason.contains("certificate"), "{reason}");
    assert_eq!(server.all(), []);
}

#[tokio::test]
async fn signing_in_is_needed_where_the_server_says_so_and_a_wrong_password_is_passing() {
    let manners = Manners { sign_in: Some(("dossier", "s3cret")), ..STARTTLS };
    let mut server = SmtpServer::with(manners);
    let smtp = |password: &str, auth| Smtp {
        auth,
        username: "dossier".to_owned(),
        password: password.to_owned(),
        security: Security::StartTls,
        certificates: Some(certificate_file()),
        ..reaching(server.port)
    };
    let cases = [
        (smtp("s3cret", false), passing("the mail server refused the sender with 530")),
        (smtp("wrong", true), passing("the mail server refused the sign-in with 535")),
        (smtp("s3cret", true), Ok(())),
    ];
    for (smtp, expected) in cases {
        let mailer = Mailer::open(settings(smtp)).unwrap();
        assert_eq!(mailer.deliver(&mail_to("ada@example.org")).await, expected);
    }
    assert_eq!(server.all().len(), 1);
}

#[test]
fn settings_that_cannot_work_are_refused_at_the_start() {
    let refused = |smtp| Mailer::open(settings(smtp)).err().unwrap();
    let no_password = Smtp { auth: true, username: "dossier".to_owned(), ..reaching(25) };
    assert!(matches!(refused(no_password), SettingsError::Credentials));
    for milliseconds in [999, 120_001] {
        let timeout = Duration::from_millis(milliseconds);
        assert!(matches!(refused(Smtp { timeout, ..reaching(25) }), SettingsError::Timeout));
    }
    let empty = NamedTempFile::new().unwrap();
    let missing = empty.path().with_extension("none");
    let certificates = Some(missing);
    let no_file = Smtp { security: Security::Tls, certificates, ..reaching(25) };
    assert!(matches!(refused(no_file), SettingsError::Certificates { .. }));
}
