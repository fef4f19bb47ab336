//! What a signed token says: what of it is believed, for whom and how long.

use dossier::bearer::{Claims, Refused, TokenIssuer};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::bearer::support::{
    AUDIENCE, ISSUER, Key, at, claims, claims_with, given, outcome_of, signed_text,
};

#[tokio::test]
async fn a_verified_email_of_a_configured_issuer_is_believed() {
    let believed = Claims {
        issuer: TokenIssuer::External(ISSUER.into()),
        profile_id: None,
        email: Some("ada@example.org".into()),
        email_verified: true,
        session: Some("a-session".into()),
        expires_at: at(2 * 24 * 60 * 60),
    };
    assert_eq!(outcome_of(claims()).await, Ok(believed));
}

#[tokio::test]
async fn the_audience_is_one_of_those_meant() {
    assert!(outcome_of(claims_with("aud", json!(["account", AUDIENCE]))).await.is_ok());
    for audience in
        [json!("account"), json!(["account"]), json!([]), json!("dossier2"), json!(7), Value::Null]
    {
        let outcome = outcome_of(claims_with("aud", audience.clone())).await;
        assert_eq!(outcome, Err(Refused::Invalid), "{audience}");
    }
}

#[tokio::test]
async fn a_token_expires_when_it_says() {
    let second = at(0).timestamp();
    assert!(outcome_of(claims_with("exp", json!(second + 1))).await.is_ok());
    for end in [json!(second), json!(0), json!(-1), json!("9999999999"), Value::Null] {
        let outcome = outcome_of(claims_with("exp", end.clone())).await;
        assert_eq!(outcome, Err(Refused::Invalid), "{end}");
    }
    assert_eq!(outcome_of(claims_with("exp", json!(1e300))).await, Err(Refused::Invalid));
    assert!(outcome_of(claims_with("exp", json!(second as f64 + 1.5))).await.is_ok());
}

#[tokio::test]
async fn a_token_that_was_believed_expires_all_the_same() {
    let key = Key::ed25519("one", 1);
    let (bench, _file) = given(std::slice::from_ref(&key));
    let token = key.sign(&claims_with("exp", json!(at(60).timestamp())));
    assert!(bench.verify_at(0, &token).await.is_ok());
    assert!(bench.verify_at(59, &token).await.is_ok());
    assert_eq!(bench.verify_at(60, &token).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn a_token_of_the_future_is_refused() {
    for name in ["nbf", "iat"] {
        let second = at(0).timestamp();
        assert!(outcome_of(claims_with(name, json!(second + 30))).await.is_ok());
        let outcome = outcome_of(claims_with(name, json!(second + 31))).await;
        assert_eq!(outcome, Err(Refused::Invalid), "{name}");
        assert_eq!(outcome_of(claims_with(name, json!("now"))).await, Err(Refused::Invalid));
        assert!(outcome_of(claims_with(name, Value::Null)).await.is_ok());
    }
}

#[tokio::test]
async fn a_claim_that_stands_twice_is_refused() {
    let key = Key::ed25519("one", 1);
    let (bench, _file) = given(std::slice::from_ref(&key));
    let twice = claims().to_string().replacen('{', r#"{"email":"eve@example.org","#, 1);
    let header = key.header().to_string();
    assert!(bench.verify(&signed_text(&key, &header, &claims().to_string())).await.is_ok());
    assert_eq!(bench.verify(&signed_text(&key, &header, &twice)).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn an_unverified_email_is_nobodys() {
    for verified in [json!(false), json!("false"), json!("True"), json!(1), Value::Null] {
        let claims = outcome_of(claims_with("email_verified", verified.clone())).await.unwrap();
        assert_eq!((claims.email, claims.email_verified), (None, false), "{verified}");
    }
    let claims = outcome_of(claims_with("email_verified", json!("true"))).await.unwrap();
    assert_eq!(claims.email.as_deref(), Some("ada@example.org"));
}

#[tokio::test]
async fn an_email_that_could_not_be_stored_is_ignored() {
    let of_length = |length: usize| format!("{}@example.org", "a".repeat(length - 12));
    let longest = outcome_of(claims_with("email", json!(of_length(254)))).await.unwrap();
    assert_eq!(longest.email, Some(of_length(254)));
    for email in [json!(of_length(255)), json!("a\0@example.org"), json!(""), json!(["a@b"])] {
        let claims = outcome_of(claims_with("email", email.clone())).await.unwrap();
        assert_eq!(claims.email, None, "{email}");
    }
}

#[tokio::test]
async fn the_profile_id_of_another_issuer_is_ignored() {
    let claims =
        outcome_of(claims_with("profile_id", json!(Uuid::from_u128(0xada)))).await.unwrap();
    assert_eq!(claims.profile_id, None);
    assert_eq!(claims.email.as_deref(), Some("ada@example.org"));
}

#[tokio::test]
async fn the_session_is_the_sid_else_the_jti() {
    let mut claims = claims_with("jti", json!("a-token"));
    assert_eq!(outcome_of(claims.clone()).await.unwrap().session.as_deref(), Some("a-session"));
    claims["sid"] = json!("s".repeat(200));
    assert_eq!(outcome_of(claims.clone()).await.unwrap().session, Some("s".repeat(200)));
    for sid in [json!("s".repeat(201)), json!(7), json!(""), json!("nul\0")] {
        claims["sid"] = sid;
        assert_eq!(outcome_of(claims.clone()).await.unwrap().session.as_deref(), Some("a-token"));
    }
    claims["jti"] = json!("j".repeat(201));
    assert_eq!(outcome_of(claims).await.unwrap().session, None);
}
