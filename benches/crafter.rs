//! What the Crafter Profile face costs: log-ins beside bare Argon2id in the same run, tickets,
//! reads and queries, over the real router without a socket. Read the ratios. `make bench`; sizes
//! by DOSSIER_BENCH_PROFILES.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use dossier::api::app::App;
use dossier::api::crafter::services::{Parts, Services, Settings as Noticed};
use dossier::api::routes;
use dossier::attachments::{Settings as AttachmentSettings, Store};
use dossier::bearer::local::LocalIssuer;
use dossier::cluster::{APP, Cluster, OWNER, Options};
use dossier::engine::{Engine, Settings};
use dossier::intake::crafter::{Intake, take_in};
use dossier::intake::crafter_seed::seed;
use dossier::mail::{Mailer, Settings as MailSettings};
use dossier::passwords::{Password, Passwords};
use dossier::sealing::SealingKeys;
use dossier::store::{Database, migrate};
use futures_util::future::join_all;
use futures_util::stream;
use http_body_util::BodyExt;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tower::ServiceExt;

const PERIOD: Duration = Duration::from_secs(6);
const TOKEN: &str = "e8f5170c-877b-416f-b70f-4b09772f8e2d";
const SEED: &str = include_str!("../examples/crafter/seed.json");

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder for the database");
    let cluster = Cluster::start(folder.path(), Options { durable: true }).await.expect("cluster");
    let (mut owner, _driver) =
        Database::new(cluster.config(OWNER)).connect().await.expect("connecting as owner");
    migrate(&mut owner, Some(APP)).await.expect("migrating");
    let settings = Settings {
        database: Database::new(cluster.config(APP)),
        pool_connections: 24,
        next_start: None,
        alone: true,
        projecting: true,
    };
    let engine = Engine::start(settings).await.expect("starting the engine");
    let passwords = Passwords::new(Default::default()).expect("settings of passwords");
    let sealing = SealingKeys::open(&folder.path().join("sealing.key")).expect("a key");
    let sealing = Arc::new(sealing);
    let entries = seed("seed.json", SEED).expect("the seed");
    let intake = Intake { engine: &engine, sealing: &sealing, passwords: &passwords };
    let bar = indicatif::ProgressBar::hidden();
    take_in(&intake, stream::iter(entries.into_iter().map(Ok)), &bar).await.expect("the seed");
    let attachments = AttachmentSettings::new(folder.path(), None).expect("a folder");
    let parts = Parts {
        settings: Noticed::default(),
        passwords: passwords.clone(),
        sealing: sealing.clone(),
        outbox: engine
            .outbox(Mailer::open(MailSettings::new(folder.path())).expect("a mailer"), sealing),
        attachments: Store::open(attachments).await.expect("a store"),
    };
    let issuer = LocalIssuer::from_secret(&[7; 32]).expect("an issuer");
    let metrics = PrometheusBuilder::new().install_recorder().expect("metrics");
    let app = App::new(
        engine.clone(),
        dossier::bearer::Verifier::new(issuer, chrono::Duration::seconds(30)),
        Services::new(parts),
        metrics,
        true,
    );
    let router = routes::router(app);
    log_ins(&router, &passwords).await;
    reads(&router).await;
    queries(&router).await;
    engine.stop().await;
    cluster.stop().await.expect("stopping");
}

async fn call(router: &Router, method: &str, path: &str, form: &str) -> Value {
    let target = match method {
        "GET" => format!("/api/1/{path}?accessTokenId={TOKEN}&{form}"),
        _ => format!("/api/1/{path}"),
    };
    let body = match method {
        "GET" => Body::empty(),
        _ => Body::from(format!("accessTokenId={TOKEN}&{form}")),
    };
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    let status = response.status();
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    assert!(status.is_success(), "{path}: {}", String::from_utf8_lossy(&bytes));
    serde_json::from_slice(&bytes).unwrap_or(Value::Null)
}

/// How often per second `work` is done by so many callers.
async fn rate<W: Future<Output = ()>>(callers: usize, work: impl Fn() -> W) -> f64 {
    let started = Instant::now();
    let work = &work;
    let counts = join_all((0..callers).map(|_| async move {
        let mut count = 0_u64;
        while started.elapsed() < PERIOD {
            work().await;
            count += 1;
        }
        count
    }));
    counts.await.iter().sum::<u64>() as f64 / started.elapsed().as_secs_f64()
}

async fn log_ins(router: &Router, passwords: &Passwords) {
    let password = || Password::parse("admin".to_owned()).expect("a password");
    let hash = passwords.hash(password()).await.expect("a hash");
    let bare = rate(16, async || {
        passwords.verify(password(), Some(hash.as_str())).await.expect("a verdict");
    })
    .await;
    let form = "tenantName=default&username=admin&password=admin";
    let whole = rate(16, async || {
        call(router, "POST", "authentication/authenticate", form).await;
    })
    .await;
    println!("Argon2id alone, 16 callers:   {bare:>9.1}/s");
    println!("authenticate, 16 callers:     {whole:>9.1}/s  {:.0} %", 100.0 * whole / bare);
}

async fn reads(router: &Router) {
    let form = "tenantName=default&username=admin&password=admin";
    let ticket = call(router, "POST", "authentication/authenticate", form).await;
    let (ticket, profile) = (ticket["id"].as_str(), ticket["profileId"].as_str());
    let ticket = format!("ticketId={}", ticket.expect("a ticket's id"));
    let path = format!("profile/{}", profile.expect("a profile's id"));
    for callers in [1, 64] {
        let by_ticket = rate(callers, async || {
            call(router, "GET", "profile/by_ticket", &ticket).await;
        });
        println!("by_ticket, {callers:>2} callers:        {:>9.0}/s", by_ticket.await);
        let get = rate(callers, async || {
            call(router, "GET", &path, "").await;
        });
        println!("get, {callers:>2} callers:              {:>9.0}/s", get.await);
    }
}

async fn queries(router: &Router) {
    let profiles: usize = std::env::var("DOSSIER_BENCH_PROFILES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_000);
    let started = Instant::now();
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    join_all((0..256).map(|_| async {
        loop {
            let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if number >= profiles {
                return;
            }
            let attributes = json!({ "firstName": format!("F{}", number % 5_000) });
            let form = format!(
                "tenantName=default&username=user{number}&email=u{number}@example.org\
                 &enabled=true&attributes={attributes}"
            );
            call(router, "POST", "profile/create", &form.replace('"', "%22")).await;
        }
    }))
    .await;
    let seconds = started.elapsed().as_secs_f64();
    println!("create, 256 callers:          {:>9.0}/s", profiles as f64 / seconds);
    for (what, query) in [
        ("username by a part of it", "{username: {$regex: '.*ser777.*', $options: 'i'}}"),
        ("username by what nobody has", "{username: {$regex: '.*nobody.*', $options: 'i'}}"),
        ("an attribute's value", "{attributes.firstName: 'F77'}"),
        ("an attribute by expression", "{attributes.firstName: /^F77$/}"),
    ] {
        let encode = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => c.to_string(),
            c => format!("%{:02X}", c as u32),
        };
        let query: String = query.chars().map(encode).collect();
        let form = format!("tenantName=default&query={query}&start=0&count=10");
        let mut times: Vec<Duration> = Vec::new();
        for _ in 0..20 {
            let started = Instant::now();
            call(router, "GET", "profile/by_query", &form).await;
            times.push(started.elapsed());
        }
        times.sort_unstable();
        println!(
            "by_query of {profiles}, {what}: p50 {:.1} ms, worst of 20 {:.1} ms",
            times[10].as_secs_f64() * 1e3,
            times[19].as_secs_f64() * 1e3
        );
    }
}
