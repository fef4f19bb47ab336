//! Bearer tokens: whose signature is believed, and the forgeries that are not.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dossier::bearer::{Algorithm, Claims, KeySource, Refused};
use jsonwebtoken::{Algorithm as Jws, EncodingKey};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::api::bearer::support::{Bench, Key, claims, claims_with, given, signed_text, unsigned};

mod claims;
mod issuers;
mod key_sets;
pub mod support;

#[tokio::test]
async fn every_kind_of_key_verifies_its_own_signatures() {
    let keys = [
        Key::ed25519("ed", 1),
        Key::p256("ec"),
        Key::rsa("rs", Jws::RS256),
        Key::rsa("ps", Jws::PS512),
        Key::ed25519("named anew", 2).with("alg", json!("Ed25519")),
    ];
    let (bench, _file) = given(&keys);
    for key in keys {
        assert!(bench.verify(&key.sign(&claims())).await.is_ok(), "{}", key.public);
    }
}

#[tokio::test]
async fn no_algorithm_is_no_signature() {
    for name in ["none", "None", "NONE", ""] {
        let key = Key::ed25519("one", 1);
        let (bench, _file) = given(std::slice::from_ref(&key));
        let header = json!({ "alg": name, "kid": "one" });
        let bare = unsigned(&header, &claims());
        assert_eq!(bench.verify(&format!("{bare}.")).await, Err(Refused::Invalid));
        assert_eq!(bench.verify(&key.sign_under(&header, &claims())).await, Err(Refused::Invalid));
    }
}

#[tokio::test]
async fn a_public_key_is_never_used_as_a_shared_secret() {
    let keys = [Key::rsa("rs", Jws::RS256), Key::p256("ec"), Key::ed25519("ed", 1)];
    let (bench, _file) = given(&keys);
    for key in &keys {
        for member in ["n", "x"] {
            let Some(text) = key.public[member].as_str() else { continue };
            let bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
            let written = key.public.to_string().into_bytes();
            for secret in [bytes, text.as_bytes().to_vec(), written, pem(text)] {
                for algorithm in [Jws::HS256, Jws::HS384, Jws::HS512] {
                    let mut header = jsonwebtoken::Header::new(algorithm);
                    header.kid = key.public["kid"].as_str().map(Into::into);
                    let secret = EncodingKey::from_secret(&secret);
                    let token = jsonwebtoken::encode(&header, &claims(), &secret).unwrap();
                    assert_eq!(bench.verify(&token).await, Err(Refused::Invalid));
                }
            }
        }
    }
}

#[tokio::test]
async fn a_symmetric_key_in_a_key_set_is_passed_over() {
    let secret = b"a secret that everybody can read";
    let shared = json!({
        "kty": "oct", "kid": "shared", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(secret),
    });
    let unknown = json!({ "kty": "LMS", "kid": "tomorrow's", "pub": "AAAA" });
    let odd = json!({ "kty": "OKP", "crv": "X25519", "kid": 7, "x": "AAAA" });
    let key = Key::ed25519("one", 1);
    let mut file = NamedTempFile::new().unwrap();
    let set = json!({ "keys": [shared, unknown, odd, 7, key.public] });
    file.write_all(set.to_string().as_bytes()).unwrap();
    let bench = Bench::new(KeySource::File(file.path().into()));
    let mut header = jsonwebtoken::Header::new(Jws::HS256);
    header.kid = Some("shared".into());
    let token =
        jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap();
    assert_eq!(bench.verify(&token).await, Err(Refused::Invalid));
    assert!(bench.verify(&key.sign(&claims())).await.is_ok());
}

#[tokio::test]
async fn an_algorithm_that_the_issuer_may_not_use_is_refused() {
    let key = Key::rsa("one", Jws::RS256);
    let (mut bench, _file) = given(std::slice::from_ref(&key));
    let token = key.sign(&claims());
    assert!(bench.verify(&token).await.is_ok());
    bench.issuers[0].algorithms = vec![Algorithm::RS384, Algorithm::PS256, Algorithm::EdDSA];
    assert_eq!(bench.verify(&token).await, Err(Refused::Invalid));
    bench.issuers[0].algorithms.clear();
    assert_eq!(bench.verify(&token).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn a_key_made_for_something_else_is_refused() {
    let key = Key::rsa("one", Jws::RS256);
    let token = key.sign(&claims());
    for (member, value) in [
        ("use", json!("enc")),
        ("key_ops", json!(["encrypt", "wrapKey"])),
        ("alg", json!("RS512")),
        ("alg", json!("RSA-OAEP-256")),
        ("alg", json!("HS256")),
        ("kty", json!("EC")),
        ("kty", json!("oct")),
    ] {
        let (bench, _file) = given(&[key.clone().with(member, value.clone())]);
        assert_eq!(bench.verify(&token).await, Err(Refused::Invalid), "{member} {value}");
    }
    for (member, value) in
        [("use", json!("sig")), ("key_ops", json!(["verify"])), ("alg", Value::Null)]
    {
        let (bench, _file) = given(&[key.clone().with(member, value.clone())]);
        assert!(bench.verify(&token).await.is_ok(), "{member} {value}");
    }
    let (bench, _file) = given(&[Key::p256("one").with("crv", json!("P-384"))]);
    assert_eq!(bench.verify(&Key::p256("one").sign(&claims())).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn only_the_key_that_the_token_names_is_tried() {
    let (one, two) = (Key::ed25519("one", 1), Key::ed25519("two", 2));
    let (bench, _file) = given(&[one.clone(), two.clone()]);
    let header = json!({ "alg": "EdDSA", "kid": "two" });
    assert_eq!(bench.verify(&one.sign_under(&header, &claims())).await, Err(Refused::Invalid));
    assert!(bench.verify(&two.sign_under(&header, &claims())).await.is_ok());
}

#[tokio::test]
async fn without_a_key_id_eight_fitting_keys_are_tried() {
    let keys: Vec<Key> = (1..=9).map(|seed| Key::ed25519("same", seed)).collect();
    let (bench, _file) = given(&keys);
    let header = json!({ "alg": "EdDSA" });
    assert!(bench.verify(&keys[7].sign_under(&header, &claims())).await.is_ok());
    let ninth = keys[8].sign_under(&header, &claims());
    assert_eq!(bench.verify(&ninth).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn a_changed_token_is_refused_even_if_the_true_one_was_believed() {
    let key = Key::ed25519("one", 1);
    let (bench, _file) = given(std::slice::from_ref(&key));
    let token = key.sign(&claims());
    assert!(bench.verify(&token).await.is_ok());
    let signature = token.rsplit('.').next().unwrap();
    let other = unsigned(&key.header(), &claims_with("email", json!("eve@example.org")));
    let forged = format!("{other}.{signature}");
    assert_eq!(bench.verify(&forged).await, Err(Refused::Invalid));
    assert_eq!(bench.verify(&forged).await, Err(Refused::Invalid));
    let header = json!({ "alg": "EdDSA", "kid": "one", "typ": "jwt" });
    let other = unsigned(&header, &claims());
    assert_eq!(bench.verify(&format!("{other}.{signature}")).await, Err(Refused::Invalid));
    let shorter = &token[..token.len() - 4];
    assert_eq!(bench.verify(shorter).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn a_critical_header_is_refused_whatever_it_says() {
    for demand in [json!(["exp"]), json!(["b64"]), json!([]), json!(7), json!(false)] {
        let header = json!({ "alg": "EdDSA", "kid": "one", "crit": demand });
        assert_eq!(outcome_under(header).await, Err(Refused::Invalid), "{demand}");
    }
    let key = Key::ed25519("one", 1);
    let (bench, _file) = given(std::slice::from_ref(&key));
    let header = r#"{"alg":"EdDSA","kid":"one","crit":null}"#;
    let token = signed_text(&key, header, &claims().to_string());
    assert_eq!(bench.verify(&token).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn a_token_for_another_purpose_is_refused() {
    for kind in ["logout+jwt", "application/secevent+JWT", "dpop+jwt"] {
        let header = json!({ "alg": "EdDSA", "kid": "one", "typ": kind });
        assert_eq!(outcome_under(header).await, Err(Refused::Invalid), "{kind}");
    }
    for kind in ["JWT", "jwt", "at+jwt", "application/at+jwt"] {
        let header = json!({ "alg": "EdDSA", "kid": "one", "typ": kind });
        assert!(outcome_under(header).await.is_ok(), "{kind}");
    }
}

#[tokio::test]
async fn a_token_has_eight_kibibytes_at_most() {
    let mut met = [false, false];
    // Not every length exists with every key id, base64 being what it is.
    for id in ["1", "12", "123"] {
        let key = Key::ed25519(id, 1);
        let (bench, _file) = given(std::slice::from_ref(&key));
        for padding in 5_800..5_900 {
            let token = key.sign(&claims_with("padding", json!("p".repeat(padding))));
            let fits = token.len() <= 8 * 1024;
            assert_eq!(bench.verify(&token).await.is_ok(), fits, "{}", token.len());
            met[0] |= token.len() == 8 * 1024;
            met[1] |= token.len() == 8 * 1024 + 1;
        }
    }
    assert_eq!(met, [true, true]);
    let (bench, _file) = given(&[]);
    assert_eq!(bench.verify(&"a.".repeat(10_000_000)).await, Err(Refused::Invalid));
}

#[tokio::test]
async fn garbage_is_refused() {
    let key = Key::ed25519("one", 1);
    let (bench, _file) = given(std::slice::from_ref(&key));
    let good = key.sign(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let deep = signed_text(&key, &key.header().to_string(), &format!(r#"{{"x":{deep}}}"#));
    for token in [
        "",
        ".",
        "..",
        "...",
        "abc",
        "a.b.c",
        "é.ü.ß",
        "\0",
        &format!(" {good}"),
        &format!("{good}="),
        &format!("{good}.{}", parts[2]),
        &format!("{}.{}", parts[0], parts[1]),
        &format!("{}.{}.", parts[0], parts[1]),
        &format!("{}..{}", parts[0], parts[2]),
        &format!("{}==.{}.{}", parts[0], parts[1], parts[2]),
        &signed_text(&key, "[]", "[]"),
        &signed_text(&key, "null", "null"),
        &signed_text(&key, &key.header().to_string(), "{}"),
        &signed_text(&key, "{}", &claims().to_string()),
        &deep,
    ] {
        assert_eq!(bench.verify(token).await, Err(Refused::Invalid), "{token}");
    }
}

async fn outcome_under(header: Value) -> Result<Claims, Refused> {
    let key = Key::ed25519("one", 1);
    let (bench, _file) = given(std::slice::from_ref(&key));
    bench.verify(&key.sign_under(&header, &claims())).await
}

/// A public key as it would stand in a file.
fn pem(base64: &str) -> Vec<u8> {
    format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n").into_bytes()
}
