//! Commands that are given a place where no directory is. Regression of issue 8.

use tokio_postgres::config::Host;

use super::commands::dossier;
use crate::support::database::{database, superuser, superuser_of};

#[test]
fn a_mistyped_place_is_told_and_nothing_is_made_there() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("mistyped");
    let file = folder.path().join("people.ndjson");
    std::fs::write(&file, "{\"id\":\"a\",\"name\":\"A\"}\n").unwrap();
    let export = folder.path().join("export");
    std::fs::create_dir(&export).unwrap();
    std::fs::write(export.join("profile.json"), "").unwrap();
    let file = file.to_str().unwrap();
    let log = folder.path().join("log");
    for arguments in [
        vec!["verify"],
        vec!["rebuild"],
        vec!["token", "--profile", "ada@example.org"],
        vec!["export-log", log.to_str().unwrap()],
        vec!["import", file],
        vec!["import", export.to_str().unwrap()],
        vec!["seed", "--profiles", "1"],
        vec!["restore-done"],
    ] {
        let (status, told) = dossier(&arguments, &[("DOSSIER_DATA_DIR", place.to_str().unwrap())]);
        assert_eq!(status, Some(1), "{arguments:?}: {told}");
        assert!(told.contains("there is no directory in"), "{arguments:?}: {told}");
        assert!(!place.exists(), "{arguments:?}");
        assert!(!log.exists(), "{arguments:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_is_told_and_nothing_is_made_in_it() {
    let database = database().await;
    let client = superuser(&database).await;
    let empty = format!("{}_empty", database.config().get_dbname().unwrap());
    client.batch_execute(&format!("create database {empty}")).await.unwrap();
    let [Host::Unix(folder)] = database.config().get_hosts() else { panic!("a socket") };
    let url = format!("postgres://postgres@/{empty}?host={}", folder.display());
    for command in ["verify", "rebuild", "restore-done", "seed"] {
        let (status, told) = dossier(&[command, "--database-url", &url], &[]);
        assert_eq!(status, Some(1), "{command}: {told}");
        assert!(told.contains("--database-url holds no directory"), "{command}: {told}");
    }
    let made = "select count(*) from pg_namespace where nspname in ('log', 'ops', 'views')";
    let made: i64 = superuser_of(&empty).await.query_one(made, &[]).await.unwrap().get(0);
    assert_eq!(made, 0);
    client.batch_execute(&format!("drop database {empty} with (force)")).await.unwrap();
}
