//! Verification tokens, the mails that hold them, and what they are good for (contract 4.5).

use dossier::api::crafter::services::Settings;
use dossier::domain::claims::Claim;
use dossier::domain::object_id::shown;
use serde_json::json;

use crate::support::crafter::{Crafter, PASSWORD, nobody, settings, text, until};

/// The link of a mail.
fn link(mail: &str) -> String {
    let (_, rest) = mail.split_once("id=\"verificationLink\"").unwrap();
    let (_, rest) = rest.split_once("href=\"").unwrap();
    rest.split_once('"').unwrap().0.replace("&amp;", "&")
}

fn token(mail: &str) -> String {
    link(mail).split_once("tokenId=").unwrap().1.to_owned()
}

/// A tenant that verifies, with a new profile and the token that it was mailed.
async fn place() -> (Crafter, String, String) {
    let crafter = Crafter::start().await;
    crafter.tenant("t", json!({ "verifyNewProfiles": true })).await;
    let url = [("verificationUrl", "https://t.example/verify?x=1")];
    let made = crafter.profile("t", "ada", &url).await;
    assert_eq!((&made["enabled"], &made["verified"]), (&json!(false), &json!(false)));
    let mails = crafter.mails().await;
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert!(mail.contains("To: ada@t.example\r\n"), "{mail}");
    assert!(mail.contains("Subject: Verify Account\r\n"), "{mail}");
    let token = token(mail);
    assert_eq!(link(mail), format!("https://t.example/verify?x=1&tokenId={token}"));
    (crafter, text(&made["id"]), token)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_profile_is_disabled_until_it_shows_the_token_it_was_mailed() {
    let (crafter, id, token) = place().await;
    crafter.log_in("t", "ada", PASSWORD).await.refused(403, "DISABLED_PROFILE");
    let shown = [("verificationTokenId", token.as_str())];
    let verified = crafter.form("profile/verify", &shown).await.answers(200);
    assert_eq!((&verified["enabled"], &verified["verified"]), (&json!(true), &json!(true)));
    assert_eq!(verified["id"], json!(id));
    crafter.log_in("t", "ada", PASSWORD).await.answers(200);
    // Once only.
    let again = crafter.form("profile/verify", &shown).await;
    again.refused(404, "NO_SUCH_VERIFICATION_TOKEN");
    assert!(crafter.events(&id).await.contains(&"ProfileVerified".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_mail_is_sent_where_the_tenant_does_not_verify_or_nothing_to_link_to_is_given() {
    let crafter = Crafter::start().await;
    crafter.tenant("verifying", json!({ "verifyNewProfiles": true })).await;
    let url = ("verificationUrl", "https://t.example/");
    assert_eq!(crafter.profile("acme", "ada", &[url]).await["enabled"], true);
    assert_eq!(crafter.profile("verifying", "ada", &[]).await["enabled"], true);
    let empty = [("verificationUrl", "")];
    assert_eq!(crafter.profile("verifying", "eve", &empty).await["enabled"], true);
    assert_eq!(crafter.app.applications.outbox.length().await.unwrap(), 0);
    for url in ["javascript:alert(1)", "/verify", "ftp://t.example"] {
        let parameters = [
            ("tenantName", "verifying"),
            ("username", "x"),
            ("email", "a@b"),
            ("enabled", "1"),
            ("verificationUrl", url),
        ];
        crafter.form("profile/create", &parameters).await.refused(400, "OTHER");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_changed_by_the_token_of_a_mail_once() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let path = format!("profile/{id}/reset_password");
    let asked = crafter.form(&path, &[("resetPasswordUrl", "http://t.example/r")]).await;
    assert_eq!(asked.answers(200)["id"], json!(id));
    let mails = crafter.mails().await;
    assert!(mails[0].contains("Subject: Reset Password\r\n"), "{}", mails[0]);
    let token = token(&mails[0]);
    assert_eq!(link(&mails[0]), format!("http://t.example/r?tokenId={token}"));
    let change = |new: &'static str| [("resetTokenId", token.clone()), ("newPassword", new.into())];
    let change = async |new| {
        let parameters = change(new);
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, &**value)).collect();
        crafter.form("profile/change_password", &parameters).await
    };
    change("").await.refused(400, "OTHER");
    change("new-password").await.answers(200);
    crafter.log_in("acme", "ada", PASSWORD).await.refused(401, "BAD_CREDENTIALS");
    crafter.log_in("acme", "ada", "new-password").await.answers(200);
    change("another").await.refused(404, "NO_SUCH_VERIFICATION_TOKEN");
    crafter.form(&path, &[]).await.refused(400, "OTHER");
}

#[tokio::test(flavor = "multi_thread")]
async fn either_kind_of_token_works_in_either_call() {
    let (crafter, _, token) = place().await;
    let change = [("resetTokenId", token.as_str()), ("newPassword", "new-password")];
    let after = crafter.form("profile/change_password", &change).await.answers(200);
    assert_eq!((&after["enabled"], &after["verified"]), (&json!(false), &json!(false)));
    let id = text(&after["id"]);
    let made = crafter.form(&format!("profile/{id}/verification_token/create"), &[]).await;
    let made = text(&made.answers(200)["id"]);
    crafter.form("profile/verify", &[("verificationTokenId", &made)]).await.answers(200);
    crafter.log_in("t", "ada", "new-password").await.answers(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_made_shown_and_deleted_without_any_mail() {
    let crafter = Crafter::start().await;
    let id = crafter.profile_id("acme", "ada").await;
    let made = crafter.form(&format!("profile/{id}/verification_token/create"), &[]).await;
    let made = made.answers(200);
    assert_eq!(made.as_object().unwrap().len(), 4, "{made}");
    assert_eq!((&made["tenant"], &made["profileId"]), (&json!("acme"), &json!(id)));
    let path = format!("profile/verification_token/{}", text(&made["id"]));
    let found = crafter.get(&path, &[]).await.answers(200);
    assert_eq!((&found["id"], &found["profileId"]), (&made["id"], &made["profileId"]));
    assert!(found["timestamp"].is_i64());
    assert_eq!(crafter.app.applications.outbox.length().await.unwrap(), 0);
    crafter.form(&format!("{path}/delete"), &[]).await.is_empty();
    crafter.get(&path, &[]).await.refused(404, "NO_SUCH_VERIFICATION_TOKEN");
    crafter.form(&format!("{path}/delete"), &[]).await.is_empty();
    let path = format!("profile/verification_token/{}", nobody());
    crafter.get(&path, &[]).await.refused(404, "NO_SUCH_VERIFICATION_TOKEN");
    crafter.form(&format!("{path}/delete"), &[]).await.is_empty();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_leads_nowhere_when_it_is_too_old() {
    let crafter = Crafter::with(Settings { verification_seconds_max: 1, ..settings() }).await;
    let id = crafter.profile_id("acme", "ada").await;
    let made = crafter.form(&format!("profile/{id}/verification_token/create"), &[]).await;
    let token = text(&made.answers(200)["id"]);
    let path = format!("profile/verification_token/{token}");
    until("it is too old", async || crafter.get(&path, &[]).await.status == 404).await;
    crafter.get(&path, &[]).await.refused(404, "NO_SUCH_VERIFICATION_TOKEN");
    let verify = crafter.form("profile/verify", &[("verificationTokenId", &token)]).await;
    verify.refused(404, "NO_SUCH_VERIFICATION_TOKEN");
    let change = [("resetTokenId", token.as_str()), ("newPassword", "new")];
    let change = crafter.form("profile/change_password", &change).await;
    change.refused(404, "NO_SUCH_VERIFICATION_TOKEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_deleted_profile_leads_to_none() {
    let (crafter, id, token) = place().await;
    crafter.form(&format!("profile/{id}/delete"), &[]).await.is_empty();
    let verify = crafter.form("profile/verify", &[("verificationTokenId", &token)]).await;
    verify.refused(404, "NO_SUCH_PROFILE");
    let change = [("resetTokenId", token.as_str()), ("newPassword", "new")];
    let change = crafter.form("profile/change_password", &change).await;
    change.refused(404, "NO_SUCH_PROFILE");
    crafter.form("profile/verify", &[]).await.refused(400, "OTHER");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_address_is_what_its_profile_logs_in_with_unless_another_does() {
    let crafter = Crafter::start().await;
    let claim = Claim::login_email(crafter.tenant, "shared@acme.example").key;
    let holder = async || {
        let held = crafter.engine.holders(&[claim]).await.unwrap();
        held.get(&claim).map(|held| shown(held.holder))
    };
    let mut ids = Vec::new();
    for username in ["ada", "eve"] {
        let parameters = [
            ("tenantName", "acme"),
            ("username", username),
            ("email", "shared@acme.example"),
            ("enabled", "true"),
        ];
        let made = crafter.form("profile/create", &parameters).await.answers(200);
        ids.push(text(&made["id"]));
    }
    assert_eq!(holder().await, None, "nobody has shown that it is theirs");
    for id in &ids {
        let made = crafter.form(&format!("profile/{id}/verification_token/create"), &[]).await;
        let token = text(&made.answers(200)["id"]);
        let verified = crafter.form("profile/verify", &[("verificationTokenId", &token)]).await;
        assert_eq!(verified.answers(200)["verified"], true);
        assert_eq!(holder().await.as_ref(), Some(&ids[0]));
    }
    let path = format!("profile/{}/delete", ids[0]);
    crafter.form(&path, &[]).await.is_empty();
    assert_eq!(holder().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_tokens_nor_links_are_in_the_log_and_a_sent_mail_is_kept_nowhere() {
    let (crafter, id, token) = place().await;
    let made = crafter.form(&format!("profile/{id}/verification_token/create"), &[]).await;
    let other = text(&made.answers(200)["id"]);
    let log = crafter.log().await;
    for secret in [token.as_str(), other.as_str(), "t.example/verify"] {
        assert!(!log.contains(secret), "{secret}");
    }
    assert_eq!(crafter.app.applications.outbox.length().await.unwrap(), 0);
}
