//! POST authentication/authenticate (contract 4.5, 4.6).

use std::time::Duration;

use dossier::api::crafter::services::Settings;
use serde_json::json;

use crate::support::crafter::{Crafter, PASSWORD, settings, text};

/// The hash that Crafter keeps of "secret" (contract 4.5).
const OLD_HASH: &str = "sORCzbSkS7akbJ9vnRxidHmQKACXK6AGKE3i5NTutLM=|AAECAwQFBgcICQoLDA0ODw==";
/// The failure that locks, by default.
const LOCKING: usize = 10;

async fn fail(crafter: &Crafter, username: &str, times: usize) {
    for time in 0..times {
        let answer = crafter.log_in("acme", username, "wrong").await;
        assert_eq!(answer.status, 401, "{username}, time {time}: {}", answer.text);
        answer.refused(401, "BAD_CREDENTIALS");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_gives_a_ticket() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let ticket = crafter.log_in("acme", "ada", PASSWORD).await.answers(200);
    assert_eq!(ticket.as_object().unwrap().len(), 4, "{ticket}");
    assert_eq!((&ticket["tenant"], &ticket["profileId"]), (&json!("acme"), &json!(id)));
    assert!(ticket["lastRequestTime"].is_i64());
    assert_eq!(uuid::Uuid::parse_str(&text(&ticket["id"])).unwrap().get_version_num(), 4);
    assert_eq!(crafter.events(&id).await.last().unwrap(), "LogInSucceeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_whether_a_profile_exists_is_locked_or_has_a_password() {
    let crafter = Crafter::start().await;
    crafter.profile("acme", "ada", &[]).await;
    crafter.profile("acme", "bare", &[("password", "")]).await;
    crafter.profile("acme", "locked", &[]).await;
    fail(&crafter, "locked", LOCKING).await;
    let told = crafter.log_in("acme", "ada", "wrong").await;
    told.refused(401, "BAD_CREDENTIALS");
    let long = "x".repeat(2_000);
    for (tenant, username, password) in [
        ("acme", "nobody", PASSWORD),
        ("none", "ada", PASSWORD),
        ("acme", "ada", ""),
        ("acme", "ada", "Secret"),
        ("acme", "ada", " secret"),
        ("acme", "ada", long.as_str()),
        ("acme", "bare", ""),
        ("acme", "bare", "-"),
        ("acme", "locked", PASSWORD),
        ("acme", "locked", "wrong"),
    ] {
        let answer = crafter.log_in(tenant, username, password).await;
        assert_eq!((answer.status, &answer.text), (told.status, &told.text), "{username}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_usernames_cost_as_much_hashing_as_known_ones() {
    let crafter = Crafter::start().await;
    crafter.profile("acme", "ada", &[]).await;
    crafter.profile("acme", "bare", &[("password", "")]).await;
    let passwords = &crafter.app.applications.passwords;
    let mut costs = Vec::new();
    for username in ["ada", "bare", "nobody"] {
        let before = passwords.filled_kib();
        crafter.log_in("acme", username, "wrong").await.refused(401, "BAD_CREDENTIALS");
        costs.push(passwords.filled_kib() - before);
    }
    assert!(costs[0] > 0);
    assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tenth_failure_locks_and_the_ninth_does_not() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    fail(&crafter, "ada", LOCKING - 1).await;
    crafter.log_in("acme", "ada", PASSWORD).await.answers(200);
    // That reset the counter.
    fail(&crafter, "ada", LOCKING - 1).await;
    crafter.log_in("acme", "ada", PASSWORD).await.answers(200);
    fail(&crafter, "ada", LOCKING).await;
    crafter.log_in("acme", "ada", PASSWORD).await.refused(401, "BAD_CREDENTIALS");
    let events = crafter.events(&id).await;
    assert_eq!(events.iter().filter(|name| *name == "LogInLocked").count(), 1);
    assert_eq!(events.last().unwrap(), "LogInLocked");
    // Whoever vouches for the log-in asks for no password.
    crafter.form("authentication/ticket/create", &[("profileId", &id)]).await.answers(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_counter_survives_a_lock_so_that_the_next_failure_locks_again() {
    let passed_at_once = Settings { lock_minutes: 0, ..settings() };
    let crafter = Crafter::with(passed_at_once).await;
    let id = crafter.profile_id("acme", "ada").await;
    fail(&crafter, "ada", LOCKING + 1).await;
    let locked = |events: Vec<String>| events.iter().filter(|one| *one == "LogInLocked").count();
    assert_eq!(locked(crafter.events(&id).await), 2);
    crafter.log_in("acme", "ada", PASSWORD).await.answers(200);
    fail(&crafter, "ada", LOCKING - 1).await;
    assert_eq!(locked(crafter.events(&id).await), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_say_how_many_failures_lock() {
    let strict = Settings { failures_before_delay: 1, failures_before_lock: 2, ..settings() };
    let crafter = Crafter::with(strict).await;
    crafter.profile("acme", "ada", &[]).await;
    fail(&crafter, "ada", 2).await;
    crafter.log_in("acme", "ada", PASSWORD).await.answers(200);
    fail(&crafter, "ada", 3).await;
    crafter.log_in("acme", "ada", PASSWORD).await.refused(401, "BAD_CREDENTIALS");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_failure_is_held_back_whether_the_username_is_known_or_not() {
    let crafter = Crafter::with(Settings { delay_milliseconds: 25_000, ..settings() }).await;
    crafter.profile("acme", "ada", &[]).await;
    for username in ["ada", "nobody"] {
        fail(&crafter, username, 2).await;
        let third = crafter.log_in("acme", username, "wrong");
        let held_back = tokio::time::timeout(Duration::from_secs(1), third).await;
        assert!(held_back.is_err(), "{username}");
    }
    crafter.log_in("acme", "ada", PASSWORD).await.answers(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_profile_is_told_so_before_its_password_is_looked_at() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    crafter.form(&format!("profile/{id}/disable"), &[]).await.answers(200);
    let head = crafter.head().await;
    for password in [PASSWORD, "wrong"] {
        crafter.log_in("acme", "ada", password).await.refused(403, "DISABLED_PROFILE");
    }
    assert_eq!(crafter.head().await, head);
    crafter.form(&format!("profile/{id}/enable"), &[]).await.answers(200);
    crafter.log_in("acme", "ada", PASSWORD).await.answers(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_password_that_is_compared_moves_when_the_profile_was_last_modified() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let path = format!("profile/{id}");
    let mut before = crafter.get(&path, &[]).await.answers(200)["lastModified"].as_i64();
    for password in ["wrong", PASSWORD] {
        crafter.log_in("acme", "ada", password).await;
        let after = crafter.get(&path, &[]).await.answers(200)["lastModified"].as_i64();
        assert!(after > before, "{password}");
        before = after;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_of_crafters_is_right_and_replaced_by_a_new_one_at_the_first_log_in() {
    let crafter = Crafter::start().await;
    let old = json!([{ "tenant": "acme", "username": "old", "email": "old@acme.example",
        "password": OLD_HASH, "enabled": true }]);
    crafter.take_in(json!({ "profile": old })).await;
    let by_name = [("tenantName", "acme"), ("username", "old")];
    let found = crafter.get("profile/by_username", &by_name).await.answers(200);
    let id = text(&found["id"]);
    assert_eq!(crafter.password(&id).await.unwrap(), OLD_HASH);
    crafter.log_in("acme", "old", "wrong").await.refused(401, "BAD_CREDENTIALS");
    assert_eq!(crafter.password(&id).await.unwrap(), OLD_HASH);
    crafter.log_in("acme", "old", "secret").await.answers(200);
    let new = crafter.password(&id).await.unwrap();
    assert!(new.starts_with("$argon2id$"), "{new}");
    crafter.log_in("acme", "old", "secret").await.answers(200);
    assert_eq!(crafter.password(&id).await.unwrap(), new);
    crafter.log_in("acme", "old", "wrong").await.refused(401, "BAD_CREDENTIALS");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_holds_a_password_a_hash_or_a_ticket() {
    let crafter = Crafter::start().await;
    let old = json!([{ "tenant": "acme", "username": "old", "email": "old@acme.example",
        "password": OLD_HASH, "enabled": true }]);
    crafter.take_in(json!({ "profile": old })).await;
    let id = crafter.profile_id("acme", "ada").await;
    let update = [("password", "changed-password")];
    crafter.form(&format!("profile/{id}/update"), &update).await.answers(200);
    let ticket = crafter.log_in("acme", "old", "secret").await.answers(200);
    crafter.log_in("acme", "ada", "guessed-password").await.refused(401, "BAD_CREDENTIALS");
    let log = crafter.log().await;
    let ticket = text(&ticket["id"]);
    let (hash, salt) = OLD_HASH.split_once('|').unwrap();
    for secret in ["changed-password", "guessed-password", "argon2", hash, salt, &ticket] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_parameter_is_required_and_a_password_in_the_query_serves_too() {
    let crafter = Crafter::start().await;
    crafter.profile("acme", "ada", &[]).await;
    let all = [("tenantName", "acme"), ("username", "ada"), ("password", PASSWORD)];
    for missing in 0..all.len() {
        let mut rest = all.to_vec();
        rest.remove(missing);
        let answer = crafter.form("authentication/authenticate", &rest).await;
        answer.refused(400, "OTHER");
    }
    let by = crafter.by(crate::support::crafter::MASTER);
    by.json("authentication/authenticate", &all, json!({})).await.answers(200);
}
