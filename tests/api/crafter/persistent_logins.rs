//! Persistent logins (contract 4.6).

use dossier::api::crafter::services::Settings;
use serde_json::{Value, json};

use crate::support::crafter::{Crafter, nobody, settings, text, until};

const LOGIN: &str = "authentication/persistent_login";

async fn remembered(crafter: &Crafter, profile: &str) -> Value {
    let made = crafter.form(&format!("{LOGIN}/create"), &[("profileId", profile)]).await;
    made.answers(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_is_remembered_with_a_token_until_it_is_deleted() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let made = remembered(&crafter, &id).await;
    assert_eq!(made.as_object().unwrap().len(), 5, "{made}");
    assert_eq!((&made["tenant"], &made["profileId"]), (&json!("acme"), &json!(id)));
    for uuid in ["id", "token"] {
        assert!(uuid::Uuid::parse_str(&text(&made[uuid])).is_ok());
    }
    let path = format!("{LOGIN}/{}", text(&made["id"]));
    let mut found = crafter.get(&path, &[]).await.answers(200);
    // The log's own time is some milliseconds from the answer's.
    let apart = found["timestamp"].as_i64().unwrap() - made["timestamp"].as_i64().unwrap();
    assert!(apart.abs() < 10_000);
    found["timestamp"] = made["timestamp"].clone();
    assert_eq!(found, made);
    crafter.form(&format!("{path}/delete"), &[]).await.is_empty();
    crafter.get(&path, &[]).await.refused(404, "NO_SUCH_PERSISTENT_LOGIN");
    crafter.form(&format!("{path}/delete"), &[]).await.is_empty();
}

#[tokio::test(flavor = "multi_thread")]
async fn refreshing_changes_the_token_and_nothing_else() {
    let crafter = Crafter::start().await;
    let made = remembered(&crafter, &crafter.profile_id("acme", "ada").await).await;
    let path = format!("{LOGIN}/{}", text(&made["id"]));
    let before = crafter.get(&path, &[]).await.answers(200);
    let mut after = crafter.form(&format!("{path}/refresh_token"), &[]).await.answers(200);
    assert_ne!(after["token"], made["token"]);
    assert_eq!(crafter.get(&path, &[]).await.answers(200), after);
    after["token"] = before["token"].clone();
    assert_eq!(after, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_remembered_is_not_found() {
    let crafter = Crafter::start().await;
    for id in [nobody().as_str(), "nonsense"] {
        let path = format!("{LOGIN}/{id}");
        crafter.get(&path, &[]).await.refused(404, "NO_SUCH_PERSISTENT_LOGIN");
        let refresh = crafter.form(&format!("{path}/refresh_token"), &[]).await;
        refresh.refused(404, "NO_SUCH_PERSISTENT_LOGIN");
        crafter.form(&format!("{path}/delete"), &[]).await.is_empty();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_is_forgotten_so_long_after_it_was_made_however_often_refreshed() {
    let crafter = Crafter::with(Settings { persistent_login_seconds_max: 1, ..settings() }).await;
    let made = remembered(&crafter, &crafter.profile_id("acme", "ada").await).await;
    let path = format!("{LOGIN}/{}", text(&made["id"]));
    crafter.form(&format!("{path}/refresh_token"), &[]).await;
    until("it is too old", async || crafter.get(&path, &[]).await.status == 404).await;
    crafter.get(&path, &[]).await.refused(404, "NO_SUCH_PERSISTENT_LOGIN");
    let refresh = crafter.form(&format!("{path}/refresh_token"), &[]).await;
    refresh.refused(404, "NO_SUCH_PERSISTENT_LOGIN");
}

#[tokio::test(flavor = "multi_thread")]
async fn none_is_made_for_who_is_disabled_or_not_there() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    crafter.form(&format!("profile/{id}/disable"), &[]).await.answers(200);
    let create = format!("{LOGIN}/create");
    crafter.form(&create, &[("profileId", &id)]).await.refused(403, "DISABLED_PROFILE");
    crafter.form(&create, &[("profileId", &nobody())]).await.refused(404, "NO_SUCH_PROFILE");
    crafter.form(&create, &[]).await.refused(400, "OTHER");
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_and_tokens_are_in_the_log_in_no_form_that_could_be_used() {
    let crafter = Crafter::start().await;
    let made = remembered(&crafter, &crafter.profile_id("acme", "ada").await).await;
    let path = format!("{LOGIN}/{}/refresh_token", text(&made["id"]));
    let after = crafter.form(&path, &[]).await.answers(200);
    let log = crafter.log().await;
    for secret in [&made["id"], &made["token"], &after["token"]] {
        let secret = text(secret);
        assert!(!log.contains(&secret) && !log.contains(&secret.replace('-', "")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_outlives_its_profile() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let made = remembered(&crafter, &id).await;
    crafter.form(&format!("profile/{id}/delete"), &[]).await.is_empty();
    let found = crafter.get(&format!("{LOGIN}/{}", text(&made["id"])), &[]).await.answers(200);
    assert_eq!(found["token"], made["token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_other_things_are_none_of_a_persistent_login() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let ticket = crafter.form("authentication/ticket/create", &[("profileId", &id)]).await;
    let ticket = text(&ticket.answers(200)["id"]);
    let login = text(&remembered(&crafter, &id).await["id"]);
    let path = format!("{LOGIN}/{ticket}");
    crafter.get(&path, &[]).await.refused(404, "NO_SUCH_PERSISTENT_LOGIN");
    crafter.form(&format!("{path}/delete"), &[]).await.is_empty();
    crafter
        .get(&format!("authentication/ticket/{login}"), &[])
        .await
        .refused(404, "NO_SUCH_TICKET");
    let token = crafter.get(&format!("profile/verification_token/{login}"), &[]).await;
    token.refused(404, "NO_SUCH_VERIFICATION_TOKEN");
    crafter.get(&format!("authentication/ticket/{ticket}"), &[]).await.answers(200);
}
