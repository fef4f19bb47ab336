//! The style, as far as a program can check it.

use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 400;
const LINE_CHARACTERS_MAX: usize = 100;

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty(), "nothing in {folder}");
    found
}

/// Every mention of one of `names` in the code of `folder`.
fn mentions(folder: &str, names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources(folder) {
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if names.iter().any(|name| code.contains(name)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn the_domain_names_nothing_but_itself() {
    let others = ["crate::store", "crate::engine", "crate::api", "crate::projections"];
    assert_eq!(mentions("src/domain", &others), Vec::<String>::new());
    let impure = ["tokio", "async ", "axum", "Utc::now", "Uuid::now", "Uuid::new_v4", "rand::"];
    assert_eq!(mentions("src/domain", &impure), Vec::<String>::new());
}

#[test]
fn the_store_names_only_itself() {
    let others = ["crate::domain", "crate::engine", "crate::api", "crate::projections"];
    assert_eq!(mentions("src/store", &others), Vec::<String>::new());
}

#[test]
fn read_models_name_the_domain_only_and_their_folds_are_pure() {
    let others = ["crate::store", "crate::engine", "crate::api"];
    assert_eq!(mentions("projections", &others), Vec::<String>::new());
    let impure = ["async ", "Utc::now", "Uuid::now"];
    for line in mentions("projections", &impure) {
        assert!(!line.contains("fold.rs"), "{line}");
    }
}

#[test]
fn the_faces_never_name_the_store_nor_sql() {
    assert_eq!(mentions("src/api", &["crate::store", "tokio_postgres"]), Vec::<String>::new());
    let sql = ["\"select ", "\"insert ", "\"update ", "\"delete from"];
    assert_eq!(mentions("src/api", &sql), Vec::<String>::new());
}

#[test]
fn events_come_from_the_rules_by_way_of_a_decision() {
    // Whoever writes an event otherwise has gone past the rules, the claims or the guards.
    for (what, allowed) in [
        ("::decide(", "src/engine/write/decision.rs"),
        ("NewEvent {", "src/engine/write/decision.rs"),
        ("appender.append(", "src/engine/write/execute.rs"),
    ] {
        let mut found = mentions("src", &[what]);
        found.retain(|line| !line.contains("/src/domain/") && !line.contains("/src/store/"));
        assert!(!found.is_empty(), "{what} is nowhere");
        found.retain(|line| !line.contains(allowed));
        assert_eq!(found, Vec::<String>::new(), "outside {allowed}");
    }
}

#[test]
fn files_and_lines_stay_short() {
    let mut long = Vec::new();
    for folder in ["src", "projections", "tests", "benches"] {
        for (path, text) in sources(folder) {
            let lines = text.lines().count();
            if lines > FILE_LINES_MAX {
                long.push(format!("{}: {lines} lines", path.display()));
            }
            for (number, line) in text.lines().enumerate() {
                // A string that is data may be as long as it is.
                if line.chars().count() > LINE_CHARACTERS_MAX && !line.contains('"') {
                    long.push(format!("{}:{}: a long line", path.display(), number + 1));
                }
            }
        }
    }
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn each_module_says_what_it_is_for() {
    for folder in ["src", "projections"] {
        for (path, text) in sources(folder) {
            assert!(text.starts_with("//!"), "{} begins without //!", path.display());
        }
    }
}

#[test]
fn every_dependency_stands_below_a_line_that_says_what_for() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    let text = text.unwrap();
    let dependencies = text.split("[dependencies]\n").nth(1).unwrap();
    assert!(dependencies.starts_with('#'), "the first dependency has no reason");
}
