//! What a run owes to an account: nothing is left behind, also after a crash, and little of it is used.

use crate::cli::{Emulator, rotaprobe, text};
use rotaprobe::campaign::{self, Care, Endpoint, Outcome, Plan, Reference, Verdict};
use rotaprobe::client::Caller;
use rotaprobe::client::http::{HttpTransport, Limits};
use rotaprobe::client::transport::{Lost, Transport};
use rotaprobe::codec::Call;
use rotaprobe::model::Fact;
use rotaprobe::spec::{self, Vendor};
use rotaprobe::wire::{Request, Response};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Rules whose exercises make several secrets, each under a name of ours.
const RULES: [&str; 2] = ["--rule", "ROT-IDEMP-*"];
/// The creating call whose reply is kept back: two come first, which tell whose the access keys are.
const HELD: usize = 5;

#[track_caller]
fn until(what: &str, mut seen: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !seen() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn vendor() -> Arc<Vendor> {
    Arc::new(spec::embedded("alibaba").unwrap())
}

/// Counts creating calls on their way to an emulator, and keeps back the reply to one of them and all
/// after it, until it is opened.
struct Gate {
    url: String,
    state: Arc<GateState>,
}

#[derive(Default)]
struct GateState {
    creations: AtomicUsize,
    closed: AtomicBool,
    /// Whether a reply is kept back: what it answers has happened.
    held: AtomicBool,
    opened: AtomicBool,
}

impl Gate {
    fn new(to: &str, held: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(GateState::default());
        let (shared, to) = (state.clone(), to.strip_prefix("http://").unwrap().to_owned());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&to) else { break };
                let (state, back) = (shared.clone(), shared.clone());
                let (to_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || {
                    pass(client, to_server, |bytes| {
                        let found = memchr(bytes, b"CreateSecret");
                        let before = state.creations.fetch_add(found, Ordering::SeqCst);
                        if before < held && before + found >= held {
                            state.closed.store(true, Ordering::SeqCst);
                        }
                    });
                });
                std::thread::spawn(move || {
                    pass(server, to_client, |_| {
                        while back.closed.load(Ordering::SeqCst) && !back.opened.load(Ordering::SeqCst) {
                            back.held.store(true, Ordering::SeqCst);
                            std::thread::sleep(Duration::from_millis(2));
                        }
                    });
                });
            }
        });
        Self { url, state }
    }

    /// Waits until a reply is kept back.
    fn wait(&self) {
        until("a reply is kept back", || self.state.held.load(Ordering::SeqCst));
    }

    fn open(&self) {
        self.state.opened.store(true, Ordering::SeqCst);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

fn memchr(bytes: &[u8], word: &[u8]) -> usize {
    bytes.windows(word.len()).filter(|window| *window == word).count()
}

fn pass(mut from: TcpStream, mut to: TcpStream, look: impl Fn(&[u8])) {
    let mut bytes = [0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        look(&bytes[..read]);
        if to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}

/// Somebody else at the emulator.
struct Neighbour(Caller);

impl Neighbour {
    fn at(url: &str) -> Self {
        let transport = HttpTransport::new(url, Limits::default(), &[]).unwrap();
        let host = transport.host().to_owned();
        let credentials = Reference::new(vendor(), 1).credentials();
        let now = Arc::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            i64::try_from(since.as_secs()).unwrap()
        });
        let patience = Duration::from_secs(10);
        let mut caller =
            Caller::new(vendor(), Arc::new(transport), credentials, &host, patience, now, fastrand::u64(..));
        caller.learn_time("ListSecrets");
        Self(caller)
    }

    fn call(&mut self, call: &Call) -> rotaprobe::history::Exchange {
        let exchange = self.0.call(call, None);
        assert!(exchange.done(), "{}", exchange.summary());
        exchange
    }

    /// The names of all secrets of both accounts.
    fn names(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        for account in 0..2 {
            let mut call = Call::new("ListSecrets").with("PageSize", "100");
            call.account = account;
            let exchange = self.call(&call);
            let facts = exchange.reply().unwrap().facts().unwrap();
            names.extend(facts.iter().find_map(|(_, fact)| match fact {
                Fact::Names(names) => Some(names.iter().map(ToString::to_string).collect::<Vec<_>>()),
                _ => None,
            }));
        }
        names.concat()
    }

    fn create(&mut self, name: &str) {
        let call = Call::new("CreateSecret");
        self.call(&call.with("SecretName", name).with("SecretData", "x").with("VersionId", "v1"));
    }
}

/// A `check` in a process of its own, in a folder of its own.
struct Run {
    process: Child,
    said: Arc<Mutex<String>>,
}

impl Run {
    fn start(folder: &Path, emulator: &Emulator, gate: &Gate, more: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_rotaprobe"))
            .args(["check", "--vendor", "alibaba", "--endpoint", &gate.url, "--control", &emulator.control])
            .args(more)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (mut pipe, heard) = (process.stderr.take().unwrap(), said.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut bytes) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
        });
        Self { process, said }
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    fn wait_for(&self, part: &str) {
        until(part, || self.said.lock().unwrap().contains(part));
    }

    fn end(&mut self) -> Option<i32> {
        until("the run ends", || self.process.try_wait().unwrap().is_some());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn only_file(folder: &Path) -> PathBuf {
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

fn made(journal: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(journal).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter_map(|line| Some(line.get("making")?["name"].as_str()?.to_owned())).collect()
}

/// A run that was killed while the reply to its last creation was on the way; its journal.
fn killed(folder: &Path, emulator: &Emulator) -> PathBuf {
    let gate = Gate::new(&emulator.url, HELD);
    let patient = [&RULES[..], &["--timeout", "600000", "--deadline", "86400"]].concat();
    let mut run = Run::start(folder, emulator, &gate, &patient);
    gate.wait();
    run.process.kill().unwrap();
    assert_eq!(run.end(), None, "ended by a signal");
    only_file(folder)
}

#[test]
fn what_a_killed_run_leaves_is_removed() {
    let emulator = Emulator::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let journal = killed(folder.path(), &emulator);
    let name = journal.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("rotaprobe-") && name.ends_with(".journal"), "{name}");
    let mut neighbour = Neighbour::at(&emulator.url);
    neighbour.create("production-db");
    let (made, there) = (made(&journal), neighbour.names());
    assert_eq!(made.len(), HELD, "each creation is written down before it leaves");
    assert!(there.contains(made.last().unwrap()), "{made:?} {there:?}");
    let kept = std::fs::read_to_string(&journal).unwrap();
    assert!(!kept.contains("canary-") && !kept.contains("testsecret") && !kept.contains("testid"), "{kept}");

    let path = journal.to_str().unwrap();
    let cleanup = ["cleanup", path, "--endpoint", &emulator.url];
    let output = rotaprobe(&cleanup);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains(&format!("removed        {}", made[HELD - 1])), "{}", text(&output));
    assert_eq!(neighbour.names(), ["production-db"]);
    assert!(!journal.exists(), "nothing is left to do");

    // Once more does no harm.
    std::fs::write(&journal, &kept).unwrap();
    let output = rotaprobe(&cleanup);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("0 removed"), "{}", text(&output));
    let output = rotaprobe(&cleanup);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("cannot be read"), "{}", text(&output));
}

#[test]
fn a_torn_line_hinders_nothing_and_strange_names_are_left_alone() {
    let emulator = Emulator::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let journal = killed(folder.path(), &emulator);
    let mut neighbour = Neighbour::at(&emulator.url);
    for name in ["production-db", "rotaprobe-somebody-1"] {
        neighbour.create(name);
    }
    let kept = std::fs::read_to_string(&journal).unwrap();
    let strange = "{\"making\":{\"account\":0,\"name\":\"production-db\"}}\n\
                   {\"making\":{\"account\":0,\"name\":\"rotaprobe-somebody-1\"}}\n\
                   {\"made\":{\"account\":0,\"asked\":\"$Auto\",\"name\":\"production-db\"}}\n";
    std::fs::write(&journal, format!("{kept}{strange}{{\"making\":{{\"acc")).unwrap();
    let path = journal.to_str().unwrap();
    let output = rotaprobe(&["cleanup", path, "--endpoint", &emulator.url]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    for part in
        ["NOT removed    production-db", "NOT removed    rotaprobe-somebody-1", "cut off", "2 perhaps left"]
    {
        assert!(text(&output).contains(part), "{part} in {}", text(&output));
    }
    let mut there = neighbour.names();
    there.sort();
    assert_eq!(there, ["production-db", "rotaprobe-somebody-1"]);
    assert!(journal.exists());

    std::fs::write(&journal, format!("{kept}{{\"making\":{{\"acc")).unwrap();
    let output = rotaprobe(&["cleanup", path, "--endpoint", &emulator.url]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(!journal.exists());

    std::fs::write(&journal, kept.replacen("\"making\"", "\"maker\"", 1)).unwrap();
    let output = rotaprobe(&["cleanup", path]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains(&format!("journal {path}, line 2:")), "{}", text(&output));
}

#[test]
fn what_cannot_be_removed_is_kept_in_the_journal() {
    let emulator = Emulator::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let journal = killed(folder.path(), &emulator);
    let path = journal.to_str().unwrap();
    let other_host = std::fs::read_to_string(&journal).unwrap().replacen("127.0.0.1", "example.com", 1);
    let elsewhere = folder.path().join("elsewhere.journal");
    std::fs::write(&elsewhere, other_host.replacen("alibaba", "alibab", 1)).unwrap();
    let output = rotaprobe(&["cleanup", elsewhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("did you mean `alibaba`?"), "{}", text(&output));
    std::fs::write(&elsewhere, other_host).unwrap();
    let output = rotaprobe(&["cleanup", elsewhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("--allow-host example.com"), "{}", text(&output));
    let closed = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let output = rotaprobe(&["cleanup", path, "--endpoint", &closed]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    // Keys of one account do not reach the other's secrets.
    let keys = folder.path().join("keys.yaml");
    std::fs::write(&keys, "accounts: [{ key: testid, secret: testsecret }]").unwrap();
    let text_now = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, text_now.replace("\"account\":0", "\"account\":1")).unwrap();
    let output =
        rotaprobe(&["cleanup", path, "--endpoint", &emulator.url, "--credentials", keys.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("no access keys for its account"), "{}", text(&output));
    assert!(journal.exists());
}

#[test]
fn a_run_that_is_interrupted_cleans_up_and_reports() {
    for signal in ["-INT", "-TERM"] {
        let emulator = Emulator::start(&[]);
        let folder = tempfile::tempdir().unwrap();
        let gate = Gate::new(&emulator.url, HELD);
        let mut run = Run::start(folder.path(), &emulator, &gate, &["--report", "json=r.json"]);
        gate.wait();
        run.signal(signal);
        run.wait_for("interrupted: removing");
        gate.open();
        assert_eq!(run.end(), Some(3), "{}", run.said.lock().unwrap());
        assert_eq!(Neighbour::at(&emulator.url).names(), Vec::<String>::new());
        let report = std::fs::read_to_string(only_file(folder.path())).unwrap();
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["summary"]["left_behind"], 0);
        let results = report["results"].as_array().unwrap();
        let reason = |result: &Value| result["reason"].as_str().unwrap_or_default().to_owned();
        let interrupted = results.iter().filter(|result| reason(result).starts_with("interrupted:"));
        assert!(interrupted.count() > 50, "{report:#}");
        assert_eq!(report["summary"]["rules"]["violated"], 0, "{report:#}");
    }
}

#[test]
fn a_second_interrupt_ends_at_once_and_the_journal_stays() {
    let emulator = Emulator::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::new(&emulator.url, HELD);
    let mut run = Run::start(folder.path(), &emulator, &gate, &["--timeout", "600000", "--journal", "j"]);
    gate.wait();
    run.signal("-INT");
    run.wait_for("interrupted: removing");
    run.signal("-INT");
    assert_eq!(run.end(), Some(130));
    let journal = only_file(folder.path());
    let mut neighbour = Neighbour::at(&emulator.url);
    assert!(!neighbour.names().is_empty());
    let output = rotaprobe(&["cleanup", journal.to_str().unwrap(), "--endpoint", &emulator.url]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(neighbour.names(), Vec::<String>::new());
}

#[test]
fn a_run_that_cannot_clean_up_says_how_to() {
    let emulator = Emulator::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    // By then an exercise has made more than a run that loses every reply tries to remove.
    let gate = Gate::new(&emulator.url, 4 * HELD);
    let more = ["--timeout", "300", "--journal", "it's kept", "--rule", "WIRE-REQ-2"];
    let mut run = Run::start(folder.path(), &emulator, &gate, &more);
    assert!(matches!(run.end(), Some(1 | 3)), "{}", run.said.lock().unwrap());
    run.wait_for("rotaprobe cleanup 'it'\\''s kept'\n");
    assert!(!Neighbour::at(&emulator.url).names().is_empty());
    // The command is the one to type.
    gate.open();
    let said = run.said.lock().unwrap().clone();
    let command = said.split_once("remove them with: rotaprobe ").unwrap().1;
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!("\"$0\" {command}"))
        .arg(env!("CARGO_BIN_EXE_rotaprobe"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(Neighbour::at(&emulator.url).names(), Vec::<String>::new());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn nothing_is_made_that_cannot_be_written_down() {
    let emulator = Emulator::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let gate = Gate::new(&emulator.url, usize::MAX);
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "somebody's").unwrap();
    for (journal, part) in
        [("no/such/folder/j", "cannot be written"), ("taken", "there is such a file already")]
    {
        let more = ["--journal", journal, "--report", "json=r.json"];
        let mut run = Run::start(folder.path(), &emulator, &gate, &more);
        assert_eq!(run.end(), Some(3), "{}", run.said.lock().unwrap());
        let report = std::fs::read_to_string(folder.path().join("r.json")).unwrap();
        let report: Value = serde_json::from_str(&report).unwrap();
        assert!(report["summary"]["rules"]["broken"].as_u64().unwrap() > 50, "{report:#}");
        let results = report["results"].as_array().unwrap();
        let told = |result: &Value| result["reason"].as_str().is_some_and(|why| why.contains(part));
        assert!(results.iter().any(told), "{report:#}");
    }
    assert_eq!(gate.state.creations.load(Ordering::SeqCst), 0);
    assert_eq!(std::fs::read_to_string(taken).unwrap(), "somebody's");
}

/// The reference, watched: how many secrets there were at most, and how many rotations succeeded.
struct Watched {
    reference: Arc<Reference>,
    watcher: Mutex<Neighbour>,
    most: AtomicUsize,
    rotations: AtomicUsize,
}

impl Transport for Watched {
    fn send(&self, request: &Request, timeout: Duration) -> Result<Response, Lost> {
        let reply = self.reference.send(request, timeout)?;
        let action = request.headers.text("x-acs-action").unwrap_or(&request.target);
        if action.contains("CreateSecret") {
            let there = self.watcher.lock().unwrap().names().len();
            self.most.fetch_max(there, Ordering::SeqCst);
        }
        let rotated = action.contains("RotateSecret") && reply.status == 200;
        self.rotations.fetch_add(usize::from(rotated), Ordering::SeqCst);
        Ok(reply)
    }

    fn name(&self) -> String {
        "the watched reference".into()
    }
}

fn watched(care: Care) -> (Outcome, usize, usize) {
    let vendor = vendor();
    let reference = Arc::new(Reference::new(vendor.clone(), 7));
    let clock = reference.clock().clone();
    let now = Arc::new(move || clock.now());
    let (credentials, second) = (reference.credentials(), Duration::from_secs(1));
    let host = "127.0.0.1";
    let watcher = Caller::new(vendor.clone(), reference.clone(), credentials, host, second, now.clone(), 99);
    let transport = Arc::new(Watched {
        reference: reference.clone(),
        watcher: Mutex::new(Neighbour(watcher)),
        most: AtomicUsize::new(0),
        rotations: AtomicUsize::new(0),
    });
    let mut endpoint = Endpoint::in_process(reference);
    endpoint.transport = transport.clone();
    endpoint.care = care;
    let rules = campaign::select(&[]).unwrap();
    let plan = Plan { rules, seed: 7, deadline: Duration::from_secs(600) };
    let outcome = campaign::run(&vendor, &endpoint, &plan, now, &mut |_| {});
    let count = |number: &AtomicUsize| number.load(Ordering::SeqCst);
    (outcome, count(&transport.most), count(&transport.rotations))
}

fn not_exercised_for(outcome: &Outcome, flag: &str) -> usize {
    let told = |reason: &Option<String>| reason.as_ref().is_some_and(|why| why.contains(flag));
    let results = outcome.results.iter().filter(|result| told(&result.reason));
    results.inspect(|result| assert_eq!(result.verdict, Verdict::NotExercised, "{result:?}")).count()
}

#[test]
fn no_more_secrets_are_there_at_a_time_than_may_be() {
    let (_, needed, rotations) = watched(Care::default());
    assert!(
        needed > 20 && rotations > 200,
        "{needed} secrets, {rotations} rotations: a limit would show nothing"
    );
    let (outcome, most, _) = watched(Care { max_secrets: Some(needed), ..Care::default() });
    assert_eq!(outcome.summary.rules.violated + outcome.summary.rules.broken, 0);
    assert_eq!(not_exercised_for(&outcome, "--max-secrets"), 0);
    assert_eq!((most, outcome.summary.left_behind), (needed, 0));
    let (outcome, most, _) = watched(Care { max_secrets: Some(needed - 1), ..Care::default() });
    assert_eq!(outcome.summary.rules.violated + outcome.summary.rules.broken, 0);
    assert!(not_exercised_for(&outcome, "--max-secrets") > 0 && most < needed, "{most}");
    let (outcome, most, _) = watched(Care { max_secrets: Some(2), ..Care::default() });
    assert_eq!(outcome.summary.rules.violated + outcome.summary.rules.broken, 0);
    assert!(
        not_exercised_for(&outcome, "cap on live secrets: needs more than 2 at a time (--max-secrets)") > 5
    );
    assert!(outcome.summary.rules.holds > 10);
    assert_eq!((most, outcome.summary.left_behind), (2, 0));
}

#[test]
fn no_more_rotations_are_asked_for_than_may_be() {
    let (outcome, _, rotations) = watched(Care { rotations: Some(20), ..Care::default() });
    assert_eq!(outcome.summary.rules.violated + outcome.summary.rules.broken, 0);
    assert!(
        not_exercised_for(
            &outcome,
            "quota: the run may make 20 rotations for an account (--rotations-per-account)"
        ) > 5
    );
    assert!(outcome.summary.rules.holds > 10);
    // Twenty for each of two accounts.
    assert!((10..=40).contains(&rotations), "{rotations}");
    let (outcome, _, rotations) = watched(Care { rotations: Some(0), ..Care::default() });
    assert_eq!(outcome.summary.rules.violated + outcome.summary.rules.broken, 0);
    assert_eq!(rotations, 0);
}

#[test]
fn the_flags_reach_the_run() {
    let emulator = Emulator::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("r.json");
    let report = format!("json={}", file.display());
    let check = ["check", "--vendor", "alibaba", "--endpoint", &emulator.url, "--report", &report];
    for (rule, flag, value) in
        [("ROT-CUR-1", "--rotations-per-account", "2"), ("LIST-1", "--max-secrets", "2")]
    {
        let output = rotaprobe(&[&check[..], &["--rule", rule, flag, value]].concat());
        assert_eq!(output.status.code(), Some(3), "nothing exercised: {}", text(&output));
        let report: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let reason = report["results"][0]["reason"].as_str().unwrap();
        assert!(reason.contains(flag) && reason.contains(value), "{reason}");
        assert_eq!(report["summary"]["left_behind"], 0);
    }
    for flags in [["--max-secrets", "0"], ["--journal", "j"], ["--rotations-per-account", "1"]] {
        let output = rotaprobe(&[&["check"], &flags[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    }
}
