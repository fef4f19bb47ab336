//! Moving the whole log: out of one directory, into another.

use std::path::Path;
use std::process::{Command, Output};

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
