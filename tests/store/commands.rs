//! Commands as people type them, on a directory of their own.

use std::process::Command;

/// Runs a command; its exit status and what it wrote.
pub fn dossier(arguments: &[&str], settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_dossier"))
        .args(arguments)
        .env_remove("DATABASE_URL")
        .envs(settings.iter().copied())
        .output()
        .unwrap();
    let told = [ran.stdout, ran.stderr].concat();
    (ran.status.code(), String::from_utf8_lossy(&told).into_owned())
}

#[test]
fn a_directory_is_made_from_a_catalogue_and_told_that_it_was_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("data");
    let here = [("DOSSIER_DATA_DIR", place.to_str().unwrap())];
    let catalogue = folder.path().join("catalogue.toml");
    // As some editors write it.
    std::fs::write(&catalogue, "\u{feff}[[tenants]]\nname = \"acme\"\n").unwrap();
    let made = dossier(&["apply", catalogue.to_str().unwrap()], &here);
    assert_eq!(made.0, Some(0), "{}", made.1);
    for epoch in [2, 3] {
        let raised = dossier(&["restore-done"], &here);
        let expected = format!("epoch {epoch} begins: tokens from before are refused\n");
        assert_eq!(raised, (Some(0), expected));
    }
    let verified = dossier(&["verify"], &here);
    assert_eq!(verified.0, Some(0), "{}", verified.1);
    let export = folder.path().join("export");
    std::fs::create_dir(&export).unwrap();
    let import = ["import", export.to_str().unwrap()];
    let empty = dossier(&import, &here);
    assert!(empty.0 == Some(1) && empty.1.contains("holds none of accesstoken.json"), "{empty:?}");
    std::fs::write(export.join("Profile.JSON"), "").unwrap();
    let taken = dossier(&import, &here);
    assert_eq!(taken.0, Some(0), "{}", taken.1);
}

#[test]
fn a_log_setting_that_is_not_understood_is_a_refusal() {
    let setting = [("DOSSIER_LOG", "dossier=loud=very")];
    let (status, text) = dossier(&["verify", "--data-dir", "/nowhere"], &setting);
    assert!(status != Some(0) && text.contains("DOSSIER_LOG=\"dossier=loud=very\""), "{text}");
}
