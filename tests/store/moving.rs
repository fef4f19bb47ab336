//! Moving the whole log: out of one directory, into another.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::{Value, json};

use super::crash::Server;

const CATALOGUE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ops/demo/catalogue.toml");

fn dossier(data_dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dossier"))
        .args(arguments)
        .arg("--data-dir")
        .arg(data_dir)
        .output()
        .unwrap()
}

#[track_caller]
fn done(output: Output) -> String {
    let (told, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}{errors}");
    told.into_owned()
}

#[test]
fn a_log_moves_whole_into_an_empty_directory_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let file = folder.path().join("log.ndjson");
    let path = file.to_str().unwrap();
    done(dossier(&old, &["apply", CATALOGUE]));
    done(dossier(&old, &["seed", "--profiles", "20"]));
    assert!(done(dossier(&old, &["apply", CATALOGUE])).contains("nothing to change"));
    done(dossier(&old, &["export-log", path]));
    done(dossier(&new, &["import-log", path]));
    assert!(done(dossier(&new, &["verify"])).contains("all is well"));
    assert!(done(dossier(&new, &["apply", CATALOGUE])).contains("nothing to change"));
    assert!(!dossier(&new, &["import-log", path]).status.success());
    let whole = std::fs::read_to_string(&file).unwrap();
    let cut: String = whole.lines().take(40).map(|line| format!("{line}\n")).collect();
    std::fs::write(&file, cut).unwrap();
    let refused = dossier(&folder.path().join("third"), &["import-log", path]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("cut off"));
}

/// Takes claims and releases them, each write under a key of its own: an address goes to one person
/// after the other.
async fn write_for_ever(server: Arc<Server>, data_dir: PathBuf, writer: usize) {
    let ask = async |endpoint: &str, body: Value, key: String| {
        let request = server.request(&data_dir, endpoint, &body).header("idempotency-key", key);
        let answer = request.send().await.unwrap();
        serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()
    };
    let address = json!({ "email": format!("writer{writer}@moving.example") });
    let draft = ask("draft", address, format!("draft {writer}")).await;
    let email = draft["form_state"]["email_ids"][0].clone();
    for n in 0.. {
        let item = json!({ "name": format!("Writer {writer}"), "email_ids": [email] });
        let body = json!({ "profiles": [item] });
        let made = ask("create", body, format!("create {writer} {n}")).await;
        let id = made["results"][0]["profile_id"].clone();
        assert!(id.is_string(), "{made}");
        ask("delete", json!({ "profile_ids": [id] }), format!("delete {writer} {n}")).await;
    }
}

/// Issue 8: claims of later events came along, released ones went missing, and idempotency claims
/// had lost their answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_exported_while_others_write_is_sound_wherever_it_is_taken_in() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old");
    let server = Arc::new(Server::start(&old).await);
    let writers: Vec<_> = (0..6)
        .map(|writer| tokio::spawn(write_for_ever(server.clone(), old.clone(), writer)))
        .collect();
    for round in 0..3 {
        let file = folder.path().join(format!("{round}.ndjson"));
        let new = folder.path().join(format!("new {round}"));
        let path = file.to_str().unwrap().to_owned();
        let old = old.clone();
        tokio::task::spawn_blocking(move || {
            done(dossier(&old, &["export-log", &path]));
            done(dossier(&new, &["import-log", &path]));
            assert!(done(dossier(&new, &["verify"])).contains("all is well"));
        })
        .await
        .unwrap();
        let held = held(&file);
        assert!(held.is_empty(), "claims that no event of the file explains: {held:?}");
    }
    for writer in writers {
        assert!(!writer.is_finished());
        writer.abort();
    }
}

/// The addresses of the writers that the file says somebody holds whom it also says is deleted.
fn held(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let rows = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let rows: Vec<Value> = rows.collect();
    let of = |table: &'static str| rows.iter().filter(move |line| line["table"] == table);
    let events = |name: &'static str| {
        let events = of("log.events").filter(move |line| line["row"]["name"] == name);
        events.map(|line| line["row"]["stream_id"].clone()).collect::<Vec<_>>()
    };
    let (registered, deleted) = (events("ProfileRegistered"), events("ProfileDeleted"));
    let held = of("log.claims").filter(|line| line["row"]["kind"] == "login_email");
    held.map(|line| line["row"]["holder"].clone())
        .filter(|holder| !registered.contains(holder) || deleted.contains(holder))
        .collect()
}
