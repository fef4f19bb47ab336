//! The header of each read model says what feeds it, what it fills and who reads it.

use std::fs;
use std::path::Path;

use dossier::api::openapi;
use dossier::projections::all;
use serde_json::Value;

/// What a header says.
pub(super) struct Header {
    pub fed_by: String,
    pub fills: String,
    pub read_by: String,
}

/// The header of the read model of this name.
pub(super) fn header(model: &str) -> Header {
    let file = root().join("projections").join(model).join("mod.rs");
    let text = fs::read_to_string(file).expect("a read model has a folder of its name");
    let header: Vec<&str> =
        text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let header = header.join(" ");
    let part = |from: &str, to: &str| {
        let (_, rest) = header.split_once(from).unwrap_or_else(|| panic!("{model}: no {from:?}"));
        if to.is_empty() { rest } else { rest.split_once(to).expect(to).0 }.trim().to_owned()
    };
    Header {
        fed_by: part("Fed by:", "Fills:"),
        fills: part("Fills:", "Read by:"),
        read_by: part("Read by:", ""),
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether there is such an operation, or such a module of the engine.
fn exists(reader: &str, paths: &Value) -> bool {
    let reader = reader.split(" (").next().unwrap_or_default().trim();
    if let Some((method, path)) = reader.split_once(' ')
        && path.starts_with('/')
    {
        return paths[path][method.to_lowercase()].is_object();
    }
    let module = root().join("src").join(reader);
    module.is_dir() || module.with_extension("rs").is_file()
}

#[test]
fn each_read_model_fills_its_table_and_is_read_by_what_its_header_names() {
    let document = serde_json::to_value(openapi()).unwrap();
    let models = all();
    assert!(!models.is_empty());
    for model in models {
        let header = header(model.name);
        assert_eq!(header.fills, model.name);
        for reader in header.read_by.split(',') {
            assert!(exists(reader, &document["paths"]), "{}: no {reader:?}", model.name);
        }
    }
}
