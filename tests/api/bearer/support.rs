//! Issuers for the tests of bearer tokens: keys, tokens of every kind, a server of key sets.
//!
//! The keys are made for these tests and open nothing. Time is what the test says it is.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use dossier::bearer::local::LocalIssuer;
use dossier::bearer::{Algorithm, Claims, Issuer, KeySource, Refused, Verifier};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm as Jws, EncodingKey};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

pub const ISSUER: &str = "https://id.example.org/realms/staff";
pub const AUDIENCE: &str = "dossier";
pub const TENANT: Uuid = Uuid::from_u128(0x7e);

const PKCS8_BEFORE_SECRET: [u8; 16] =
    [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// PKCS #8.
const P256_KEY: &str = "\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgS8YeC0N7LRoCJt4bxWubw2xqCnaaB7vTacI3VhkjZkuh\
    RANCAATDN1jp/BgB/zX+yN/W+fnHgH/I4be3Tea6sjV+6M8l4b4RWW/xq6YxKdNg6babgAyQPiqBUWCthDmbULZkvqVy";
/// PKCS #1, 2048 bits.
const RSA_KEY: &str = "\
    MIIEowIBAAKCAQEAtaoqBjZdpWtTeERbe2l5czao9I/w3Q0n8HxcP1NBRXNBB3ZecaW20RZbdNZe/lCSqpCl+1szOk41\
    dWnONmi3VFOFEPkyW2IxOKcLNvFEL9v7G0mNKvazWG5AUszeUXjQ6VqIVsNSSUAWVuMGx9FtC3jbxoY+3I/QQXnZH9xU\
    1nPr4nU01j0jJ7tM49mY7D+yOt23+JUtNBbTAVzlfMJzASCoJiNy7QdTZqw1tJOiBtMn1cdLYhuM5hA0beQIzAOU9YsM\
    uIzfIHu/gsiZhA9TKCdOOA9j+u/ug+FCoANOFG4l7m1l/KGvIKWuKyY8kygM8XybvV99PXL9j9Tdpcu38QIDAQABAoIB\
    AAj8V23NPJ6VC3Y/HgNMY/crSfom2zQj6sjTbetX8+TlNDST9KH3H27Xhe3mjfZTB/OAiiU/t+33YQo4vJF7u9hjn95c\
    un1DWHSZQU3AwK2ur4yu+65CBlGmdRoOC3pzg783J4KbJgknhAiyMWtVfuj6sRbwcaWOm4TRlnLOqYed85c7MSsYNA82\
    aulaw8om1UjI02WNcRx+16ftgpmP3I06u+RoXc48qxB8RKhKBEqjC/i4GAOkkV5RAL2X/kwYXQsQTVaEIXEQ3x0Cz5EN\
    5rXJsVD1eCUqcnHoKSTG26nHXdi/JL/aY4+gJF3vnwE4nUtOw8fntRIaWnw5ryoMB40CgYEA3mIbVZYlbKgi7RqNVko0\
    Jpd7gf4O+4/dhy35bmyDocdSck11tHxdCNvL7+Gyi39kZZbdfvRY4GRFCWO7Yd+nkH86YTtaC2Up+rYI2VyysScrKYQ7\
    Qf0QsPOQ0DZSctsj++kfEHyXqbqnpPEPyqIcWoHG2Ke2J3zyLpBg1SMya7MCgYEA0SBP8Vas7lMs6QEoDbPDucmz2nJj\
    wzD7PSD6cZUXjzLBJOHzWpJ69pwXiqtd0UWYnk5IAa0ucWtB4mrk0u4LbdRRHKt92oH8zq44Iwl5PTvx6+WLjK9ai8v4\
    EtXvQwwxyp0rXOx7k3enHXa9KLiO7wOKWNCTRwaLPTJZrbbB68sCgYBqVmtPr65RmMyqqCmxe2YYlhL/A+dSL2b0vu0o\
    +kavU0p/Ub7ZASbTl5abLEdeIRp24X8kt97P3eKNLN1rXbEYjV3zJJhYHpXGRslQdt0TjPE8tvhHA6W5l55FkdQ3C8bX\
    LJAoKAu1o4WKf6LXeFEqjifxbbDSjRKZZXyILn5rtQKBgHBhHtSgMVn5FH86Ad4rJhjmzWGsavPvlHNrD2qOJhTrv2Mk\
    kPOxF6cChpwcLtRQxAz+IC/Wcsi8TLFxo/m9tiKVH+l6Nq1/gO1ILh6V7rL7TavotK8rZEsPlwX4NRUgrnklMLJE2ruK\
    ZyGsN0Z0t0q16liD7UETwStnrU1ukpM1AoGBAMXC1hFG3mwtWUCtpKg4Tkbh857wG5Gc+bSUyiZWrxEhk3O+O+ZQQCMK\
    6CDwXAXQFA01mGJS+vA5hw6o/Bg0Z7avvEZxmnjuMGscbkAEIrLkVs4Kiuvy8uZIrupBr9RoSuFj9QivhN53l2LyvSGV\
    fmihlQ4B/CEBHEaEZwifeCdv";

/// A key of an issuer, private part and all.
#[derive(Clone)]
pub struct Key {
    signing: EncodingKey,
    algorithm: Jws,
    /// As it stands in a key set.
    pub public: Value,
}

/// A tenant that believes one issuer, and the server that verifies for it.
pub struct Bench {
    pub verifier: Verifier,
    pub local: LocalIssuer,
    pub issuers: Vec<Issuer>,
}

/// A key set at an address on this machine.
#[derive(Clone)]
pub struct KeyServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Mutex<Answer>,
    fetches: watch::Sender<usize>,
    gate: Semaphore,
}

#[derive(Clone)]
pub enum Answer {
    Keys(Vec<Key>),
    Status(u16),
    Redirect(String),
    Text(String),
}

impl Key {
    pub fn ed25519(id: &str, seed: u8) -> Self {
        let der = [&PKCS8_BEFORE_SECRET[..], &[seed; 32][..]].concat();
        Self::new(id, EncodingKey::from_ed_der(&der), Jws::EdDSA)
    }

    pub fn p256(id: &str) -> Self {
        Self::new(id, EncodingKey::from_ec_der(&STANDARD.decode(P256_KEY).unwrap()), Jws::ES256)
    }

    pub fn rsa(id: &str, algorithm: Jws) -> Self {
        Self::new(id, EncodingKey::from_rsa_der(&STANDARD.decode(RSA_KEY).unwrap()), algorithm)
    }

    fn new(id: &str, signing: EncodingKey, algorithm: Jws) -> Self {
        let jwk = Jwk::from_encoding_key(&signing, algorithm).unwrap();
        Self { signing, algorithm, public: json!(jwk) }.with("kid", json!(id))
    }

    /// The same key, one member of its public part changed; `null` takes it away.
    pub fn with(mut self, member: &str, value: Value) -> Self {
        set(&mut self.public, member, value);
        self
    }

    pub fn header(&self) -> Value {
        let mut header = json!({ "typ": "JWT", "alg": self.public["alg"] });
        set(&mut header, "kid", self.public["kid"].clone());
        header
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_under(&self.header(), claims)
    }

    /// Signed under a header that may say anything.
    pub fn sign_under(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&unsigned(header, claims))
    }

    /// The first two parts of a token, with the third.
    pub fn sign_text(&self, signed: &str) -> String {
        let signature =
            jsonwebtoken::crypto::sign(signed.as_bytes(), &self.signing, self.algorithm).unwrap();
        format!("{signed}.{signature}")
    }
}

impl Bench {
    /// A tenant whose issuer has its keys there, with every algorithm allowed.
    pub fn new(keys: KeySource) -> Self {
        let local = LocalIssuer::from_secret(&[7; 32]).unwrap();
        let issuers = vec![issuer(keys)];
        Self {
            verifier: Verifier::new(
                local.clone(),
                TimeDelta::seconds(dossier::bearer::LEEWAY_SECONDS),
            ),
            local,
            issuers,
        }
    }

    pub async fn verify(&self, token: &str) -> Result<Claims, Refused> {
        self.verify_at(0, token).await
    }

    pub async fn verify_at(&self, seconds: i64, token: &str) -> Result<Claims, Refused> {
        self.verifier.verify(token, TENANT, &self.issuers, at(seconds)).await
    }
}

impl KeyServer {
    pub async fn serving(answer: Answer) -> Self {
        let shared = Arc::new(Shared {
            answer: Mutex::new(answer),
            fetches: watch::Sender::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/keys", get(respond)).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared }
    }

    pub fn source(&self) -> KeySource {
        KeySource::Url(self.url())
    }

    pub fn url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    pub fn answers(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    pub fn fetches(&self) -> usize {
        *self.shared.fetches.borrow()
    }

    /// Waits until so many requests have arrived; that they never do is a failure, not a hang.
    pub async fn fetched(&self, count: usize) {
        let mut fetches = self.shared.fetches.subscribe();
        let arrival = fetches.wait_for(|fetches| *fetches >= count);
        tokio::time::timeout(Duration::from_secs(60), arrival).await.unwrap().unwrap();
    }

    /// Lets every request wait until `release`.
    pub fn hold(&self) {
        self.shared.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub fn release(&self) {
        self.shared.gate.add_permits(Semaphore::MAX_PERMITS);
    }
}

/// So many seconds into the tests' time.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
}

/// A tenant whose issuer has these keys in a file, which lives as long as the second value.
pub fn given(keys: &[Key]) -> (Bench, NamedTempFile) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(key_set(keys).as_bytes()).unwrap();
    (Bench::new(KeySource::File(file.path().into())), file)
}

/// What becomes of a token with these claims that is rightly signed.
pub async fn outcome_of(claims: Value) -> Result<Claims, Refused> {
    let key = Key::ed25519("one", 1);
    let (bench, _file) = given(std::slice::from_ref(&key));
    bench.verify(&key.sign(&claims)).await
}

pub fn issuer(keys: KeySource) -> Issuer {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    Issuer {
        issuer: ISSUER.into(),
        audience: AUDIENCE.into(),
        algorithms: vec![RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA],
        keys,
    }
}

/// What the issuer says of Ada, good for two days.
pub fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": at(0).timestamp(),
        "exp": at(2 * 24 * 60 * 60).timestamp(),
        "sid": "a-session",
        "email": "ada@example.org",
        "email_verified": true,
    })
}

/// The same with one claim changed; `null` takes it away.
pub fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    set(&mut claims, name, value);
    claims
}

/// The first two parts of a token.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// A token whose header and body are these very texts.
pub fn signed_text(key: &Key, header: &str, body: &str) -> String {
    key.sign_text(&format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(body)))
}

pub fn key_set(keys: &[Key]) -> String {
    let keys: Vec<&Value> = keys.iter().map(|key| &key.public).collect();
    json!({ "keys": keys }).to_string()
}

fn set(object: &mut Value, member: &str, value: Value) {
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(member);
    } else {
        members.insert(member.into(), value);
    }
}

async fn respond(State(shared): State<Arc<Shared>>) -> Response {
    shared.fetches.send_modify(|fetches| *fetches += 1);
    let answer = shared.answer.lock().unwrap().clone();
    let _permit = shared.gate.acquire().await.unwrap();
    match answer {
        Answer::Keys(keys) => key_set(&keys).into_response(),
        Answer::Status(status) => {
            let body = Json(json!({ "keys": [] }));
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        }
        Answer::Redirect(location) => (StatusCode::FOUND, [(LOCATION, location)]).into_response(),
        Answer::Text(text) => text.into_response(),
    }
}
