//! Bad specs get an error that names file, place and fix; the embedded ones are sound.

use rotaprobe::model::RULES;
use rotaprobe::spec::{self, Level, SpecError, Vendor};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FILE: &str = "my-vendor.yaml";

/// Every spec in `specs/`, whether it is in the binary or not.
pub(crate) fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    files.sort();
    files
}

/// The vendors of these files.
pub(crate) fn vendors() -> Vec<Arc<Vendor>> {
    files().iter().map(|file| Arc::new(spec::from_file(file).unwrap())).collect()
}

fn alibaba() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/specs/alibaba.yaml")).unwrap()
}

fn refused(text: &str) -> String {
    spec::from_text(FILE, text).expect_err("this spec is bad").to_string()
}

#[test]
fn a_bad_spec_is_refused_with_its_place_and_the_fix() {
    let good = alibaba();
    assert!(spec::from_text(FILE, &good).is_ok());
    let cases = [
        ("family: rpc-query", "family: rpc-queri", &["protocol.family", "line", "rpc-query"][..]),
        ("vendor: alibaba", "vendor: alibaba\nvendro: x", &["vendro", "line", "expected one of"]),
        ("min: 168h", "min: 168 hours", &["interval.min", "168 hours", "whole number"]),
        ("min: 168h", "min: 9000h", &["interval", "`min` is greater than `max`"]),
        (
            "source: [rotate, rotate-2021]\n    parameters",
            "source: [rotat]\n    parameters",
            &["operations.RotateSecret", "`rotat` is not among `sources`"],
        ),
        (
            "  faq:            {",
            "  idle:           { title: Idle }\n  faq:            {",
            &["sources.idle", "cite it or remove it"],
        ),
        (
            "[InvalidParameter, InvalidAccessKeyId.NotFound]",
            "[InvalidParametre]",
            &["operations.RotateSecret.errors", "`InvalidParametre` is not among `errors`"],
        ),
        ("  ROT-CUR-1:   {", "  ROT-CUR-9:   {", &["requirements.ROT-CUR-9", "no such rule"]),
        (
            "level: unspecified, why: no pending",
            "level: must, why: no pending",
            &["requirements.ROT-PEND-1", "needs a `source`"],
        ),
        (
            "parameter: EnableAutomaticRotation, is: true",
            "parameter: Enable, is: true",
            &["RotationInterval", "`Enable` is no parameter"],
        ),
        (
            "excludes: RecoveryWindowInDays",
            "excludes: Window",
            &["ForceDeleteWithoutRecovery", "`Window` is no parameter"],
        ),
        (
            "name-pattern: \"!acs/.*\"",
            "name-pattern: \"!acs/(\"",
            &["kinds.Generic.name-pattern", "no regular expression"],
        ),
        ("calls: 50", "calls: 0", &["limits", "greater than zero"]),
        ("role: rotate\n    source", "role: describe\n    source", &["operations", "has the role Rotate"]),
        ("methods: [POST, GET]", "methods: []", &["protocol.methods", "must not be empty"]),
    ];
    for (from, to, parts) in cases {
        assert!(good.contains(from), "{from} stands in the spec");
        let error = refused(&good.replacen(from, to, 1));
        assert!(error.starts_with(FILE), "{error}");
        for part in parts {
            assert!(error.contains(part), "{part} in {error}");
        }
    }
    assert!(refused("").starts_with(FILE));
    assert!(refused("vendor: [").starts_with(FILE));
    let missing = spec::from_file("no/such/file.yaml".as_ref()).unwrap_err();
    assert!(
        matches!(missing, SpecError::Unreadable { .. }) && missing.to_string().contains("no/such/file.yaml")
    );
}

#[test]
fn the_binary_has_every_spec_that_does_not_stay_on_disk() {
    let embedded = spec::embedded_names();
    assert_eq!(embedded, ["alibaba", "aws", "huawei", "tencent"]);
    for file in files() {
        let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let stays = text.starts_with("# From disk only: give it with --spec.\n");
        assert_eq!(embedded.contains(&stem), !stays, "{stem}");
        assert_eq!(spec::from_text(FILE, &text).unwrap().spec.vendor, stem);
    }
}

#[test]
fn every_rule_of_a_vendor_has_a_check() {
    for vendor in vendors() {
        let name = &vendor.spec.vendor;
        for (rule, requirement) in &vendor.spec.requirements {
            let checked = rotaprobe::check::checks().iter().any(|check| check.rule == rule);
            assert!(checked || requirement.level == Level::Unspecified, "{rule} of {name}");
            assert!(!requirement.why.is_empty(), "{rule} of {name} gives no reason");
            let cited = !vendor.spec.cite(&requirement.source).is_empty();
            assert_eq!(cited, requirement.level > Level::Unspecified, "{rule} of {name}");
        }
    }
    for check in rotaprobe::check::checks() {
        assert!(RULES.iter().any(|rule| rule.id == check.rule), "{} is in the catalogue", check.rule);
        assert!(check.how.len() > 20, "{} says how", check.rule);
    }
}

#[test]
fn an_operation_that_deletes_at_once_is_read_as_that() {
    let huawei = spec::embedded("huawei").unwrap();
    for (operation, at_once) in [("DeleteSecret", true), ("DeleteSecretForSchedule", false)] {
        let given = [("secret_name", "one"), ("recovery_window_in_days", "7")];
        let op = spec::interpret(&huawei, operation, &given, 0).unwrap().op;
        assert_eq!(op.force, at_once, "{operation}");
    }
}
