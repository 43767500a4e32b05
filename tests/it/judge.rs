//! Recorded histories: written without a secret, read back, and judged like the run itself.

use crate::cli::{Emulator, rotaprobe, text};
use proptest::prelude::*;
use rotaprobe::campaign::{self, Endpoint, Event, Outcome, Plan, Reference, judge_recorded};
use rotaprobe::client::Caller;
use rotaprobe::codec::{self, Call};
use rotaprobe::emulator::fault;
use rotaprobe::history::{Entry, Exchange, History, Span};
use rotaprobe::model::When;
use rotaprobe::record::{self, Begins, Head, Key, Reader, Recorder};
use rotaprobe::sign::Credentials;
use rotaprobe::spec::{self, Vendor};
use rotaprobe::wire::{Request, Response, percent};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

/// Faults whose traces are in values, in replies, in times and in what never came.
const FAULTS: [&str; 16] = [
    "same-value",
    "value-in-error",
    "value-in-header",
    "value-in-describe",
    "value-in-rotate",
    "value-in-list",
    "stale-read",
    "wipe-current-value",
    "empty-new-value",
    "replay-changes-value",
    "value-shape",
    "token-ignored",
    "password-short",
    "credential-echo",
    "any-signature",
    "drops-every-second",
];

/// A file in memory.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn head(vendor: &Vendor) -> Head {
    Head { rotaprobe: "0.1.0".into(), vendor: vendor.spec.vendor.clone(), ..Head::default() }
}

fn recorder(vendor: &Arc<Vendor>, credentials: &[Credentials]) -> (Recorder, Sink) {
    let sink = Sink::default();
    let out = Box::new(sink.clone());
    let recorder = Recorder::new(vendor, credentials, &head(vendor), Key::known([7; 32]), out).unwrap();
    (recorder, sink)
}

pub(crate) fn judged(vendor: &Arc<Vendor>, rules: &[&'static str], text: &str) -> Result<Outcome, String> {
    let mut reader = Reader::new("it.jsonl", text.as_bytes()).map_err(|error| error.to_string())?;
    let head = reader.head().clone();
    let told = std::iter::from_fn(|| reader.history(vendor).transpose());
    judge_recorded(vendor, &head, rules, told).map_err(|error| error.to_string())
}

/// What became of each rule, and how often it was looked at.
fn verdicts(outcome: &Outcome) -> Vec<String> {
    let line = |it: &campaign::RuleResult| {
        let seen: Vec<String> =
            it.violations.iter().map(|it| format!("{}×{}", it.operation, it.times)).collect();
        format!("{} {} of {} {}", it.rule, it.verdict.words(), it.expectations, seen.join(" "))
    };
    outcome.results.iter().map(line).collect()
}

/// A run in process: what it found, and its file.
pub(crate) fn recorded(vendor: &Arc<Vendor>, globs: &[&str], fault: Option<&str>) -> (Outcome, String) {
    let reference = Arc::new(Reference::new(vendor.clone(), 7));
    let faults = fault::all().filter(|it| Some(it.name) == fault).collect::<Vec<_>>();
    assert_eq!(faults.len(), usize::from(fault.is_some()), "{fault:?}");
    reference.with(|emulator| emulator.set_faults(faults));
    let clock = reference.clock().clone();
    let rules = campaign::select(&globs.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()).unwrap();
    let plan = Plan { rules, seed: 7, deadline: Duration::from_secs(600) };
    let endpoint = Endpoint::in_process(reference);
    let (mut recorder, sink) = recorder(vendor, &endpoint.credentials);
    let outcome = campaign::run(vendor, &endpoint, &plan, Arc::new(move || clock.now()), &mut |event| {
        if let Event::History { begins, history } = event {
            recorder.begin(begins).unwrap();
            recorder.entries(history).unwrap();
        }
    });
    (outcome, sink.text())
}

#[test]
fn a_file_is_judged_like_the_run_it_is_of() {
    let rules = campaign::select(&[]).unwrap();
    // Without optimisation one vendor takes as long as all of them with it.
    let all = !cfg!(debug_assertions);
    for name in spec::embedded_names() {
        let vendor = Arc::new(spec::embedded(&name).unwrap());
        let some = FAULTS.iter().copied().map(Some);
        for fault in std::iter::once(None).chain(some.filter(|_| all || name == "alibaba")) {
            let (outcome, file) = recorded(&vendor, &[], fault);
            let again = judged(&vendor, &rules, &file).unwrap();
            assert_eq!(verdicts(&again), verdicts(&outcome), "{name} with {fault:?}");
            assert!(!file.contains("testsecret"), "{name} with {fault:?} shows a key");
        }
    }
}

#[test]
fn lines_fit_their_schema_and_a_short_file_is_as_it_was() {
    let vendor = Arc::new(spec::embedded("alibaba").unwrap());
    let (_, file) = recorded(&vendor, &["LIFE-3"], None);
    let schema = record::schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for line in file.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(validator.is_valid(&line), "{line}");
    }
    let spans = regex::Regex::new(r#""span":\{"began":\d+,"ended":\d+\}"#).unwrap();
    let lines: Vec<&str> = file.lines().take(8).collect();
    let short = spans.replace_all(&lines.join("\n"), "\"span\":…").into_owned();
    insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("history", short);
    });
}

static AWS: LazyLock<Arc<Vendor>> = LazyLock::new(|| Arc::new(spec::embedded("aws").unwrap()));
static ALIBABA: LazyLock<Arc<Vendor>> = LazyLock::new(|| Arc::new(spec::embedded("alibaba").unwrap()));

/// Values as people have them: short, long, with quotes, with letters of any script, JSON.
fn values() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9]{1,7}",
        "[ -~]{1,60}",
        "\\PC{1,40}",
        any::<String>(),
        "[0-9]{1,20}",
        ("[ -~]{0,30}", "\\PC{0,30}", any::<u32>()).prop_map(|(user, word, port)| {
            serde_json::json!({ "username": user, "password": word, "port": port, "more": [word] })
                .to_string()
        }),
        "[a-z]{0,5}".prop_map(|around| format!("{around}canary-{}{around}", "0123456789abcdef".repeat(2))),
        "[a-f]{3}".prop_map(|part| part.repeat(5_000)),
    ]
}

/// A secret that is made, read, and shown where it must not be.
fn told(vendor: &Arc<Vendor>, values: &[String]) -> (History, Vec<Credentials>) {
    let reference = Arc::new(Reference::new(vendor.clone(), 7));
    let credentials = reference.credentials();
    let clock = reference.clock().clone();
    let timeout = Duration::from_secs(5);
    let now = Arc::new(move || clock.now());
    let mut caller =
        Caller::new(vendor.clone(), reference, credentials.clone(), "127.0.0.1", timeout, now, 7);
    let [create, put, read, describe, parameter, name, token] = match vendor.spec.vendor.as_str() {
        "aws" => [
            "CreateSecret",
            "PutSecretValue",
            "GetSecretValue",
            "DescribeSecret",
            "SecretString",
            "SecretId",
            "ClientRequestToken",
        ],
        _ => [
            "CreateSecret",
            "PutSecretValue",
            "GetSecretValue",
            "DescribeSecret",
            "SecretData",
            "SecretName",
            "VersionId",
        ],
    };
    let made = if name == "SecretId" { "Name" } else { name };
    let mut history = History::default();
    let mut send = |call: Call| {
        let exchange = caller.call(&call, None);
        history.entries.push(Entry::Call(Box::new(exchange.clone())));
        exchange
    };
    send(Call::new(create).with(made, "s-1").with(token, "t".repeat(32)).with(parameter, &values[0]));
    for (at, value) in values.iter().enumerate().skip(1) {
        let token = (token, format!("{at}").repeat(32));
        send(Call::new(put).with(name, "s-1").with(token.0, token.1).with(parameter, value));
        send(Call::new(read).with(name, "s-1"));
    }
    let mut shown = send(Call::new(describe).with(name, "s-1"));
    if let Ok((response, reply)) = &mut shown.result {
        let mut body: Value = serde_json::from_slice(&response.body).unwrap();
        body["Debug"] = Value::from(values[0].as_str());
        body["More"] = Value::from(serde_json::json!({ "a": values[0] }).to_string());
        body["Link"] = Value::from(format!("https://x/?v={}", percent::encode(&values[0])));
        response.body = body.to_string().into_bytes();
        response.headers.add("x-debug", values[values.len() - 1].as_bytes());
        *reply = codec::decode_reply(vendor, describe, response);
    }
    history.entries.push(Entry::Call(Box::new(shown)));
    (history, credentials)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_value_stands_in_a_file_and_verdicts_stay(
        values in prop::collection::vec(values(), 2..4),
        aws in any::<bool>(),
    ) {
        let vendor = if aws { &*AWS } else { &*ALIBABA };
        let (history, credentials) = told(vendor, &values);
        let begins = Begins::default();
        let mut gathering = campaign::Gathering::new(vendor, "x");
        gathering.judge(&begins, &history);
        let rules = campaign::select(&[]).unwrap();
        let before: Vec<_> = gathering.results(&rules, |_| "").into_iter().map(|it| (it.rule, it.verdict)).collect();
        let (mut recorder, sink) = recorder(vendor, &credentials);
        recorder.begin(&begins).unwrap();
        recorder.entries(&history).unwrap();
        let file = sink.text();
        let after = judged(vendor, &rules, &file).unwrap();
        let after: Vec<_> = after.results.into_iter().map(|it| (it.rule, it.verdict)).collect();
        prop_assert_eq!(after, before);
        let spec = serde_json::to_string(&vendor.spec).unwrap();
        // What is shorter stands in other words, and is looked for where values are; words of the spec are public.
        let secret = |text: &str| text.len() >= 8 && !spec.contains(text) && !"rotaprobe".contains(text);
        let mut strings = Vec::new();
        for line in file.lines() {
            gather("", &serde_json::from_str(line).unwrap(), &mut strings);
        }
        for value in &values {
            for (path, text) in &strings {
                prop_assert!(!secret(value) || !text.contains(value.as_str()), "{value:?} at {path} in {text:?}");
                prop_assert!(!secret(value) || !text.contains(&percent::encode(value)), "{value:?} at {path}");
                let place = path.ends_with(".SecretString") || path.ends_with(".SecretData");
                let nothing = ["", "{}", "[]", "$Auto"].contains(&value.trim());
                prop_assert!(!place || nothing || text != value, "{value:?} at {path}");
            }
        }
    }

    #[test]
    fn no_line_makes_the_judge_panic(
        at in 0_usize..40,
        from in any::<prop::sample::Index>(),
        length in 0_usize..30,
        with in prop_oneof![
            Just(String::new()), "[0-9]{1,20}", "[\\[\\]{}\",:]{1,4}", any::<String>(),
            Just("-1".into()), Just("9223372036854775807".into()), Just("null".into()),
        ],
    ) {
        let mut lines: Vec<String> = SHORT.lines().map(str::to_owned).collect();
        let at = at % lines.len();
        let mut line: Vec<char> = lines[at].chars().collect();
        let from = from.index(line.len());
        line.splice(from..(from + length).min(line.len()), with.chars());
        lines[at] = line.into_iter().collect();
        let _ = judged(&ALIBABA, &campaign::select(&[]).unwrap(), &lines.join("\n"));
    }

    #[test]
    fn no_number_makes_the_judge_panic(at in any::<prop::sample::Index>(), number in any::<i64>()) {
        let numbers = regex::Regex::new(r"-?\d+").unwrap();
        let places: Vec<_> = numbers.find_iter(&SHORT).collect();
        let place = places[at.index(places.len())].range();
        let text = format!("{}{number}{}", &SHORT[..place.start], &SHORT[place.end..]);
        let _ = judged(&ALIBABA, &campaign::select(&[]).unwrap(), &text);
    }
}

/// Every string in a line, those in JSON within it too, with the names that lead to it.
fn gather(path: &str, value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => {
            into.push((path.to_owned(), text.clone()));
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str::<Value>(text) {
                gather(path, &inner, into);
            }
        }
        Value::Array(list) => list.iter().for_each(|entry| gather(path, entry, into)),
        Value::Object(map) => {
            map.iter().for_each(|(name, entry)| gather(&format!("{path}.{name}"), entry, into));
        }
        _ => {}
    }
}

/// A file with every kind of line in it.
static SHORT: LazyLock<String> = LazyLock::new(|| {
    let (_, file) = recorded(&ALIBABA, &["ROT-IDEMP-1", "ROT-SCHED-2"], None);
    let mut lines: Vec<&str> = file.lines().collect();
    lines.truncate(30);
    lines.insert(2, r#"{"adopted":{"name":"rotaprobe-00000007-1","kind":"Rds","automatic":true,"every":604800,"versions":[{"id":"v1","created":{"from":1704164647,"to":1704164647},"stages":["ACSCurrent"]}],"created":{"from":1704164647,"to":1704164647},"next":{"from":1704769447,"to":1704769447},"made":1}}"#);
    lines.push(r#"{"advanced":864000}"#);
    lines.push(r#"{"settled":{}}"#);
    let describe = lines.iter().find(|line| line.contains("DescribeSecret")).unwrap().to_string();
    let mut text = lines.join("\n");
    text.push('\n');
    text.push_str(&describe);
    text
});

/// The two files in the documentation: what holds, and what does not.
fn documented() -> Vec<String> {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/histories.md")).unwrap();
    let parts = page.split("```jsonl\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap().to_owned()).collect()
}

/// Judges a file with the program.
fn judge(text: &str, more: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("h.jsonl");
    std::fs::write(&path, text).unwrap();
    let output = rotaprobe(&[&["judge", path.to_str().unwrap()], more].concat());
    (output.status.code().unwrap(), self::text(&output))
}

#[test]
fn what_the_page_shows_is_judged_as_it_says() {
    let [holds, violates] = &documented()[..] else { panic!("the page has two files") };
    let (code, said) = judge(holds, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("none violated") && said.contains("1 recorded histories"), "{said}");
    let (code, said) = judge(violates, &[]);
    assert_eq!(code, 1, "{said}");
    for part in ["x ROT-IDEMP-1", "expected", "observed", "again     rotaprobe judge"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let (code, said) = judge(violates, &["--rule", "LEAK-*"]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = judge(violates, &["--rule", "ROT-SCHED-1"]);
    assert_eq!(code, 3, "{said}");
}

#[test]
fn a_bad_line_is_told_by_file_line_place_and_fix() {
    let good = &documented()[0];
    let replaced = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    for (text, parts) in [
        (String::new(), vec!["line 1", "there is no head"]),
        ("hello\n".into(), vec!["line 1", "no head of a history"]),
        (
            replaced("alibaba", "alibabba"),
            vec!["line 1, at `vendor`", "did you mean `alibaba`", "--spec FILE"],
        ),
        (replaced("{\"begins\"", "{\"begin\""), vec!["line 2", "unknown variant `begin`", "history.json"]),
        (
            replaced("{\"begins\":{\"of\":\"ROT-IDEMP-1\"}}\n", ""),
            vec!["line 2", "put {\"begins\":{}} before it"],
        ),
        (replaced("\"status\":200", "\"status\":\"200\""), vec!["line 3, at `call.result.response.status`"]),
        (replaced("\"status\":200", "\"status\":7"), vec!["line 3", "give 100 to 999"]),
        (replaced("\"name\":\"date\"", "\"name\":\"age\""), vec!["line 3, at `call.when`", "give `when`"]),
        (replaced("\"json\":", "\"body\":\"x\",\"json\":"), vec!["line 3", "given twice"]),
        (replaced("\"result\"", "\"results\""), vec!["line 3, at `call.results`", "unknown field"]),
        (replaced("{\"begins\":", "{\"advanced\":-5}\n{\"begins\":"), vec!["line 2", "no history has begun"]),
        (format!("{good}{{\"advanced\":-5}}\n"), vec!["at `advanced`", "does not move by -5"]),
        (
            format!("{good}{{\"adopted\":{{\"name\":\"x\",\"kind\":\"y\"}}}}\n"),
            vec!["at `adopted.kind`", "known: Generic"],
        ),
        (format!("{good}{{\"settled\":{{}}}} x\n"), vec!["trailing characters"]),
    ] {
        let (code, said) = judge(&text, &[]);
        assert_eq!(code, 2, "{said} of {text}");
        assert!(
            said.contains("h.jsonl") && parts.iter().all(|part| said.contains(part)),
            "{parts:?} in {said}"
        );
    }
    let output = rotaprobe(&["judge", "no-such-file.jsonl"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("no-such-file.jsonl cannot be read"), "{}", text(&output));
}

#[test]
fn a_last_line_that_was_cut_off_is_left_out_wherever_it_was_cut() {
    let file = &documented()[0];
    let start = file.trim_end().rfind('\n').unwrap() + 1;
    for end in (start + 1..file.trim_end().len()).step_by(7) {
        if file.is_char_boundary(end) {
            let mut reader = Reader::new("x", &file.as_bytes()[..end]).unwrap();
            while reader.history(&ALIBABA).unwrap().is_some() {}
            assert!(reader.torn(), "{end}");
        }
    }
    let (code, said) = judge(&file[..file.len() - 9], &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("was cut off; what it told is not judged"), "{said}");
    let (code, said) = judge(file.trim_end(), &[]);
    assert!(code == 0 && !said.contains("cut off"), "{said}");
}

#[test]
fn a_run_records_what_judge_reads_and_reports() {
    let folder = tempfile::tempdir().unwrap();
    let (file, report) = (folder.path().join("h.jsonl"), folder.path().join("r.json"));
    let path = file.to_str().unwrap();
    let output =
        rotaprobe(&["check", "--vendor", "aws", "--rule", "ROT-IDEMP-*", "--seed", "7", "--history", path]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half-written is left");
    let json = format!("json={}", report.display());
    let output = rotaprobe(&["judge", path, "--rule", "ROT-IDEMP-*", "--report", &json]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: Value = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    assert_eq!((&report["seed"], &report["summary"]["rules"]["violated"]), (&7.into(), &0.into()));
    let output = rotaprobe(&["check", "--rule", "ROT-IDEMP-1", "--history", path]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("--history is one vendor's"), "{}", text(&output));
}

#[test]
fn a_run_that_is_killed_leaves_a_file_that_can_be_judged() {
    let emulator = Emulator::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("h.jsonl");
    let mut run = Command::new(env!("CARGO_BIN_EXE_rotaprobe"))
        .args(["check", "--vendor", "alibaba", "--endpoint", &emulator.url, "--control", &emulator.control])
        .args(["--history", file.to_str().unwrap()])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while std::fs::metadata(&file).map_or(0, |file| file.len()) < 50_000 {
        assert!(Instant::now() < deadline, "nothing is written while the run goes on");
        std::thread::sleep(Duration::from_millis(2));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    let output = rotaprobe(&["judge", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn what_is_lost_and_what_is_no_text_comes_back() {
    let vendor = &*ALIBABA;
    let mut headers = rotaprobe::wire::Headers::new();
    headers.add("x-odd", vec![0xff, 0xfe]);
    let response = Response { status: 502, headers, body: vec![0x80, 0x81] };
    let reply = codec::decode_reply(vendor, "DescribeSecret", &response);
    let call = Call::new("DescribeSecret").with("SecretName", "a");
    let when = When { lo: 1_704_164_645, hi: 1_704_164_647 };
    let span = Span { began: 3, ended: 9 };
    let request = Request { method: "GET".into(), target: "/?SecretName=a".into(), ..Request::default() };
    let came =
        Exchange { call, tamper: None, request, when, span, result: Ok((response, reply)), key_shown: true };
    let lost = Exchange { result: Err(rotaprobe::history::Lost::TooLarge { limit: 7 }), ..came.clone() };
    let history = History {
        entries: vec![
            Entry::Call(Box::new(came)),
            Entry::Call(Box::new(lost)),
            Entry::Advanced(60),
            Entry::Settled,
        ],
    };
    let (mut recorder, sink) = recorder(vendor, &[]);
    recorder.begin(&Begins::default()).unwrap();
    recorder.entries(&history).unwrap();
    let text = sink.text();
    let mut reader = Reader::new("x", text.as_bytes()).unwrap();
    let told = reader.history(vendor).unwrap().unwrap();
    let shape = |history: &History| format!("{:?}", history.entries);
    assert_eq!(shape(&told.history), shape(&history));
}
