//! The bytes that a server receives.

use dossier::mail::{Failure, Kind, Mail, Mailer, SenderAndSubject, link};
use uuid::Uuid;

use super::{TOKEN, mail_to, mailer, reaching, settings};
use crate::support::smtp::{Manners, Received, SmtpServer};

/// What a server receives of a mail.
async fn received(mail: &Mail) -> Received {
    let mut server = SmtpServer::start();
    mailer(server.port).deliver(mail).await.unwrap();
    server.next().await
}

#[tokio::test]
async fn a_mail_is_plain_7bit_html_with_the_link_in_its_anchor() {
    let long = format!("https://example.org/verify?back=/{}", "a".repeat(300));
    let mail = Mail { link: link(&long, TOKEN), ..mail_to("ada@example.org") };
    let received = received(&mail).await;
    let text = received.text();
    assert_eq!(received.header("Content-Transfer-Encoding").unwrap(), "7bit");
    assert_eq!(received.header("Content-Type").unwrap(), "text/html; charset=utf-8");
    assert_eq!(received.header("MIME-Version").unwrap(), "1.0");
    let anchor = format!(r#"<a id="verificationLink" href="{long}&amp;tokenId={TOKEN}">"#);
    assert!(text.contains(&anchor), "{text}");
    assert!(text.trim_end().ends_with("</html>"), "{text}");
}

#[tokio::test]
async fn a_link_that_is_longer_than_a_line_may_be_is_encoded() {
    let mail = Mail { link: "a".repeat(1_000), ..mail_to("ada@example.org") };
    let received = received(&mail).await;
    assert_eq!(received.header("Content-Transfer-Encoding").unwrap(), "quoted-printable");
    assert!(received.text().lines().all(|line| line.len() <= 76));
}

#[tokio::test]
async fn the_headers_name_sender_recipient_subject_date_and_a_lasting_id() {
    let mail = mail_to("Ada Lovelace <ada@example.org>");
    let received = received(&mail).await;
    assert_eq!(received.sender, "noreply@example.com");
    assert_eq!(received.recipient, "ada@example.org");
    assert_eq!(received.header("From").unwrap(), "noreply@example.com");
    assert_eq!(received.header("To").unwrap(), r#""Ada Lovelace" <ada@example.org>"#);
    assert_eq!(received.header("Subject").unwrap(), "Verify Account");
    assert_eq!(received.header("Date").unwrap(), "Sun, 01 Mar 2026 12:00:00 +0000");
    assert_eq!(received.header("Message-ID").unwrap(), format!("<{}@example.com>", mail.id));
    assert_eq!(received.header("Auto-Submitted").unwrap(), "auto-generated");
}

#[tokio::test]
async fn each_kind_has_its_own_sender_subject_and_text() {
    let mut server = SmtpServer::start();
    let mut settings = settings(reaching(server.port));
    settings.reset_password = SenderAndSubject {
        from: "Die Prüfer <help@example.net>".to_owned(),
        subject: "Kennwort zurücksetzen".to_owned(),
    };
    let mailer = Mailer::open(settings).unwrap();
    let mail = Mail { kind: Kind::ResetPassword, ..mail_to("ada@example.org") };
    mailer.deliver(&mail).await.unwrap();
    let received = server.next().await;
    assert_eq!(received.sender, "help@example.net");
    assert!(received.header("Subject").unwrap().contains("=?utf-8?"));
    assert!(received.text().contains("Choose a new password"));
    assert!(received.text().contains("<title>Kennwort zur&#252;cksetzen</title>"));
    assert_eq!(received.header("Content-Transfer-Encoding").unwrap(), "7bit");
}

#[tokio::test]
async fn the_same_mail_has_the_same_bytes_each_time() {
    let mail = mail_to("ada@example.org");
    assert_eq!(received(&mail).await.bytes, received(&mail).await.bytes);
}

#[tokio::test]
async fn a_display_name_cannot_leave_its_header() {
    let names = [
        (r#""Bcc: eve@example.org" <ada@example.org>"#, "QmNjOiBldmVAZXhhbXBsZS5vcmc="),
        (r#""a\" <eve@example.org>, \"b" <ada@example.org>"#, "YSIgPGV2ZUBleGFtcGxlLm9yZz4sICJi"),
        (r#""<eve@example.org>" <ada@example.org>"#, "PGV2ZUBleGFtcGxlLm9yZz4="),
    ];
    for (address, encoded) in names {
        let received = received(&mail_to(address)).await;
        assert_eq!(received.recipient, "ada@example.org", "{address}");
        assert_eq!(received.header("Bcc"), None, "{address}");
        let to = format!("=?utf-8?b?{encoded}?= <ada@example.org>");
        assert_eq!(received.header("To").unwrap(), to, "{address}");
    }
}

#[tokio::test]
async fn an_address_that_holds_a_line_end_or_is_none_is_refused_for_good() {
    let mut server = SmtpServer::start();
    let mailer = mailer(server.port);
    let addresses = [
        "ada@example.org\r\nBcc: eve@example.org",
        "\"Ada\r\nBcc: eve@example.org\" <ada@example.org>",
        "Ada\n <ada@example.org>",
        "ada@example.org, eve@example.org",
        "ada@example.org> RCPT TO:<eve@example.org",
        "ada",
        "",
    ];
    for address in addresses {
        let refused = mailer.deliver(&mail_to(address)).await;
        assert!(matches!(refused, Err(Failure::Final(_))), "{address:?}");
    }
    assert_eq!(server.connections(), 0);
    assert_eq!(server.all(), []);
}

#[tokio::test]
async fn addresses_without_a_dot_are_sent_to_as_they_are() {
    assert_eq!(received(&mail_to("ada@localhost")).await.recipient, "ada@localhost");
    assert_eq!(received(&mail_to("a@b")).await.recipient, "a@b");
}

#[tokio::test]
async fn an_address_beyond_ascii_is_sent_to_where_the_server_can_and_refused_where_not() {
    let mail = mail_to("jürgen@example.org");
    let plain = SmtpServer::start();
    let refused = mailer(plain.port).deliver(&mail).await;
    assert!(matches!(refused, Err(Failure::Final(_))));
    let manners = Manners { international: true, ..Manners::default() };
    let mut international = SmtpServer::with(manners);
    mailer(international.port).deliver(&mail).await.unwrap();
    assert_eq!(international.next().await.recipient, "jürgen@example.org");
}

#[tokio::test]
async fn values_are_text_in_the_html_whatever_they_hold() {
    let url = "https://example.org/\"><script>alert('é')</script>";
    let mail = Mail { link: link(url, TOKEN), ..mail_to("o'brien&co@example.org") };
    let received = received(&mail).await;
    let text = received.text();
    assert!(!text.contains("<script>"), "{text}");
    assert!(text.contains("made for o&#39;brien&amp;co@example.org."), "{text}");
    assert!(text.contains("&quot;&gt;&lt;script&gt;alert(&#39;&#233;&#39;)"), "{text}");
}

#[tokio::test]
async fn a_line_that_is_a_dot_arrives_as_one() {
    let mail = Mail { link: format!(".\n.\r\n{}", ".".repeat(9)), ..mail_to("ada@example.org") };
    // A link is escaped, so that it cannot end the mail, nor even a line.
    let received = received(&mail).await;
    assert!(received.text().contains(r#"href=".&#10;.&#13;&#10;.........""#));
}

#[test]
fn the_token_is_added_to_the_query_before_a_fragment() {
    let token = Uuid::from_u128(7);
    let ends = |url: &str| link(url, token).replace(&token.to_string(), "T");
    assert_eq!(ends("https://a.org/v"), "https://a.org/v?tokenId=T");
    assert_eq!(ends("https://a.org/v?x=1"), "https://a.org/v?x=1&tokenId=T");
    assert_eq!(ends("https://a.org/v?"), "https://a.org/v?&tokenId=T");
    assert_eq!(ends("https://a.org/v#top"), "https://a.org/v?tokenId=T#top");
    assert_eq!(ends("https://a.org/v?x=1#/a?b"), "https://a.org/v?x=1&tokenId=T#/a?b");
    assert_eq!(ends("https://a.org/#/a?b"), "https://a.org/?tokenId=T#/a?b");
    assert_eq!(ends("https://a.org/a b\r\n\0"), "https://a.org/a%20b%0D%0A%00?tokenId=T");
}
