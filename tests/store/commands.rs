//! Commands as people type them, on a directory of their own.

use std::path::Path;
use std::process::{Command, Output};

fn dossier(arguments: &[&str], data_dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dossier"))
        .args(arguments)
        .arg("--data-dir")
        .arg(data_dir)
        .env_remove("DATABASE_URL")
        .output()
        .unwrap()
}

fn told(output: &Output) -> (Option<i32>, String) {
    let all = [output.stdout.as_slice(), &output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&all).into_owned())
}

#[test]
fn a_directory_is_made_from_a_catalogue_and_told_that_it_was_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("data");
    let catalogue = folder.path().join("catalogue.toml");
    // As some editors write it.
    std::fs::write(&catalogue, "\u{feff}[[tenants]]\nname = \"acme\"\n").unwrap();
    let made = told(&dossier(&["apply", catalogue.to_str().unwrap()], &place));
    assert_eq!(made.0, Some(0), "{}", made.1);
    for epoch in [2, 3] {
        let raised = told(&dossier(&["restore-done"], &place));
        let expected = format!("epoch {epoch} begins: tokens from before are refused\n");
        assert_eq!(raised, (Some(0), expected));
    }
    let verified = told(&dossier(&["verify"], &place));
    assert_eq!(verified.0, Some(0), "{}", verified.1);
    let export = folder.path().join("export");
    std::fs::create_dir(&export).unwrap();
    let import = ["import", export.to_str().unwrap()];
    let empty = told(&dossier(&import, &place));
    assert!(empty.0 == Some(1) && empty.1.contains("holds none of accesstoken.json"), "{empty:?}");
    std::fs::write(export.join("Profile.JSON"), "").unwrap();
    let taken = told(&dossier(&import, &place));
    assert_eq!(taken.0, Some(0), "{}", taken.1);
}

#[test]
fn a_log_setting_that_is_not_understood_is_a_refusal() {
    let ran = Command::new(env!("CARGO_BIN_EXE_dossier"))
        .args(["verify", "--data-dir", "/nowhere"])
        .env("DOSSIER_LOG", "dossier=loud=very")
        .output()
        .unwrap();
    let (status, text) = told(&ran);
    assert!(status != Some(0) && text.contains("DOSSIER_LOG=\"dossier=loud=very\""), "{text}");
}
