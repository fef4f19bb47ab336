//! People who come with a token of an issuer that their tenant's catalogue names (contract 1.2.3).

use std::fs;

use chrono::Utc;
use dossier::catalogue_file;
use dossier::intake::catalogue::{How, apply};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::api::bearer::support::{Answer as Keys, ISSUER, Key, KeyServer, key_set};
use crate::support::api::{Api, CATALOGUE};

/// The directory of [`CATALOGUE`] whose tenant believes an issuer with its keys there.
async fn believing(keys: &str, folder: &TempDir) -> Api {
    let api = Api::start().await;
    let issuers = format!(
        "issuers = [{{ issuer = \"{ISSUER}\", audience = \"dossier\", \
         algorithms = [\"EdDSA\"], {keys} }}]\nprofiles = ["
    );
    let file = catalogue_file::parse(&CATALOGUE.replacen("profiles = [", &issuers, 1)).unwrap();
    let how = How { dry_run: false, prune: false, folder: folder.path().to_owned() };
    apply(&api.engine, &file, &how).await.unwrap();
    api
}

fn claims(email: &str, verified: bool) -> Value {
    json!({
        "iss": ISSUER,
        "aud": "dossier",
        "exp": Utc::now().timestamp() + 600,
        "sid": "a-session",
        "email": email,
        "email_verified": verified,
    })
}

fn with_key(folder: &TempDir, key: &Key) {
    fs::write(folder.path().join("keys.json"), key_set(std::slice::from_ref(key))).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verified_address_says_who_comes_and_an_unverified_one_does_not() {
    let folder = TempDir::new().unwrap();
    let key = Key::ed25519("one", 1);
    with_key(&folder, &key);
    let api = believing("jwks_file = \"keys.json\"", &folder).await;
    let context = async |claims: &Value| api.v5(&key.sign(claims), "context", json!({})).await;
    let ada = context(&claims("ADA@acme.example", true)).await.answers(200);
    assert_eq!(ada["id"], api.id("ada").await.to_string(), "{ada}");
    for unresolved in [claims("ada@acme.example", false), claims("eve@acme.example", true)] {
        assert_eq!(context(&unresolved).await.answers(401)["code"], "profile_unresolved");
    }
    let mut of_another = claims("ada@acme.example", true);
    of_another["aud"] = json!("another");
    assert_eq!(context(&of_another).await.answers(401)["code"], "invalid_token");
    // What another issuer says of profile ids is not believed.
    let mut named = claims("sam@acme.example", true);
    named["profile_id"] = json!(api.id("root").await);
    let sam = context(&named).await.answers(200);
    assert_eq!(sam["id"], api.id("sam").await.to_string());
}

/// Issue 8: who was vouched for as `straße@…` came in as the superadmin `strasse@…`.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_by_an_address_that_only_resembles_anothers() {
    let folder = TempDir::new().unwrap();
    let key = Key::ed25519("one", 1);
    with_key(&folder, &key);
    let api = believing("jwks_file = \"keys.json\"", &folder).await;
    let root = api.token("root").await;
    let create = async |address: &str| {
        let email = api.email(&root, address).await;
        let person = json!({ "name": "A", "email_ids": [email],
            "role_ids": [api.role("superadmin")] });
        api.create(&root, person).await
    };
    let context =
        async |address: &str| api.v5(&key.sign(&claims(address, true)), "context", json!({})).await;
    let holder = create("strasse@acme.example").await;
    create("finn@acme.example").await;
    create("kim@acme.example").await;
    for address in [
        "straße@acme.example",
        "ſtrasse@acme.example",
        "STRAẞE@acme.example",
        "ﬁnn@acme.example",
        "ｆｉｎｎ@acme.example",
        "kım@acme.example",
        "KİM@acme.example",
        "finn@acme.example\u{200b}",
        " finn@acme.example",
    ] {
        let answer = context(address).await.answers(401);
        assert_eq!(answer["code"], "profile_unresolved", "{address}");
    }
    let same = context("STRASSE@Acme.example").await.answers(200);
    assert_eq!(same["id"], holder.to_string());
    // To each their own: the other mailbox is free, once, in whatever case and composition.
    let other = create("straße.é@acme.example").await;
    let same = context("STRAẞE.E\u{301}@acme.example").await.answers(200);
    assert_eq!(same["id"], other.to_string());
    let taken = api.email(&root, "STRAßE.É@acme.example").await;
    let item = json!({ "name": "B", "email_ids": [taken], "role_ids": [api.role("member")] });
    let refused = api.v5(&root, "create", json!({ "profiles": [item] })).await.json();
    assert_eq!(refused["results"][0]["success"], false, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_an_issuer_rotates_at_its_address_are_fetched_anew() {
    let folder = TempDir::new().unwrap();
    let (old, new) = (Key::ed25519("old", 1), Key::ed25519("new", 2));
    let server = KeyServer::serving(Keys::Keys(vec![old.clone()])).await;
    let api = believing(&format!("jwks_url = \"{}\"", server.url()), &folder).await;
    let claims = claims("ada@acme.example", true);
    api.v5(&old.sign(&claims), "context", json!({})).await.answers(200);
    server.answers(Keys::Keys(vec![new.clone()]));
    api.v5(&new.sign(&claims), "context", json!({})).await.answers(200);
    let refused = api.v5(&old.sign(&claims), "context", json!({})).await.answers(401);
    assert_eq!(refused["code"], "invalid_token");
    let stranger = Key::ed25519("new", 3);
    api.v5(&stranger.sign(&claims), "context", json!({})).await.answers(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_person_is_made_a_guest_only_where_the_issuer_may_and_only_once() {
    let folder = TempDir::new().unwrap();
    let key = Key::ed25519("one", 1);
    with_key(&folder, &key);
    let keys = "jwks_file = \"keys.json\", auto_provision_guests = true";
    let api = believing(keys, &folder).await;
    let root = api.token("root").await;
    let token = key.sign(&claims("eve@acme.example", true));
    let (one, other) =
        tokio::join!(api.v5(&token, "context", json!({})), api.v5(&token, "context", json!({})));
    let (one, other) = (one.answers(200), other.answers(200));
    assert_eq!(one["id"], other["id"]);
    assert_eq!(one["role"], "guest", "{one}");
    let found = api.v5(&root, "search", json!({ "search": "eve@" })).await.answers(200);
    assert_eq!(found["profiles"].as_array().unwrap().len(), 1, "{found}");
    let page = api.get(&root, "/api/v1/events?operation=provision_guest").await.answers(200);
    assert_eq!(page["events"][0]["real_actor"]["id"], one["id"], "{page}");
    let unverified = key.sign(&claims("mallory@acme.example", false));
    assert_eq!(api.v5(&unverified, "context", json!({})).await.status, 401);
}
