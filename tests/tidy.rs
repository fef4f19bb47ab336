//! The style, as far as a program can check it.

use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 400;
const LINE_CHARACTERS_MAX: usize = 100;
const FUNCTION_LINES_MAX: usize = 70;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = root().join(folder);
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
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut dependencies = 0;
    for section in text.split("\n[").filter(|section| section.contains("dependencies]")) {
        let lines: Vec<&str> = section.lines().skip(1).filter(|line| !line.is_empty()).collect();
        for pair in lines.windows(2).filter(|pair| !pair[1].starts_with('#')) {
            assert!(pair[0].starts_with('#'), "no reason above {:?}", pair[1]);
            dependencies += 1;
        }
    }
    assert!(dependencies > 50, "{dependencies}");
}

#[test]
fn functions_stay_short() {
    let mut long = Vec::new();
    for folder in ["src", "projections", "tests", "benches"] {
        for (path, text) in sources(folder) {
            let lines: Vec<&str> = text.lines().collect();
            for (begin, line) in lines.iter().enumerate() {
                let indent = line.len() - line.trim_start().len();
                let words: Vec<&str> = line.split_whitespace().take(5).collect();
                if !words.contains(&"fn") || line.trim_start().starts_with("//") {
                    continue;
                }
                // Formatted code ends a body, or a declaration without one, at its own indent.
                let ends = |line: &&str| {
                    let own = line.len() - line.trim_start().len() == indent;
                    own && (line.trim() == "}" || line.trim_end().ends_with(';'))
                };
                let length = match line.trim_end().ends_with(['}', ';']) {
                    true => 1,
                    false => 1 + lines[begin + 1..].iter().take_while(|line| !ends(line)).count(),
                };
                if length >= FUNCTION_LINES_MAX {
                    long.push(format!("{}:{}: {length} lines", path.display(), begin + 1));
                }
            }
        }
    }
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn every_module_is_reachable() {
    // A file that no `mod` names is compiled by nobody.
    for folder in ["src", "projections", "tests"] {
        for (path, _) in sources(folder) {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap();
            let parent = path.parent().unwrap();
            let (name, within) = match name {
                "lib" | "main" => continue,
                "mod" => (parent.file_name().and_then(|name| name.to_str()).unwrap(), parent),
                name => (name, path.as_path()),
            };
            let folder = within.parent().unwrap();
            let declaring = [
                folder.join("mod.rs"),
                folder.join("lib.rs"),
                folder.join("main.rs"),
                folder.with_extension("rs"),
                root().join("src/lib.rs"),
            ];
            let mut texts = declaring.iter().filter_map(|file| fs::read_to_string(file).ok());
            let word = format!("mod {name};");
            assert!(texts.any(|text| text.contains(&word)), "no mod {name}: {}", path.display());
        }
    }
}
