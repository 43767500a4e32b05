//! A vendor needs no Rust and no rebuild: one whose spec is on disk only is checked, served and explained
//! like those in the binary.

use crate::cli::{Emulator, rotaprobe, text};
use rotaprobe::campaign::read_journal;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

fn file() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/volcengine.yaml").to_str().unwrap().to_owned()
}

/// A copy of the spec with something replaced, in a folder.
fn copy(folder: &Path, name: &str, from: &str, to: &str) -> PathBuf {
    let spec = std::fs::read_to_string(file()).unwrap();
    assert!(spec.contains(from), "{from} stands in the spec");
    let path = folder.join(name);
    std::fs::write(&path, spec.replacen(from, to, 1)).unwrap();
    path
}

fn in_folder(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rotaprobe")).args(args).current_dir(folder).output().unwrap()
}

#[test]
fn it_is_checked_in_process() {
    let output = rotaprobe(&["check", "--spec", &file(), "--seed", "7"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("volcengine · the embedded reference of volcengine"), "{said}");
    assert!(said.contains("coverage  10 of 10 operations, "), "{said}");
}

#[test]
fn it_is_served_in_one_process_and_checked_in_another() {
    let emulator = Emulator::of(&["--spec", &file()], &[]);
    let output = emulator.check(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("none violated"), "{}", text(&output));
}

#[test]
fn a_fault_is_found_and_the_report_repeats_the_option() {
    let emulator = Emulator::of(&["--spec", &file()], &["--fault", "interval-max-off-by-one"]);
    let output = emulator.check(&["--rule", "ROT-POL-1"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let again = format!("again     rotaprobe check --spec {} --seed 7 --endpoint", file());
    assert!(text(&output).contains(&again), "{again} in {}", text(&output));
}

#[test]
fn a_copy_under_another_name_works_from_another_directory() {
    let folder = tempfile::tempdir().unwrap();
    copy(folder.path(), "mine.yaml", "vendor: volcengine", "vendor: my-own");
    let output = in_folder(folder.path(), &["check", "--spec", "mine.yaml", "--rule", "ROT-CUR-*"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("my-own · the embedded reference of my-own"), "{}", text(&output));
    let both = ["specs", "list", "--spec", "mine.yaml", "--spec", &file()];
    let said = text(&in_folder(folder.path(), &both));
    assert!(said.lines().map(|line| line.split(' ').next().unwrap()).eq(["my-own", "volcengine"]), "{said}");
    let said = text(&in_folder(folder.path(), &["explain", "ROT-POL-1", "--spec", "mine.yaml"]));
    assert!(said.contains("my-own     must: 1 to 365 days"), "{said}");
    let said = text(&in_folder(folder.path(), &["specs", "show", "--spec", "mine.yaml"]));
    assert!(said.starts_with("my-own  Volcengine KMS"), "{said}");
}

/// A journal knows its spec from wherever somebody cleans up.
#[test]
fn a_journal_remembers_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let mine = copy(folder.path(), "mine.yaml", "vendor: volcengine", "vendor: my-own");
    let emulator = Emulator::of(&["--spec", mine.to_str().unwrap()], &[]);
    let journal = folder.path().join("kept.journal");
    let path = journal.to_str().unwrap();
    let mut process = Command::new(env!("CARGO_BIN_EXE_rotaprobe"))
        .args(["check", "--spec", "mine.yaml", "--endpoint", &emulator.url, "--journal", path])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !std::fs::read_to_string(&journal).is_ok_and(|lines| lines.contains("making")) {
        assert!(Instant::now() < deadline, "nothing was made");
        std::thread::sleep(Duration::from_millis(1));
    }
    process.kill().unwrap();
    process.wait().unwrap();
    let head = read_journal(&journal).unwrap().head;
    assert_eq!(head.vendor, "my-own");
    assert!(head.spec.unwrap().is_absolute());
    let output = rotaprobe(&["cleanup", path, "--spec", &file()]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("is of my-own, and"), "{}", text(&output));
    let output = rotaprobe(&["cleanup", path]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(!journal.exists());
}

#[test]
fn it_is_not_in_the_binary() {
    for command in ["check", "emulate"] {
        let output = rotaprobe(&[command, "--vendor", "volcengine"]);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("no vendor `volcengine`; known: alibaba, aws, huawei, tencent"), "{said}");
        assert!(said.contains("--spec FILE"), "{said}");
    }
}

#[test]
fn a_bad_file_is_told_with_line_path_and_fix_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = copy(
        folder.path(),
        "wrong.yaml",
        "bad-method:        { settled: false, codes: [MethodNotAllowed",
        "bad-method:        { settled: false, codes: [MethodNotAllowd",
    );
    let wrong = wrong.to_str().unwrap();
    let commands: [&[&str]; 6] = [
        &["check", "--spec"],
        &["emulate", "--spec"],
        &["explain", "ROT-POL-1", "--spec"],
        &["specs", "lint"],
        &["specs", "show", "--spec"],
        &["specs", "coverage", "--spec"],
    ];
    for command in commands {
        let output = rotaprobe(&[command, &[wrong]].concat());
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
        for part in [wrong, "at `conditions.bad-method`, line ", "`MethodNotAllowd`", "add it there"] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
    let nowhere = folder.path().join("nowhere.yaml");
    let output = rotaprobe(&["check", "--spec", nowhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("give the path of a readable YAML file"), "{}", text(&output));
    let output = rotaprobe(&["check", "--spec", &file(), "--vendor", "aws"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("cannot be used with"), "{}", text(&output));
}

#[test]
fn lint_says_what_is_odd_and_passes_all_the_same() {
    let output = rotaprobe(&["specs", "lint", &file()]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in [
        "a sound spec of volcengine, ",
        "at `operations.RotateSecret.parameters.VersionName`: each constraint is open (min, max, pattern)",
        "at `requirements`: no level is given to ",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}
