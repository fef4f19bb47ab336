//! What the Profiles v5 face costs over HTTP: the server itself as a process of its own, made-up
//! profiles beside the demo's, and callers on this machine. Read the ratios. `make bench`; sizes by
//! DOSSIER_BENCH_PROFILES.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Client;
use serde_json::{Value, json};

const PERIOD: Duration = Duration::from_secs(6);
const DOSSIER: &str = env!("CARGO_BIN_EXE_dossier");
const READY_SECONDS_MAX: u64 = 120;

/// A running server, and what its callers need.
struct Server {
    process: Child,
    base: String,
    client: Client,
    key: String,
    token: String,
}

impl Server {
    async fn start(data_dir: &Path) -> Server {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("its address").to_string();
        drop(free);
        let process = Command::new(DOSSIER)
            .args(["serve", "--demo", "--listen", &address, "--data-dir"])
            .arg(data_dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starting the server");
        let (client, base) = (Client::new(), format!("http://{address}"));
        let started = Instant::now();
        loop {
            let ready = client.get(format!("{base}/readyz")).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                break;
            }
            assert!(started.elapsed().as_secs() < READY_SECONDS_MAX, "the server is not ready");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let secrets = std::fs::read_to_string(data_dir.join("demo.env")).expect("the secrets");
        let secret = |name: &str| {
            let line = secrets.lines().find_map(|line| line.strip_prefix(name));
            line.expect("a secret").trim_matches('\'').to_owned()
        };
        let (key, token) = (secret("DOSSIER_API_KEY="), secret("DOSSIER_TOKEN="));
        Server { process, base, client, key, token }
    }

    async fn v5(&self, endpoint: &str, body: &Value) -> Value {
        let call = self.client.post(format!("{}/api/v5/artifacts/profiles/{endpoint}", self.base));
        let call = call.header("x-api-key", &self.key).bearer_auth(&self.token).json(body);
        let answer = call.send().await.expect("an answer");
        let status = answer.status();
        let body: Value = answer.json().await.expect("JSON");
        assert!(status.is_success(), "{endpoint}: {body}");
        body
    }

    /// A figure of `/metrics`, in MiB.
    async fn mebibytes(&self, name: &str) -> f64 {
        let answer = self.client.get(format!("{}/metrics", self.base)).send().await;
        let text = answer.expect("an answer").text().await.expect("a text");
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let bytes: f64 = line.expect("the figure").trim().parse().expect("a number");
        bytes / f64::from(1 << 20)
    }

    fn stop(mut self) {
        let id = self.process.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().expect("telling it to stop");
        self.process.wait().expect("the end of the server");
    }
}

/// How often per second `work` is done by so many callers, and the median and 99th percentile of
/// its time in milliseconds.
async fn rate<W: Future<Output = ()>>(callers: usize, work: impl Fn() -> W) -> (f64, f64, f64) {
    let started = Instant::now();
    let work = &work;
    let times = join_all((0..callers).map(|_| async move {
        let mut times = Vec::new();
        while started.elapsed() < PERIOD {
            let begun = Instant::now();
            work().await;
            times.push(begun.elapsed());
        }
        times
    }));
    let mut times: Vec<Duration> = times.await.into_iter().flatten().collect();
    let seconds = started.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1e3;
    (times.len() as f64 / seconds, at(50), at(99))
}

async fn report<W: Future<Output = ()>>(what: &str, callers: usize, work: impl Fn() -> W) {
    let (rate, p50, p99) = rate(callers, work).await;
    println!("{what}, {callers:>3} callers: {rate:>8.0}/s  p50 {p50:.2} ms, p99 {p99:.2} ms");
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder for the server");
    let data_dir = folder.path().join("data");
    let profiles = std::env::var("DOSSIER_BENCH_PROFILES").unwrap_or("100000".to_owned());
    // The demo's catalogue first, then people made up beside its own.
    Server::start(&data_dir).await.stop();
    let seeded = Command::new(DOSSIER)
        .args(["seed", "--tenant", "default", "--profiles", &profiles, "--changes", "3"])
        .arg("--data-dir")
        .arg(&data_dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(seeded.expect("seeding").success(), "seeding");
    let started = Instant::now();
    let server = Server::start(&data_dir).await;
    println!("{profiles} profiles; ready after {:.2} s", started.elapsed().as_secs_f64());
    let memory = server.mebibytes("process_resident_memory_bytes ").await;
    println!("memory once ready: {memory:.0} MiB");
    let found = server.v5("search", &json!({ "search": "a", "page_size": 1 })).await;
    let id = found["profiles"][0]["profile_id"].clone();
    assert!(id.is_string(), "{found}");
    for callers in [1, 64] {
        report("get", callers, async || {
            server.v5("get", &json!({ "profile_id": id })).await;
        })
        .await;
        for term in ["", "a", "an", "exa", "zizison", "qqqq"] {
            let what = format!("search {term:?}");
            report(&what, callers, async || {
                server.v5("search", &json!({ "search": term, "page_size": 12 })).await;
            })
            .await;
        }
    }
    for callers in [1, 256] {
        report("create", callers, async || {
            let person = json!({ "name": "Somebody New" });
            server.v5("create", &json!({ "profiles": [person] })).await;
        })
        .await;
    }
    let memory = server.mebibytes("process_resident_memory_bytes ").await;
    println!("memory at the end: {memory:.0} MiB");
    server.stop();
}
