//! Key sets: fetched when needed, no oftener, and never from where they could be anybody's.

use std::net::TcpListener;
use std::path::Path;

use dossier::bearer::{KeySource, Refused};
use serde_json::json;

use crate::api::bearer::support::{
    Answer, Bench, Key, KeyServer, TENANT, at, claims, claims_with, key_set,
};

const TEN_MINUTES: i64 = 10 * 60;
const A_DAY: i64 = 24 * 60 * 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_set_is_fetched_once_for_many_requests_at_once() {
    let key = Key::ed25519("one", 1);
    let server = KeyServer::serving(Answer::Keys(vec![key.clone()])).await;
    let bench = Bench::new(server.source());
    let requests: Vec<_> = (0..200)
        .map(|number| {
            let (verifier, issuers) = (bench.verifier.clone(), bench.issuers.clone());
            let token = key.sign(&claims_with("jti", json!(number.to_string())));
            tokio::spawn(async move { verifier.verify(&token, TENANT, &issuers, at(0)).await })
        })
        .collect();
    for request in requests {
        assert!(request.await.unwrap().is_ok());
    }
    assert_eq!(server.fetches(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unknown_keys_cause_one_fetch_in_thirty_seconds() {
    let key = Key::ed25519("one", 1);
    let server = KeyServer::serving(Answer::Keys(vec![key.clone()])).await;
    let bench = Bench::new(server.source());
    assert!(bench.verify_at(0, &key.sign(&claims())).await.is_ok());
    for (second, fetches) in [(0, 1), (1, 2), (30, 2), (31, 3), (60, 3), (61, 4)] {
        storm(&bench, second).await;
        assert_eq!(server.fetches(), fetches, "after {second} s");
        assert!(bench.verify_at(second, &key.sign(&claims())).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unknown_keys_cause_no_more_fetches_while_the_server_fails() {
    let key = Key::ed25519("one", 1);
    let server = KeyServer::serving(Answer::Keys(vec![key.clone()])).await;
    let bench = Bench::new(server.source());
    assert!(bench.verify_at(0, &key.sign(&claims())).await.is_ok());
    server.answers(Answer::Status(500));
    storm(&bench, 1).await;
    storm(&bench, 30).await;
    assert_eq!(server.fetches(), 2);
    assert!(bench.verify_at(31, &key.sign(&claims())).await.is_ok());
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_undo_the_fetch() {
    let (old, new) = (Key::ed25519("old", 1), Key::ed25519("new", 2));
    let server = KeyServer::serving(Answer::Keys(vec![old.clone()])).await;
    let bench = Bench::new(server.source());
    assert!(bench.verify_at(0, &old.sign(&claims())).await.is_ok());
    server.answers(Answer::Keys(vec![new.clone()]));
    server.hold();
    let token = new.sign(&claims());
    let mut hasty = Box::pin(bench.verify_at(1, &token));
    tokio::select! {
        biased;
        _ = &mut hasty => panic!("answered while the key set was held back"),
        () = server.fetched(2) => {}
    }
    drop(hasty);
    server.release();
    assert!(bench.verify_at(1, &token).await.is_ok());
    assert_eq!(server.fetches(), 2);
}

#[tokio::test]
async fn a_new_key_at_an_address_works_at_once_and_a_withdrawn_one_no_more() {
    let (old, new) = (Key::ed25519("old", 1), Key::ed25519("new", 2));
    let server = KeyServer::serving(Answer::Keys(vec![old.clone()])).await;
    let bench = Bench::new(server.source());
    let token = old.sign(&claims());
    assert!(bench.verify_at(0, &token).await.is_ok());
    server.answers(Answer::Keys(vec![new.clone()]));
    assert!(bench.verify_at(1, &new.sign(&claims())).await.is_ok());
    assert_eq!(bench.verify_at(1, &token).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn an_old_set_is_served_while_it_is_fetched_anew() {
    let (old, new) = (Key::ed25519("old", 1), Key::ed25519("new", 2));
    let server = KeyServer::serving(Answer::Keys(vec![old.clone()])).await;
    let bench = Bench::new(server.source());
    assert!(bench.verify_at(0, &old.sign(&claims())).await.is_ok());
    assert!(bench.verify_at(TEN_MINUTES - 1, &old.sign(&claims())).await.is_ok());
    assert_eq!(server.fetches(), 1);
    server.answers(Answer::Keys(vec![new.clone()]));
    server.hold();
    // Answered though the server is not: the fetch goes on behind.
    assert!(bench.verify_at(TEN_MINUTES, &old.sign(&claims())).await.is_ok());
    server.fetched(2).await;
    assert!(bench.verify_at(TEN_MINUTES, &old.sign(&claims())).await.is_ok());
    server.release();
    // This one waits for that fetch and needs none of its own.
    assert!(bench.verify_at(TEN_MINUTES + 1, &new.sign(&claims())).await.is_ok());
    assert_eq!(server.fetches(), 2);
    let outcome = bench.verify_at(TEN_MINUTES + 1, &old.sign(&claims())).await;
    assert_eq!(outcome, Err(Refused::Invalid));
}

#[tokio::test]
async fn an_old_set_is_believed_for_a_day_while_none_can_be_fetched() {
    let key = Key::ed25519("one", 1);
    let server = KeyServer::serving(Answer::Keys(vec![key.clone()])).await;
    let bench = Bench::new(server.source());
    let token = key.sign(&claims());
    assert!(bench.verify_at(0, &token).await.is_ok());
    for answer in [Answer::Status(500), Answer::Text("{}".into()), Answer::Text("<html>".into())] {
        server.answers(answer);
        assert!(bench.verify_at(A_DAY - 1, &token).await.is_ok());
        assert_eq!(bench.verify_at(A_DAY + 60, &token).await, Err(Refused::Unavailable));
    }
    server.answers(Answer::Keys(vec![key.clone()]));
    assert!(bench.verify_at(A_DAY + 66, &token).await.is_ok());
}

#[tokio::test]
async fn without_any_key_set_the_answer_is_unavailable_and_the_server_is_spared() {
    let key = Key::ed25519("one", 1);
    let server = KeyServer::serving(Answer::Status(503)).await;
    let bench = Bench::new(server.source());
    let token = key.sign(&claims());
    for (second, fetches) in [(0, 1), (1, 1), (4, 1), (5, 2), (9, 2), (10, 3)] {
        assert_eq!(bench.verify_at(second, &token).await, Err(Refused::Unavailable));
        assert_eq!(server.fetches(), fetches, "after {second} s");
    }
    server.answers(Answer::Keys(vec![key.clone()]));
    assert!(bench.verify_at(15, &token).await.is_ok());
}

#[tokio::test]
async fn a_token_that_is_wrong_anyway_causes_no_fetch() {
    let server = KeyServer::serving(Answer::Status(503)).await;
    let bench = Bench::new(server.source());
    let key = Key::ed25519("one", 1);
    for (name, value) in [
        ("exp", json!(at(-60).timestamp())),
        ("nbf", json!(at(60).timestamp())),
        ("aud", json!("another")),
        ("iss", json!("another")),
    ] {
        let outcome = bench.verify(&key.sign(&claims_with(name, value))).await;
        assert_eq!(outcome, Err(Refused::Invalid), "{name}");
    }
    assert_eq!(server.fetches(), 0);
}

#[tokio::test]
async fn a_key_set_that_is_no_bounded_answer_is_not_taken() {
    let key = Key::ed25519("one", 1);
    let set = key_set(std::slice::from_ref(&key));
    let padded = |length: usize| format!("{set}{}", " ".repeat(length - set.len()));
    let server = KeyServer::serving(Answer::Text(padded(256 * 1024))).await;
    assert!(Bench::new(server.source()).verify(&key.sign(&claims())).await.is_ok());
    for answer in [
        Answer::Text(padded(256 * 1024 + 1)),
        Answer::Text(padded(50_000_000)),
        Answer::Text(set.replace("keys", "kyes")),
        Answer::Text(String::new()),
        Answer::Status(404),
        Answer::Status(203),
    ] {
        server.answers(answer);
        let outcome = Bench::new(server.source()).verify(&key.sign(&claims())).await;
        assert_eq!(outcome, Err(Refused::Unavailable));
    }
}

#[tokio::test]
async fn a_redirect_is_followed_three_times_on_this_machine() {
    let key = Key::ed25519("one", 1);
    let token = key.sign(&claims());
    let target = KeyServer::serving(Answer::Keys(vec![key])).await;
    let server = KeyServer::serving(Answer::Redirect(target.url())).await;
    assert!(Bench::new(server.source()).verify(&token).await.is_ok());
    let round = KeyServer::serving(Answer::Keys(vec![])).await;
    round.answers(Answer::Redirect(round.url()));
    assert_eq!(Bench::new(round.source()).verify(&token).await, Err(Refused::Unavailable));
    assert_eq!(round.fetches(), 4);
}

#[tokio::test]
async fn keys_come_from_no_other_scheme_and_no_other_machine_in_the_clear() {
    let key = Key::ed25519("one", 1);
    let token = key.sign(&claims());
    let target = KeyServer::serving(Answer::Keys(vec![key])).await;
    // Not a loopback address, and yet the kernel would find the server by it.
    let abroad = target.url().replace("127.0.0.1", "0.0.0.0");
    let encrypted = TcpListener::bind("127.0.0.1:0").unwrap();
    encrypted.set_nonblocking(true).unwrap();
    let elsewhere = format!("https://{}/keys", encrypted.local_addr().unwrap());
    for location in [&abroad, &elsewhere, "file:///etc/hostname"] {
        let server = KeyServer::serving(Answer::Redirect(location.into())).await;
        let outcome = Bench::new(server.source()).verify(&token).await;
        assert_eq!(outcome, Err(Refused::Unavailable), "{location}");
    }
    assert!(encrypted.accept().is_err(), "the redirect to https was followed");
    for address in [&abroad, "keys.json", "file:///etc/hostname"] {
        let outcome = Bench::new(KeySource::Url(address.into())).verify(&token).await;
        assert_eq!(outcome, Err(Refused::Unavailable), "{address}");
    }
    assert_eq!(target.fetches(), 0);
}

#[tokio::test]
async fn a_file_that_is_replaced_is_read_again_after_a_second() {
    let (old, new) = (Key::ed25519("old", 1), Key::ed25519("new", 2));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    write(&path, &key_set(std::slice::from_ref(&old)));
    let bench = Bench::new(KeySource::File(path.clone()));
    let (old, new_token) = (old.sign(&claims()), new.sign(&claims()));
    assert!(bench.verify_at(0, &old).await.is_ok());
    write(&path, &key_set(&[new]));
    assert!(bench.verify_at(0, &old).await.is_ok());
    assert_eq!(bench.verify_at(1, &old).await, Err(Refused::Invalid));
    assert!(bench.verify_at(1, &new_token).await.is_ok());
}

#[tokio::test]
async fn a_file_that_cannot_be_made_out_leaves_the_last_good_one_for_a_day() {
    let key = Key::ed25519("one", 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let bench = Bench::new(KeySource::File(path.clone()));
    let token = key.sign(&claims());
    assert_eq!(bench.verify_at(0, &token).await, Err(Refused::Unavailable));
    write(&path, &key_set(&[key]));
    assert!(bench.verify_at(1, &token).await.is_ok());
    write(&path, "{ \"keys\": [");
    assert!(bench.verify_at(2, &token).await.is_ok());
    std::fs::remove_file(&path).unwrap();
    assert!(bench.verify_at(A_DAY, &token).await.is_ok());
    assert_eq!(bench.verify_at(A_DAY + 1, &token).await, Err(Refused::Unavailable));
}

#[tokio::test]
async fn a_folder_is_no_key_file() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::new(KeySource::File(folder.path().into()));
    let token = Key::ed25519("one", 1).sign(&claims());
    assert_eq!(bench.verify(&token).await, Err(Refused::Unavailable));
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_keep_old_keys() {
    let (old, new) = (Key::ed25519("old", 1), Key::ed25519("new", 2));
    let server = KeyServer::serving(Answer::Keys(vec![old.clone()])).await;
    let bench = Bench::new(server.source());
    assert!(bench.verify_at(A_DAY, &old.sign(&claims())).await.is_ok());
    server.answers(Answer::Keys(vec![new.clone()]));
    // A day and more behind: the set counts as too old to be served.
    assert_eq!(bench.verify_at(0, &old.sign(&claims())).await, Err(Refused::Invalid));
    assert!(bench.verify_at(0, &new.sign(&claims())).await.is_ok());
}

/// A hundred tokens at once, each naming another key that nobody has.
async fn storm(bench: &Bench, second: i64) {
    let requests: Vec<_> = (0..100)
        .map(|number| {
            let (verifier, issuers) = (bench.verifier.clone(), bench.issuers.clone());
            let token = Key::ed25519(&format!("random {second} {number}"), 9).sign(&claims());
            tokio::spawn(async move { verifier.verify(&token, TENANT, &issuers, at(second)).await })
        })
        .collect();
    for request in requests {
        assert_eq!(request.await.unwrap(), Err(Refused::Invalid));
    }
}

/// Replaces a file as an operator should: all at once.
fn write(path: &Path, text: &str) {
    let draft = path.with_extension("draft");
    std::fs::write(&draft, text).unwrap();
    std::fs::rename(draft, path).unwrap();
}
