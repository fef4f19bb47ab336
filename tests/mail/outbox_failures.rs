//! The outbox when mails cannot be sent: trying again, refusals, giving up.

use chrono::TimeDelta;
use dossier::engine::kept::outbox::{LEASE, Round, wait_after};
use dossier::mail::{Mailer, Settings};
use tempfile::TempDir;

use super::outbox::{Place, delivered};
use super::{LINK_LIFE, mail_to, mailer, noon};
use crate::support::smtp::{CONTENT, Fault, Manners, Port, SmtpServer};

fn deferred(deferred: usize) -> Round {
    Round { deferred, ..Round::default() }
}

#[test]
fn waits_double_within_bounds_and_are_spread_over_their_upper_half() {
    let bounds =
        |attempt| (wait_after(attempt, 0.0).num_seconds(), wait_after(attempt, 1.0).num_seconds());
    let expected =
        [(15, 30), (30, 60), (60, 120), (120, 240), (240, 480), (480, 960), (900, 1_800)];
    assert_eq!([1, 2, 3, 4, 5, 6, 7].map(bounds), expected);
    assert_eq!([8, 1_000, i32::MAX].map(bounds), [(900, 1_800); 3]);
    assert_eq!([0, -1, i32::MIN].map(bounds), [(15, 30); 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_put_off_by_the_server_is_sent_later() {
    let mut server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    place.write(&[mail_to("ada@example.org")]).await;
    server.fails([Fault::Reply("RCPT", "450 ada@example.org: later"), Fault::HangUp(CONTENT)]);
    assert_eq!(place.outbox.round(noon()).await.unwrap(), deferred(1));
    let (attempts, due, reason) = place.row().await;
    assert_eq!(attempts, 1);
    assert!((wait_after(1, 0.0)..=wait_after(1, 1.0)).contains(&(due - noon())), "{due}");
    assert_eq!(reason.unwrap(), "the mail server refused the recipient with 450");

    let early = due - TimeDelta::microseconds(1);
    assert_eq!(place.outbox.round(early).await.unwrap(), Round::default());
    assert_eq!(place.outbox.round(due).await.unwrap(), deferred(1));
    let (attempts, next, reason) = place.row().await;
    assert_eq!(attempts, 2);
    assert!((wait_after(2, 0.0)..=wait_after(2, 1.0)).contains(&(next - due)), "{next}");
    assert_eq!(reason.unwrap(), "the mail server hung up, or speaks no SMTP");

    assert_eq!(place.outbox.round(next).await.unwrap(), delivered(1));
    assert_eq!(server.all().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_waits_for_a_server_that_is_down() {
    let port = Port::reserve();
    let place = Place::new(mailer(port.number)).await;
    place.write(&[mail_to("ada@example.org")]).await;
    assert_eq!(place.outbox.round(noon()).await.unwrap(), deferred(1));
    let mut up = port.serve(Manners::default());
    assert_eq!(place.outbox.round(noon() + wait_after(1, 1.0)).await.unwrap(), delivered(1));
    assert_eq!(up.all().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_refused_for_good_is_not_tried_again() {
    let mut server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    place.write(&[mail_to("ada@example.org")]).await;
    server.fails([Fault::Reply("RCPT", "550 no such user")]);
    let refused = Round { refused: 1, ..Round::default() };
    assert_eq!(place.outbox.round(noon()).await.unwrap(), refused);
    assert_eq!(place.outbox.length().await.unwrap(), 0);
    assert_eq!(place.outbox.round(noon() + LEASE).await.unwrap(), Round::default());
    assert_eq!(server.all(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_no_server_takes_harms_no_other_mail() {
    let mut server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    place.write(&[mail_to("a\0b@example.org"), mail_to("ada@example.org"), mail_to("none")]).await;
    let expected = Round { delivered: 1, refused: 2, ..Round::default() };
    assert_eq!(place.outbox.round(noon()).await.unwrap(), expected);
    assert_eq!(server.next().await.recipient, "ada@example.org");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_three_days_a_mail_is_given_up() {
    let mut server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    place.write(&[mail_to("ada@example.org")]).await;
    let given_up = Round { given_up: 1, ..Round::default() };
    let end = noon() + LINK_LIFE;

    // With time left for another attempt it is put off, without it is not.
    server.fails([Fault::Reply("RCPT", "450 later"), Fault::Reply("RCPT", "450 later")]);
    let early = end - wait_after(1, 1.0) - TimeDelta::seconds(1);
    assert_eq!(place.outbox.round(early).await.unwrap(), deferred(1));
    let (_, due, _) = place.row().await;
    assert_eq!(place.outbox.round(due).await.unwrap(), given_up);
    assert_eq!(place.outbox.length().await.unwrap(), 0);

    place.write(&[mail_to("bob@example.org"), mail_to("cyd@example.org")]).await;
    let connections = server.connections();
    let expected = Round { given_up: 2, ..Round::default() };
    assert_eq!(place.outbox.round(end).await.unwrap(), expected);
    assert_eq!((server.all(), server.connections()), (vec![], connections));
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_of_a_kind_unknown_here_are_left_to_who_knows_it() {
    let server = SmtpServer::start();
    let place = Place::new(mailer(server.port)).await;
    place.write(&[mail_to("ada@example.org")]).await;
    let (client, _driver) = place.database.connect().await.unwrap();
    client.execute("update ops.mail_outbox set kind = 'newer'", &[]).await.unwrap();
    assert_eq!(place.outbox.round(noon() + LEASE).await.unwrap(), Round::default());
    assert_eq!(place.row().await.0, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_the_outbox_fills_the_folder() {
    let data = TempDir::new().unwrap();
    let place = Place::new(Mailer::open(Settings::new(data.path())).unwrap()).await;
    place.write(&[mail_to("ada@example.org"), mail_to("bob@example.org")]).await;
    assert_eq!(place.outbox.round(noon()).await.unwrap(), delivered(2));
    assert_eq!(std::fs::read_dir(data.path().join("mail")).unwrap().count(), 2);
    assert_eq!(place.outbox.length().await.unwrap(), 0);
}
