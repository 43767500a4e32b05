//! The JSON Schemas under `specs/schema/` are generated from the Rust types; this keeps them equal.
//! `just schemas` writes them anew.

use serde_json::Value;
use std::path::Path;

fn keep(name: &str, schema: Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/schema").join(name);
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os("ROTAPROBE_WRITE_SCHEMAS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == text, "specs/schema/{name} is out of date: run `just schemas`");
}

#[test]
fn schemas_are_those_of_the_types() {
    keep("spec.json", schemars::schema_for!(rotaprobe::spec::Spec).to_value());
    keep("report.json", rotaprobe::report::json::schema());
    keep("history.json", rotaprobe::record::schema());
    keep("finding.json", schemars::schema_for!(rotaprobe::campaign::fuzz::Finding).to_value());
    keep("vectors.json", schemars::schema_for!(crate::vectors::File).to_value());
}

#[test]
fn vector_files_fit_their_schema_and_a_spoilt_one_does_not() {
    let schema = schemars::schema_for!(crate::vectors::File).to_value();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/vectors");
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        assert!(validator.is_valid(&value));
        value["vectors"][0].as_object_mut().unwrap().remove("origin");
        assert!(!validator.is_valid(&value));
    }
}
