//! Commands that are given a place where no directory is. Regression of issue 8.

use std::process::Command;

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
        let ran = Command::new(env!("CARGO_BIN_EXE_dossier"))
            .args(&arguments)
            .arg("--data-dir")
            .arg(&place)
            .env_remove("DATABASE_URL")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains("there is no directory in"), "{arguments:?}: {told}");
        assert!(!place.exists(), "{arguments:?}");
        assert!(!log.exists(), "{arguments:?}");
    }
}
