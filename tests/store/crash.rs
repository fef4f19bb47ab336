//! kill -9 of the server and of its database under load, again and again: what was acknowledged is
//! there afterwards.

use std::collections::HashSet;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

const KILLS: usize = 3;
const WRITERS: usize = 8;

/// A server of the demo, in a process of its own.
pub struct Server {
    child: Child,
    pub base: String,
    pub client: reqwest::Client,
}

impl Server {
    /// Starts it on this directory.
    pub async fn start(data_dir: &Path) -> Server {
        // The port is free when it is asked for; nobody else here takes ports by number.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let child = Command::new(env!("CARGO_BIN_EXE_dossier"))
            .args(["serve", "--demo", "--listen", &address.to_string(), "--data-dir"])
            .arg(data_dir)
            .env("DOSSIER_LOG", "error")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let client = reqwest::Client::new();
        let server = Server { child, base: format!("http://{address}"), client };
        let ready = async {
            while server.client.get(format!("{}/readyz", server.base)).send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(90), ready).await.unwrap();
        server
    }

    /// A request to an endpoint of v5; `draft` is PATCHed.
    pub fn request(
        &self,
        data_dir: &Path,
        endpoint: &str,
        body: &Value,
    ) -> reqwest::RequestBuilder {
        let method = if endpoint == "draft" { Method::PATCH } else { Method::POST };
        let env = std::fs::read_to_string(data_dir.join("demo.env")).unwrap();
        let of = |name: &str| {
            let line = env.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().to_owned()
        };
        self.client
            .request(method, format!("{}/api/v5/artifacts/profiles/{endpoint}", self.base))
            .header("x-api-key", of("DOSSIER_API_KEY="))
            .header("authorization", format!("Bearer {}", of("DOSSIER_TOKEN=")))
            .header("content-type", "application/json")
            .body(body.to_string())
    }
}

async fn write_until_dead(
    server: Arc<Server>,
    data_dir: std::path::PathBuf,
    writer: usize,
    acknowledged: Arc<Mutex<HashSet<String>>>,
) {
    for n in 0.. {
        let body = json!({ "profiles": [{ "name": format!("Writer {writer} {n}") }] });
        let answer = server.request(&data_dir, "create", &body).send().await;
        let Ok(answer) = answer else { return };
        let Ok(text) = answer.text().await else { return };
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        if let Some(id) = answer["results"][0]["profile_id"].as_str() {
            acknowledged.lock().await.insert(id.to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_every_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let acknowledged = Arc::new(Mutex::new(HashSet::new()));
    for _ in 0..KILLS {
        let mut server = Server::start(&data_dir).await;
        let pid = server.child.id().unwrap();
        let child = std::mem::replace(&mut server.child, Command::new("true").spawn().unwrap());
        let server = Arc::new(server);
        let before = acknowledged.lock().await.len();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                tokio::spawn(write_until_dead(
                    server.clone(),
                    data_dir.clone(),
                    writer,
                    acknowledged.clone(),
                ))
            })
            .collect();
        // Amid the load: as soon as enough was acknowledged to lose.
        while acknowledged.lock().await.len() < before + 100 {
            tokio::task::yield_now().await;
        }
        let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
        let mut child = child;
        child.wait().await.unwrap();
        for writer in writers {
            writer.await.unwrap();
        }
    }
    let mut server = Server::start(&data_dir).await;
    let acknowledged = acknowledged.lock().await;
    assert!(acknowledged.len() >= KILLS * 100);
    for id in acknowledged.iter() {
        let body = json!({ "target_profile_id": id });
        let answer = server.request(&data_dir, "get", &body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{id} was acknowledged and is gone");
    }
    let pid = i32::try_from(server.child.id().unwrap()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM)
        .unwrap();
    assert!(server.child.wait().await.unwrap().success());
    let verified = Command::new(env!("CARGO_BIN_EXE_dossier"))
        .args(["verify", "--data-dir"])
        .arg(&data_dir)
        .output()
        .await
        .unwrap();
    let told = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success(), "{told}");
}

/// Ends the database of a server with all its processes, as a power cut does.
fn kill_database(data_dir: &Path) {
    let pid = std::fs::read_to_string(data_dir.join("postgres/data/postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap();
    let children = format!("/proc/{pid}/task/{pid}/children");
    let children = std::fs::read_to_string(children).unwrap_or_default();
    for pid in [pid].into_iter().chain(children.split_whitespace()) {
        let pid = nix::unistd::Pid::from_raw(pid.parse().unwrap());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
    }
}

/// Renames a profile again and again, and reads it back whenever an answer says that it can be.
async fn write_and_read_back(
    server: Arc<Server>,
    data_dir: std::path::PathBuf,
    id: String,
    read_back: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
) {
    for n in 0.. {
        if enough.load(Ordering::Relaxed) {
            return;
        }
        let body = json!({ "profiles": [{ "profile_id": id, "name": format!("{n}") }] });
        let answer = server.request(&data_dir, "update", &body).send().await.unwrap();
        let folded = !answer.headers().contains_key("dossier-folded");
        if answer.status() != 200 || !folded {
            continue;
        }
        let body = json!({ "target_profile_id": id });
        let answer = server.request(&data_dir, "get", &body).send().await.unwrap();
        if answer.status() == 200 {
            let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            let name = answer["names"]["resource"]["name"].as_str().unwrap();
            assert!(name.parse::<usize>().unwrap() >= n, "{name} was read behind {n}");
            read_back.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_to_be_folded_is_read_back_though_the_database_dies() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let mut server = Server::start(&data_dir).await;
    let child = std::mem::replace(&mut server.child, Command::new("true").spawn().unwrap());
    let server = Arc::new(server);
    let (read_back, enough) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let mut writers = Vec::new();
    for _ in 0..2 * WRITERS {
        let body = json!({ "profiles": [{ "name": "0" }] });
        let answer = server.request(&data_dir, "create", &body).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let id = answer["results"][0]["profile_id"].as_str().unwrap().to_owned();
        let (server, data_dir) = (server.clone(), data_dir.clone());
        let (read_back, enough) = (read_back.clone(), enough.clone());
        let writing = write_and_read_back(server, data_dir, id, read_back, enough);
        writers.push(tokio::spawn(writing));
    }
    for kill in 0..=KILLS {
        let before = read_back.load(Ordering::Relaxed);
        while read_back.load(Ordering::Relaxed) < before + 200 {
            assert!(!writers.iter().any(tokio::task::JoinHandle::is_finished));
            tokio::task::yield_now().await;
        }
        if kill < KILLS {
            kill_database(&data_dir);
        }
    }
    enough.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM)
        .unwrap();
    let mut child = child;
    assert!(child.wait().await.unwrap().success());
}
