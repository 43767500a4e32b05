//! The program as its users have it: commands, messages, exit codes, files, and processes that talk.

use rotaprobe::emulator::hostile::Hostile;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

pub(crate) fn rotaprobe(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rotaprobe"));
    for name in ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"] {
        command.env_remove(name).env_remove(format!("{name}_2"));
    }
    // Journals of runs that could not clean up stay where they were written.
    command.args(args).current_dir(env!("CARGO_TARGET_TMPDIR")).stdin(Stdio::null()).output().unwrap()
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// An emulator in a process of its own; ended with the value.
pub(crate) struct Emulator {
    process: Child,
    /// The arguments that say which vendor's it is.
    which: Vec<String>,
    pub(crate) url: String,
    pub(crate) control: String,
}

impl Emulator {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::of(&["--vendor", "alibaba"], args)
    }

    pub(crate) fn of(which: &[&str], args: &[&str]) -> Self {
        let (process, lines) = emulators(&[&["--control", "127.0.0.1:0"], which, args].concat(), 2);
        let control = lines[1].strip_prefix("control ").unwrap().to_owned();
        let which = which.iter().map(|arg| (*arg).to_owned()).collect();
        Self { process, which, url: lines[0].clone(), control }
    }

    pub(crate) fn check(&self, more: &[&str]) -> Output {
        let mut args = vec!["check", "--seed", "7", "--endpoint", &self.url, "--control", &self.control];
        args.extend(self.which.iter().map(String::as_str));
        args.extend(more);
        rotaprobe(&args)
    }
}

/// Emulators in a process, and the first lines that it prints.
fn emulators(args: &[&str], lines: usize) -> (Child, Vec<String>) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_rotaprobe"))
        .arg("emulate")
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let reader = BufReader::new(process.stdout.take().unwrap());
    let lines = reader.lines().take(lines).map(|line| line.unwrap()).collect();
    (process, lines)
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn an_emulator_in_another_process_conforms_and_the_reports_say_so() {
    let emulator = Emulator::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let (json, junit) = (folder.path().join("r.json"), folder.path().join("r.xml"));
    let output = emulator.check(&[
        "--report",
        &format!("json={}", json.display()),
        "--report",
        &format!("junit={}", junit.display()),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    let schema: Value = serde_json::from_str(
        &std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/schema/report.json"))
            .unwrap(),
    )
    .unwrap();
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&report));
    assert_eq!(report["seed"], 7);
    assert_eq!(report["summary"]["rules"]["violated"], 0);
    assert!(report["summary"]["rules"]["holds"].as_u64().unwrap() > 60);
    assert_eq!(report["summary"]["left_behind"], 0);
    assert_eq!(report["coverage"][0]["vendor"], "alibaba");
    assert!(text(&output).contains("\ncoverage  "), "{}", text(&output));
    let junit = std::fs::read_to_string(junit).unwrap();
    assert!(junit.contains("ROT-IDEMP-1") && !junit.contains("<failure"), "{junit}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing half-written is left");
}

#[test]
fn a_fault_is_found_over_http_and_the_report_can_be_acted_on() {
    for (fault, rule) in [
        ("token-ignored", "ROT-IDEMP-1"),
        ("interval-max-off-by-one", "ROT-POL-1"),
        ("value-in-header", "LEAK-1"),
    ] {
        let emulator = Emulator::start(&["--fault", fault]);
        let output = emulator.check(&["--rule", rule]);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        for part in [
            rule,
            "expected",
            "observed",
            "says",
            "curl -sS",
            "again     rotaprobe check --vendor alibaba --seed 7",
        ] {
            assert!(said.contains(part), "{part} in {said}");
        }
        assert!(!said.contains("canary-") && !said.contains("testsecret"), "{said}");
    }
}

#[test]
fn hostile_transports_end_in_a_verdict() {
    for (way, name) in Hostile::ALL {
        let emulator = Emulator::start(&["--fault", name]);
        let began = Instant::now();
        let output = emulator.check(&["--rule", "ROT-IDEMP-*", "--timeout", "400", "--deadline", "20"]);
        assert!(matches!(output.status.code(), Some(1 | 3)), "{way:?}: {}", text(&output));
        assert!(began.elapsed() < Duration::from_secs(30), "{way:?}");
    }
}

/// Answers every request with the same bytes, a thread for each connection.
fn static_server(reply: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            std::thread::spawn(move || {
                let mut bytes = [0; 65_536];
                while stream.read(&mut bytes).is_ok_and(|read| read > 0) {
                    if stream.write_all(reply).is_err() {
                        break;
                    }
                }
            });
        }
    });
    url
}

#[test]
fn what_is_no_such_endpoint_never_passes() {
    let files = static_server(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 20\r\n\r\n<html>a file</html>\n",
    );
    let json =
        static_server(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}");
    let no = static_server(
        b"HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: 9\r\n\r\nnot found",
    );
    for url in [files, json, no] {
        let output = rotaprobe(&["check", "--vendor", "alibaba", "--endpoint", &url, "--deadline", "20"]);
        assert!(matches!(output.status.code(), Some(1 | 3)), "{}", text(&output));
    }
}

#[test]
fn an_endpoint_that_cannot_be_checked_is_one_clear_error() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let emulator = Emulator::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys.yaml");
    std::fs::write(&keys, "accounts: [{ key: testid, secret: wrong-secret-key }]").unwrap();
    let unknown = folder.path().join("unknown.yaml");
    std::fs::write(&unknown, "accounts: [{ key: nobody, secret: nothing-at-all }]").unwrap();
    let cases = [
        (format!("http://{closed}"), None, "is it running"),
        (format!("http://{}", silent.local_addr().unwrap()), None, "time limit"),
        (emulator.url.clone(), Some(&keys), "is the secret key right"),
        (emulator.url.clone(), Some(&unknown), "does not know the access key"),
    ];
    for (url, credentials, part) in cases {
        let began = Instant::now();
        let mut args = vec!["check", "--vendor", "alibaba", "--endpoint", &url];
        if let Some(path) = credentials {
            args.extend(["--credentials", path.to_str().unwrap()]);
        }
        let output = rotaprobe(&args);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output));
        assert!(text(&output).contains(part), "{part} in {}", text(&output));
        assert!(!text(&output).contains("wrong-secret-key"));
        assert!(began.elapsed() < Duration::from_secs(5), "{url}");
    }
}

#[test]
fn bad_input_names_itself_and_the_fix() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.yaml");
    std::fs::write(&bad, "accounts: [{ key: testid, secret: hunter2-hunter2, extra: 1 }]").unwrap();
    let (bad, nowhere) = (bad.to_str().unwrap(), folder.path().join("no/such/r.json"));
    let nowhere = format!("json={}", nowhere.display());
    let cases: &[(&[&str], &str)] = &[
        (&["check", "--nonsense"], "--nonsense"),
        (&["check", "--vendor", "alibab"], "did you mean `alibaba`?"),
        (&["check", "--rule", "ROT-IDEM-1"], "did you mean `ROT-IDEMP-1`?"),
        (&["check", "--rule", "["], "is no pattern"),
        (&["check", "--report", "pdf=x"], "no report format `pdf`; known: json, junit"),
        (&["check", "--report", "json"], "write json=FILE"),
        (&["check", "--report", &nowhere], "cannot write there"),
        (&["check", "--vendor", "alibaba", "--endpoint", "ftp://127.0.0.1"], "http"),
        (&["check", "--vendor", "alibaba", "--endpoint", "http://example.com"], "--allow-host"),
        (
            &[
                "check",
                "--vendor",
                "alibaba",
                "--endpoint",
                "http://127.0.0.1:1",
                "--credentials",
                "/no/such/file",
            ],
            "--credentials /no/such/file",
        ),
        (
            &["check", "--vendor", "alibaba", "--endpoint", "http://127.0.0.1:1", "--credentials", bad],
            "`key` and `secret`",
        ),
        (&["check", "--control", "http://127.0.0.1:1"], "--endpoint"),
        (&["check", "--deadline", "0"], "--deadline"),
        (&["explain", "ROT-POL-99"], "did you mean `ROT-POL-"),
        (&["emulate", "--vendor", "alibaba", "--fault", "token-ignore"], "did you mean `token-ignored`?"),
        (&["emulate", "--vendor", "nobody"], "known: alibaba"),
        (
            &["emulate", "--listen", "127.0.0.1:4701"],
            "--listen 127.0.0.1:4701: 4 vendors cannot share one port",
        ),
        (
            &["emulate", "--vendor", "aws", "--vendor", "tencent", "--control", "127.0.0.1:4702"],
            "--control 127.0.0.1:4702: 2 vendors cannot share one port",
        ),
        (&["check", "--vendor", "aws", "--vendor", "aws"], "two vendors are called aws"),
        (&["check", "--endpoint", "http://127.0.0.1:1"], "--vendor NAME or --spec FILE"),
        (&["specs"], "Usage"),
        (&["specs", "show"], "or with --spec FILE"),
        (&["specs", "show", "alibab"], "did you mean `alibaba`?"),
        (&["specs", "coverage", "--report", "xml"], "possible values: json"),
    ];
    for (args, part) in cases {
        let output = rotaprobe(args);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(part), "{part} in {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written");
}

#[test]
fn rules_are_listed_and_explained() {
    let output = rotaprobe(&["check", "--list", "--rule", "rot-idemp-*"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output).lines().count(), 7);
    let output = rotaprobe(&["explain", "rot-idemp-1"]);
    let said = text(&output);
    for part in ["ROT-IDEMP-1", "must", "RotateSecret", "Exercise:", "token-ignored"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn several_vendors_are_served_in_one_process_each_at_its_own_port() {
    let vendors = rotaprobe::spec::embedded_names();
    let (process, lines) = emulators(&["--control", "127.0.0.1:0"], 2 * vendors.len());
    // Ends the process also where something below fails.
    let mut all = Emulator { process, which: Vec::new(), url: String::new(), control: String::new() };
    for (at, vendor) in vendors.iter().enumerate() {
        all.url = lines[at].strip_prefix(&format!("{vendor} ")).unwrap().to_owned();
        let control = lines[vendors.len() + at].strip_prefix(&format!("{vendor} control ")).unwrap();
        all.control = control.to_owned();
        all.which = vec!["--vendor".to_owned(), vendor.clone()];
        let output = all.check(&["--rule", "ROT-CUR-1", "--rule", "ROT-POL-1", "--rule", "AUTH-2"]);
        assert_eq!(output.status.code(), Some(0), "{vendor}: {}", text(&output));
        assert!(text(&output).contains("3 of 3 rules hold"), "{}", text(&output));
    }
}

#[test]
fn specs_are_listed_shown_and_measured() {
    let output = rotaprobe(&["specs", "list"]);
    let names: Vec<String> =
        text(&output).lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(names, rotaprobe::spec::embedded_names());
    let said = text(&rotaprobe(&["specs", "show", "aws"]));
    for part in
        ["AWS Secrets Manager, version 2017-10-17", "\nSources\n", "RotateSecret ", "ROT-IDEMP-1  must"]
    {
        assert!(said.contains(part), "{part} in {said}");
    }
    let output = rotaprobe(&["specs", "coverage", "--vendor", "alibaba"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let all = rotaprobe::spec::embedded("alibaba").unwrap().spec.operations.len();
    let head = format!("alibaba\n\n  operations called with success: {all} of {all}\n");
    assert!(text(&output).starts_with(&head), "{}", text(&output));
    let output = rotaprobe(&["specs", "coverage", "--vendor", "alibaba", "--report", "json"]);
    let covered: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [of_one] = covered.as_array().unwrap().as_slice() else { panic!("{covered}") };
    for share in ["operations", "parameters", "illegal", "codes", "rules"] {
        let count = |key: &str| of_one[share][key].as_u64().unwrap();
        let left = of_one[share]["left"].as_array().unwrap();
        assert_eq!(count("reached") + left.len() as u64, count("of"), "{share}");
        assert!(count("reached") > 0, "{share}");
        assert!(left.iter().all(|it| !it["why"].as_str().unwrap().is_empty()), "{share}");
    }
}

#[test]
fn the_same_seed_gives_the_same_report() {
    let run = || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        let output = rotaprobe(&[
            "check",
            "--vendor",
            "alibaba",
            "--seed",
            "3",
            "--report",
            &format!("json={}", path.display()),
        ]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        let mut report: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        report["summary"]["seconds"] = Value::Null;
        report
    };
    assert_eq!(run(), run());
}

#[test]
fn an_interrupted_emulator_ends_in_good_order() {
    let mut emulator = Emulator::start(&[]);
    let status = Command::new("kill").args(["-INT", &emulator.process.id().to_string()]).status().unwrap();
    assert!(status.success());
    assert_eq!(emulator.process.wait().unwrap().code(), Some(0));
}
