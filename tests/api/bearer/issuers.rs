//! Who may issue tokens: those configured for the tenant, and Dossier itself.

use chrono::TimeDelta;
use dossier::bearer::local::{LocalError, LocalIssuer};
use dossier::bearer::{Issuer, KeySource, Refused, TokenIssuer, is_key_address};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::bearer::support::{
    AUDIENCE, ISSUER, Key, TENANT, at, claims, claims_with, given, issuer, outcome_of,
};

const OTHER_TENANT: Uuid = Uuid::from_u128(0x0b);
const PROFILE: Uuid = Uuid::from_u128(0xada);

#[tokio::test]
async fn only_the_tenants_issuers_are_believed() {
    for name in ["https://id.example.org/realms/other", "", "https://id.example.org/realms/staff/"]
    {
        let outcome = outcome_of(claims_with("iss", json!(name))).await;
        assert_eq!(outcome, Err(Refused::Invalid), "{name}");
    }
    assert_eq!(outcome_of(claims_with("iss", Value::Null)).await, Err(Refused::Invalid));
    assert_eq!(outcome_of(claims_with("iss", json!([ISSUER]))).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn an_issuer_that_stands_there_twice_is_not_believed() {
    let key = Key::ed25519("one", 1);
    let (mut bench, file) = given(std::slice::from_ref(&key));
    bench.issuers.push(issuer(KeySource::File(file.path().into())));
    assert_eq!(bench.verify(&key.sign(&claims())).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn a_removed_issuer_stops_at_once() {
    let key = Key::ed25519("one", 1);
    let (mut bench, _file) = given(std::slice::from_ref(&key));
    let token = key.sign(&claims());
    assert!(bench.verify(&token).await.is_ok());
    bench.issuers.clear();
    assert_eq!(bench.verify(&token).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn the_local_issuer_names_the_profile() {
    let (bench, _file) = given(&[]);
    let token = bench.local.mint(TENANT, PROFILE, TimeDelta::hours(8), at(0)).unwrap();
    let claims = bench.verify_at(1, &token).await.unwrap();
    assert_eq!(claims.issuer, TokenIssuer::Local);
    assert_eq!((claims.profile_id, claims.email), (Some(PROFILE), None));
    assert_eq!(claims.expires_at, at(8 * 60 * 60));
    let other = bench.local.mint(TENANT, PROFILE, TimeDelta::hours(8), at(0)).unwrap();
    let other = bench.verify_at(1, &other).await.unwrap();
    assert!(claims.session.is_some() && claims.session != other.session);
    assert_eq!(bench.verify_at(8 * 60 * 60 + 30, &token).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn a_local_token_is_worthless_in_another_tenant() {
    let (bench, _file) = given(&[]);
    let token = bench.local.mint(OTHER_TENANT, PROFILE, TimeDelta::hours(8), at(0)).unwrap();
    let there = bench.verifier.verify(&token, OTHER_TENANT, &[], at(1)).await;
    assert!(there.is_ok());
    assert_eq!(bench.verify_at(1, &token).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn nobody_else_speaks_in_the_local_issuers_name() {
    let key = Key::ed25519("one", 1);
    let (mut bench, _file) = given(std::slice::from_ref(&key));
    bench.issuers[0].issuer = "dossier:local".into();
    let mut claims = claims_with("profile_id", json!(PROFILE));
    claims["iss"] = json!("dossier:local");
    for audience in [AUDIENCE.into(), format!("dossier:{TENANT}")] {
        claims["aud"] = json!(audience);
        assert_eq!(bench.verify(&key.sign(&claims)).await, Err(Refused::Invalid));
        let nameless = key.sign_under(&json!({ "alg": "EdDSA" }), &claims);
        assert_eq!(bench.verify(&nameless).await, Err(Refused::Invalid));
    }
    let stranger = LocalIssuer::from_secret(&[8; 32]).unwrap();
    let token = stranger.mint(TENANT, PROFILE, TimeDelta::hours(8), at(0)).unwrap();
    assert_eq!(bench.verify_at(1, &token).await, Err(Refused::Invalid));
}

#[test]
fn a_local_token_has_a_bounded_life() {
    let local = LocalIssuer::from_secret(&[7; 32]).unwrap();
    let mint = |ttl| local.mint(TENANT, PROFILE, ttl, at(0));
    assert!(mint(TimeDelta::seconds(1)).is_ok());
    assert!(mint(TimeDelta::days(366)).is_ok());
    for ttl in [TimeDelta::zero(), TimeDelta::days(-1), TimeDelta::days(367), TimeDelta::MAX] {
        assert!(matches!(mint(ttl), Err(LocalError::Lifetime)));
    }
}

#[test]
fn secrets_are_not_printed() {
    let local = LocalIssuer::from_secret(&[7; 32]).unwrap();
    assert_eq!(format!("{local:?}"), "LocalIssuer { .. }");
}

#[test]
fn keys_are_fetched_over_https_or_from_this_machine_and_without_credentials() {
    assert!(is_key_address("https://id.example.org/keys"));
    for text in ["http://127.0.0.1:8080/keys", "http://[::1]/keys", "http://localhost/keys"] {
        assert!(is_key_address(text), "{text}");
    }
    for text in [
        "http://id.example.org/keys",
        "http://localhost.example.org/keys",
        "http://127.0.0.1.example.org/keys",
        "https://user:secret@id.example.org/keys",
        "http://0.0.0.0/keys",
        "ftp://127.0.0.1/keys",
        "file:///etc/passwd",
        "keys.json",
        "",
    ] {
        assert!(!is_key_address(text), "{text}");
    }
}

#[test]
fn an_issuer_is_written_as_it_is_read() {
    let written = json!({
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "algorithms": ["RS256", "EdDSA"],
        "keys": { "url": "https://id.example.org/keys" },
    });
    let read: Issuer = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), written);
    let mut symmetric = written;
    symmetric["algorithms"] = json!(["HS256"]);
    assert!(serde_json::from_value::<Issuer>(symmetric).is_err());
}
