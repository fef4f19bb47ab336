//! What the log and the metrics say of mails, and what they never do.

use std::io;
use std::sync::{Arc, Mutex, Once};

use chrono::TimeDelta;
use dossier::engine::kept::outbox::{Outbox, Round};
use dossier::mail::{Mailer, Settings};
use dossier::sealing::SealingKeys;
use metrics_exporter_prometheus::PrometheusBuilder;
use tempfile::TempDir;
use tracing_subscriber::fmt::MakeWriter;

use super::outbox::Place;
use super::{LINK_LIFE, TOKEN, mail_to, mailer, noon};
use crate::support::smtp::{Fault, SmtpServer};

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

/// Keeps all that this thread logs, however fine, until the guard goes.
fn logged() -> (Log, tracing::subscriber::DefaultGuard) {
    // Without a subscriber of all threads, what another test logs first at the same place decides
    // for this thread too whether that place logs at all.
    static FOR_ALL: Once = Once::new();
    FOR_ALL.call_once(|| {
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
    });
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    (log, tracing::subscriber::set_default(subscriber))
}

#[tokio::test]
async fn neither_address_nor_link_nor_the_servers_words_are_logged_and_all_is_counted() {
    let (log, _logging) = logged();
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _measuring = metrics::set_default_local_recorder(&recorder);
    let mut server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    let mails = [mail_to("ada@example.org"), mail_to("bob@example.org")];

    place.write(&mails[..1]).await;
    server.fails([Fault::Reply("RCPT", "450 ada@example.org: later")]);
    place.outbox.round(noon()).await.unwrap();
    server.fails([Fault::Reply("RCPT", "550 ada@example.org: never")]);
    place.outbox.round(noon() + TimeDelta::hours(1)).await.unwrap();
    place.write(&mails[1..]).await;
    server.fails([Fault::Reply("MAIL", "550 bob@example.org?")]);
    let end = noon() + LINK_LIFE - TimeDelta::milliseconds(1);
    place.outbox.round(end).await.unwrap();
    place.write(&[mail_to("cyd@example.org")]).await;
    place.outbox.round(noon()).await.unwrap();
    assert_eq!(server.next().await.recipient, "cyd@example.org");

    let log = log.text();
    for secret in ["ada@", "bob@", "cyd@", "example.org", &TOKEN.to_string(), "later", "never"] {
        let word = log.lines().find(|line| line.contains(secret));
        assert_eq!(word.filter(|line| !line.contains("again later")), None, "{secret}");
    }
    assert!(log.contains(&format!("mails go out through localhost:{}", server.port)), "{log}");
    assert!(log.contains("1 mails have to be sent again later"), "{log}");
    assert!(log.contains(&format!("mail {} will not be sent", mails[0].id)), "{log}");
    assert!(log.contains(&format!("gave up sending mail {}", mails[1].id)), "{log}");

    let metrics = metrics.render();
    for outcome in ["deferred", "refused", "given_up", "sent"] {
        let line = format!(r#"dossier_mails_total{{kind="verify_account",outcome="{outcome}"}} 1"#);
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
}

#[tokio::test]
async fn the_log_says_where_mails_land() {
    let (log, _logging) = logged();
    let data = TempDir::new().unwrap();
    let mailer = Mailer::open(Settings::new(data.path())).unwrap();
    mailer.deliver(&mail_to("ada@example.org")).await.unwrap();
    let folder = data.path().join("mail");
    let line = format!("no mail server is set: mails land as files in {}", folder.display());
    assert!(log.text().contains(&line), "{}", log.text());
    assert_eq!(log.text().lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_link_stands_in_the_database_as_it_is_and_none_goes_out_without_the_key() {
    let mut server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    place.write(&[mail_to("ada@example.org")]).await;
    let (client, _driver) = place.database.connect().await.unwrap();
    let sql = "select row_to_json(mails)::text || encode(sealed_link, 'escape')
        from ops.mail_outbox as mails";
    let row: String = client.query_one(sql, &[]).await.unwrap().get(0);
    assert!(row.contains("ada@example.org"), "{row}");
    assert!(!row.contains(&TOKEN.to_string()) && !row.contains("verify?"), "{row}");
    let another = SealingKeys::from_setting(&"0bad".repeat(16)).unwrap();
    let pool = place.database.pool(2).unwrap();
    let outbox = Outbox::new(pool, mailer(server.port), Arc::new(another));
    let expected = Round { deferred: 1, ..Round::default() };
    assert_eq!(outbox.round(noon()).await.unwrap(), expected);
    assert_eq!(server.all(), []);
    // Who has the key sends it.
    let sent = place.outbox.round(noon() + TimeDelta::hours(1)).await.unwrap();
    assert_eq!((sent.delivered, server.all().len()), (1, 1));
}

#[test]
fn a_mail_shows_nothing_of_itself_when_debugged() {
    let shown = format!("{:?}", mail_to("ada@example.org"));
    assert!(!shown.contains("ada@") && !shown.contains(&TOKEN.to_string()), "{shown}");
}
