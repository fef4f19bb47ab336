//! The outbox on a real database with a real server: what is written is sent, and sent once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use dossier::domain::ids::TenantId;
use dossier::engine::kept::outbox::{self, AT_ONCE, LEASE, Outbox, Round};
use dossier::mail::{Mail, Mailer};
use dossier::store::{
    Append, Appender, AppenderSettings, AreaName, Database, Envelope, Error, NewEvent, Priority,
    StreamKey, StreamWrite,
};
use tokio::sync::mpsc;
use tokio_postgres::types::Json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{LINK_LIFE, mail_to, mailer, noon, sealing};
use crate::support::database::database;
use crate::support::smtp::{CONTENT, Fault, SmtpServer};

/// A database with an outbox on it.
pub struct Place {
    pub database: Database,
    pub outbox: Arc<Outbox>,
}

impl Place {
    pub async fn new(mailer: Mailer) -> Place {
        let database = database().await;
        let outbox = Outbox::new(database.pool(2).unwrap(), mailer, sealing());
        Place { database, outbox }
    }

    /// Another process on the same database.
    pub fn other(&self, mailer: Mailer) -> Arc<Outbox> {
        Outbox::new(self.database.pool(2).unwrap(), mailer, sealing())
    }

    /// Writes mails the way an append does.
    pub async fn write(&self, mails: &[Mail]) {
        let rows: Vec<_> =
            mails.iter().map(|mail| self.outbox.row(TenantId(Uuid::nil()), mail).row).collect();
        let (client, _driver) = self.database.connect().await.unwrap();
        client.execute(outbox::MAILS.write, &[&Json(rows)]).await.unwrap();
    }

    /// Of the only mail: how often it was tried, when it is due, and what went wrong last.
    pub async fn row(&self) -> (i32, DateTime<Utc>, Option<String>) {
        let (client, _driver) = self.database.connect().await.unwrap();
        let sql = "select attempts, next_attempt_at, last_error from ops.mail_outbox";
        let row = client.query_one(sql, &[]).await.unwrap();
        (row.get(0), row.get(1), row.get(2))
    }
}

fn made_now(mail: Mail) -> Mail {
    let now = Utc::now();
    Mail { created_at: now, expires_at: now + LINK_LIFE, ..mail }
}

/// A round in which only this happened.
pub fn delivered(delivered: usize) -> Round {
    Round { delivered, ..Round::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_written_by_an_append_is_sent_and_its_row_goes() {
    let mut server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    let (feed, _fed) = mpsc::channel(8);
    let (appender, _task) =
        Appender::start(AppenderSettings { database: place.database.clone(), feed });
    let mail = mail_to("Ada <ada@example.org>");
    let area = AreaName::new("profile").unwrap();
    let stream = StreamKey { tenant_id: Uuid::nil(), area, id: Uuid::now_v7() };
    let event = || NewEvent {
        id: Uuid::now_v7(),
        name: "ProfileDeactivated".to_owned(),
        schema_version: 1,
        occurred_at: None,
        payload: "{}".to_owned(),
    };
    let append = |mail: &Mail| Append {
        envelope: Arc::new(Envelope::nobody()),
        writes: vec![StreamWrite { stream, expected_version: 0, events: vec![event()] }],
        guards: vec![],
        takes: vec![],
        releases: vec![],
        rows: vec![place.outbox.row(TenantId(Uuid::nil()), mail)],
    };
    appender.append(append(&mail), Priority::Caller).await.unwrap();
    let conflicting = append(&mail_to("eve@example.org"));
    appender.append(conflicting, Priority::Caller).await.unwrap_err();
    assert_eq!(place.outbox.length().await.unwrap(), 1);
    assert_eq!(place.outbox.round(noon()).await.unwrap(), delivered(1));
    assert_eq!(server.next().await.recipient, "ada@example.org");
    assert_eq!(place.outbox.length().await.unwrap(), 0);
    assert_eq!(place.outbox.round(noon() + LEASE).await.unwrap(), Round::default());
    assert_eq!(server.all(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_written_twice_is_one_mail() {
    let mut server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    let mail = mail_to("ada@example.org");
    place.write(&[mail.clone(), mail.clone()]).await;
    place.write(&[mail]).await;
    assert_eq!(place.outbox.round(noon()).await.unwrap(), delivered(1));
    assert_eq!(server.all().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_not_sent_before_it_is_due() {
    let server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    place.write(&[mail_to("ada@example.org")]).await;
    let before = noon() - TimeDelta::microseconds(1);
    assert_eq!(place.outbox.round(before).await.unwrap(), Round::default());
    assert_eq!(place.outbox.round(noon()).await.unwrap(), delivered(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_send_each_mail_once() {
    let mut server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    let mails: Vec<_> = (0..100).map(|n| mail_to(&format!("a{n}@example.org"))).collect();
    place.write(&mails).await;
    let processes = (0..4).map(|_| {
        let process = place.other(mailer(server.port));
        tokio::spawn(
            async move { while process.round(noon()).await.unwrap() != Round::default() {} },
        )
    });
    for process in futures_util::future::join_all(processes).await {
        process.unwrap();
    }
    let received = server.all();
    let recipients: BTreeSet<_> = received.iter().map(|mail| mail.recipient.clone()).collect();
    assert_eq!((received.len(), recipients.len()), (100, 100));
    assert_eq!(place.outbox.length().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_round_takes_a_bounded_number() {
    let server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    let at_once = usize::try_from(AT_ONCE).unwrap();
    let mails: Vec<_> = (0..=at_once).map(|n| mail_to(&format!("a{n}@example.org"))).collect();
    place.write(&mails).await;
    assert_eq!(place.outbox.round(noon()).await.unwrap(), delivered(at_once));
    assert!(server.connections() <= at_once);
    assert_eq!(place.outbox.round(noon()).await.unwrap(), delivered(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_sender_died_is_sent_when_the_lease_ends_and_not_before() {
    let mut server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    let mail = mail_to("ada@example.org");
    place.write(std::slice::from_ref(&mail)).await;
    server.fails([Fault::Silence(CONTENT)]);
    let dying = place.other(mailer(server.port));
    let round = tokio::spawn(async move { dying.round(noon()).await });
    server.paused().await;
    // No transaction and no lock is held meanwhile: the row can be read, and locked at once.
    let (client, _driver) = place.database.connect().await.unwrap();
    let sql = "select from ops.mail_outbox for update nowait";
    assert_eq!(client.query(sql, &[]).await.unwrap().len(), 1);
    round.abort();
    assert!(round.await.unwrap_err().is_cancelled());

    let just_before = noon() + LEASE - TimeDelta::microseconds(1);
    assert_eq!(place.outbox.round(just_before).await.unwrap(), Round::default());
    assert_eq!(place.outbox.round(noon() + LEASE).await.unwrap(), delivered(1));
    let id = server.next().await.header("Message-ID").unwrap();
    assert_eq!(id, format!("<{}@example.com>", mail.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_lost_its_lease_does_not_put_the_mail_off() {
    let server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    place.write(&[mail_to("ada@example.org")]).await;
    let later_please = Fault::Reply("RCPT", "450 later");
    server.fails([Fault::Hold("RCPT"), later_please, later_please]);
    let slow = place.other(mailer(server.port));
    let slow = tokio::spawn(async move { slow.round(noon()).await });
    server.paused().await;
    let later = noon() + LEASE;
    assert_eq!(place.outbox.round(later).await.unwrap().deferred, 1);
    let after = place.row().await;
    server.resume();
    assert_eq!(slow.await.unwrap().unwrap().deferred, 1);
    assert_eq!(place.row().await, after);
    assert_eq!((after.0, after.1 > later), (2, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_row_could_not_be_removed_is_not_sent_again() {
    let mut server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    place.write(&[mail_to("ada@example.org")]).await;
    server.fails([Fault::Hold(CONTENT)]);
    let impatient = place.database.with_options("-c lock_timeout=50");
    let outbox = Outbox::new(impatient.pool(2).unwrap(), mailer(server.port), sealing());
    let round = {
        let outbox = outbox.clone();
        tokio::spawn(async move { outbox.round(noon()).await })
    };
    server.paused().await;
    let (client, _driver) = place.database.connect().await.unwrap();
    client.batch_execute("begin; select from ops.mail_outbox for update").await.unwrap();
    server.resume();
    assert!(matches!(round.await.unwrap(), Err(Error::Unavailable(..))));
    assert_eq!(server.all().len(), 1);
    client.batch_execute("rollback").await.unwrap();
    assert_eq!(outbox.round(noon() + LEASE).await.unwrap(), delivered(1));
    assert_eq!(server.all(), []);
    assert_eq!(outbox.length().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outbox_runs_when_told_and_ends_when_told() {
    let mut server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    let now_to = |recipient| made_now(mail_to(recipient));
    place.write(&[now_to("ada@example.org")]).await;
    let stopping = CancellationToken::new();
    let running = {
        let (outbox, stopping) = (place.outbox.clone(), stopping.clone());
        tokio::spawn(async move { outbox.run(stopping).await })
    };
    assert_eq!(server.next().await.recipient, "ada@example.org");
    place.write(&[now_to("bob@example.org")]).await;
    place.outbox.look();
    let soon = Duration::from_secs(4);
    let bob = tokio::time::timeout(soon, server.next()).await.expect("waited for the next look");
    assert_eq!(bob.recipient, "bob@example.org");
    stopping.cancel();
    tokio::time::timeout(soon, running).await.expect("did not stop").unwrap();
    assert_eq!(place.outbox.length().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_sent_when_told_to_stop_is_finished() {
    let mut server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    place.write(&[made_now(mail_to("ada@example.org"))]).await;
    server.fails([Fault::Hold(CONTENT)]);
    let stopping = CancellationToken::new();
    let running = {
        let (outbox, stopping) = (place.outbox.clone(), stopping.clone());
        tokio::spawn(async move { outbox.run(stopping).await })
    };
    server.paused().await;
    stopping.cancel();
    server.resume();
    running.await.unwrap();
    assert_eq!(server.all().len(), 1);
    assert_eq!(place.outbox.length().await.unwrap(), 0);
}
