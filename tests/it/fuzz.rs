//! Campaigns: what they find, what they leave on disk, and that nothing is lost when one is killed.

use rotaprobe::campaign::fuzz::{
    Budget, Finding, Happens, Heard, Hunt, Listener, Runner, Store, Summary, Target, hunt, read_finding,
};
use rotaprobe::campaign::{Endpoint, Interrupt, Reference, SharedClock};
use rotaprobe::client::Caller;
use rotaprobe::client::clock::{Clock, ClockError};
use rotaprobe::codec::Call;
use rotaprobe::emulator::fault;
use rotaprobe::generate::Plan;
use rotaprobe::history::{Exchange, History};
use rotaprobe::model::Role;
use rotaprobe::spec::{self, Vendor};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

fn vendor(name: &str) -> Arc<Vendor> {
    Arc::new(spec::embedded(name).unwrap())
}

/// A campaign at the reference of a vendor: what it found, and its end.
pub(crate) fn campaign(
    vendor: &Arc<Vendor>,
    faults: &[&str],
    calls: u64,
    most: usize,
    seed: u64,
) -> (Vec<Finding>, Summary) {
    let on = faults.iter().map(|name| fault::find(name).unwrap()).collect();
    campaign_at(Target::reference(vendor, on, seed), vendor, faults, &budget(calls, most, seed))
}

fn budget(calls: u64, most: usize, seed: u64) -> Budget {
    Budget { time: None, calls: Some(calls), rate: None, findings: Some(most), seed }
}

/// A reference that does not begin anew with each plan: what one plan leaves, the next one may find.
fn staying(vendor: &Arc<Vendor>) -> Target {
    let reference = Arc::new(Reference::new(vendor.clone(), 1));
    let clock = reference.clock().clone();
    Target { endpoint: Endpoint::in_process(reference), now: Arc::new(move || clock.now()), reference: None }
}

fn campaign_at(
    target: Target,
    vendor: &Arc<Vendor>,
    faults: &[&str],
    budget: &Budget,
) -> (Vec<Finding>, Summary) {
    campaign_heard(target, vendor, faults, budget, None)
}

/// A campaign of which somebody hears each history.
fn campaign_heard(
    target: Target,
    vendor: &Arc<Vendor>,
    faults: &[&str],
    budget: &Budget,
    listener: Option<Listener<'_>>,
) -> (Vec<Finding>, Summary) {
    let names: Vec<String> = faults.iter().map(|name| (*name).to_owned()).collect();
    let (store, interrupt) = (Store::default(), Interrupt::default());
    let all = Hunt { vendor, faults: &names, budget, store: &store, interrupt: &interrupt, listener };
    let mut found = Vec::new();
    let summary = hunt(&all, vec![target], &mut |heard| {
        if let Heard::Found(finding, _) = heard {
            found.push(finding.clone());
        }
    });
    (found, summary.unwrap())
}

#[test]
fn the_fault_free_reference_gives_no_findings() {
    for name in spec::embedded_names() {
        let vendor = vendor(&name);
        for target in [Target::reference(&vendor, Vec::new(), 4), staying(&vendor)] {
            let (found, summary) = campaign_at(target, &vendor, &[], &budget(15_000, 1, 4));
            assert!(found.is_empty(), "{name}: {found:#?}");
            assert!(summary.calls >= 15_000 && summary.features > 100, "{name}: {summary:?}");
        }
    }
}

#[test]
fn what_counts_for_a_limit_does_not_grow_with_a_campaign() {
    for name in spec::embedded_names() {
        let vendor = vendor(&name);
        let (longest, rotations) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let listen = |before: &[Vec<i64>], history: &History| {
            longest.fetch_max(before.iter().map(Vec::len).max().unwrap_or(0), Ordering::Relaxed);
            let rotates = |exchange: &Exchange| {
                vendor.spec.operations.get(&exchange.call.operation).is_some_and(|it| it.role == Role::Rotate)
            };
            rotations.fetch_add(history.calls().filter(|(_, it)| rotates(it)).count(), Ordering::Relaxed);
        };
        campaign_heard(staying(&vendor), &vendor, &[], &budget(25_000, 1, 6), Some(&listen));
        let (longest, rotations) = (longest.into_inner(), rotations.into_inner());
        assert!(rotations > 200, "{name}: {rotations} in {longest}");
        assert_eq!(longest, vendor.law.rate.map_or(0, |rate| rate.calls), "{name}");
    }
}

/// A clock with an end, like those of emulators that count in few bits.
struct Ending {
    clock: SharedClock,
    end: i64,
}

impl Clock for Ending {
    fn advance(&self, seconds: u64) -> Result<(), ClockError> {
        if self.clock.now() + i64::try_from(seconds).unwrap() < self.end {
            return self.clock.advance(seconds);
        }
        Err(ClockError::Refused { url: "here".into(), status: 400, said: "too far".into() })
    }

    fn how(&self) -> String {
        "a clock with an end".into()
    }
}

#[test]
fn a_campaign_goes_on_where_the_clock_does_not() {
    const YEAR: i64 = 366 * 86_400;
    // 9000-01-01 in Unix seconds.
    const FAR: i64 = 221_845_392_000;
    let vendor = vendor("aws");
    for (first, end, says) in
        [(0, 2 * YEAR, "too far"), (FAR - YEAR, FAR + 1_000 * YEAR, "it shows the year 9000")]
    {
        let (reference, end) = (Arc::new(Reference::new(vendor.clone(), 1)), end + first.max(1_704_164_645));
        let clock = reference.clock().clone();
        clock.advance(u64::try_from((first - clock.now()).max(0)).unwrap()).unwrap();
        let shown = clock.clone();
        let mut endpoint = Endpoint::in_process(reference);
        endpoint.clock = Some(Arc::new(Ending { clock: clock.clone(), end }));
        let target = Target { endpoint, now: Arc::new(move || shown.now()), reference: None };
        let (found, summary) = campaign_at(target, &vendor, &[], &budget(15_000, 1, 4));
        assert!(found.is_empty(), "{found:#?}");
        assert!(summary.stopped.is_none() && summary.calls >= 15_000, "{summary:?}");
        assert!(summary.notes.len() == 1 && summary.notes[0].contains(says), "{summary:?}");
        assert!(clock.now() < end.min(FAR + 100 * YEAR), "{}", clock.now());
    }
}

/// Plans that were once held against the reference wrongly, one a file: each was a defect of the oracle or of the
/// reference.
#[test]
fn what_was_held_wrongly_once_is_not_again() {
    #[derive(serde::Deserialize)]
    struct Held {
        vendor: String,
        /// What is open, and taken otherwise by the reference.
        liberty: Option<String>,
        plan: Plan,
    }
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/held_wrongly");
    let mut tried = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let held: Held = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let vendor = vendor(&held.vendor);
        let deadline = Instant::now() + Duration::from_secs(60);
        let liberties = held.liberty.iter().map(|name| fault::find(name).unwrap()).collect();
        let mut runner = Runner::new(&vendor, Target::reference(&vendor, liberties, 1), 1, deadline).unwrap();
        for seed in 0..6 {
            let trial = runner.trial(&held.plan, seed);
            assert!(trial.violations.is_empty(), "{}: {:#?}", path.display(), trial.violations);
            assert!(!trial.performed.asked.is_empty());
        }
        tried += 1;
    }
    assert!(tried >= 28, "{tried} plans in {directory}");
}

/// An endpoint that stays: no plan finds what another one made, nor is held against it what was there before.
#[test]
fn a_name_that_nobody_made_for_the_run_is_nobodys() {
    let vendor = vendor("alibaba");
    let with = |name: &str, value: &str| serde_json::json!({ "name": name, "value": { "text": value } });
    let plan: Plan = serde_json::from_value(serde_json::json!({
        "secrets": [{ "kind": "Generic" }],
        "steps": [{ "call": {
            "operation": "CreateSecret",
            "with": [with("SecretName", "$Auto"), with("SecretData", "a"), with("VersionId", "v1")],
        } }],
    }))
    .unwrap();
    let target = staying(&vendor);
    let Endpoint { transport, credentials, timeout, .. } = target.endpoint.clone();
    let mut somebody =
        Caller::new(vendor.clone(), transport, credentials, "127.0.0.1", timeout, target.now.clone(), 3);
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut runner = Runner::new(&vendor, target, 1, deadline).unwrap();
    let mut made = |seed| {
        let trial = runner.trial(&plan, seed);
        assert!(trial.violations.is_empty(), "{:#?}", trial.violations);
        let [(at, _)] = trial.performed.asked[..] else { panic!("one call") };
        trial.performed.history.call(at).unwrap().done()
    };
    assert!(made(1) && made(2), "what the plan before made is gone");
    let taken = Call::new("CreateSecret").with("SecretName", "$Auto").with("SecretData", "b");
    assert!(somebody.call(&taken.with("VersionId", "v2"), None).done());
    assert!(!made(3));
}

/// Plans come from files as well: numbers beyond any measure, and a stage that is named by whom it is held by.
#[test]
fn a_plan_that_no_bytes_mean_ends() {
    let vendor = vendor("alibaba");
    let with = |name: &str, value: serde_json::Value| serde_json::json!({ "name": name, "value": value });
    let many = u64::MAX;
    let put = serde_json::json!({ "operation": "PutSecretValue", "with": [
        with("SecretName", serde_json::json!("name")),
        with("VersionId", serde_json::json!({ "token": many })),
        with("SecretData", serde_json::json!({ "sampled": { "kind": "Rds", "sample": 0, "value": many } })),
    ] });
    let moved = serde_json::json!({ "operation": "UpdateSecretVersionStage", "with": [
        with("SecretName", serde_json::json!("name")),
        with("VersionStage", serde_json::json!({ "like": ["holder", "shorter"] })),
        with("RemoveFromVersion", serde_json::json!("holder")),
        with("MoveToVersion", serde_json::json!({ "version": many })),
    ] });
    let plan: Plan = serde_json::from_value(serde_json::json!({
        "secrets": [{ "kind": "Generic" }],
        "steps": [{ "call": put.clone() }, { "call": moved }, { "often": [put, many] }],
    }))
    .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut runner = Runner::new(&vendor, Target::reference(&vendor, Vec::new(), 1), 1, deadline).unwrap();
    let trial = runner.trial(&plan, 1);
    assert!(trial.violations.is_empty(), "{:#?}", trial.violations);
    assert_eq!(trial.performed.asked.len(), 1_002);
}

#[test]
fn faults_are_found_made_small_and_replayed() {
    for (at, name, most_calls) in [
        ("alibaba", "token-ignored", 3),
        ("alibaba", "token-race", 2),
        ("alibaba", "value-in-error", 3),
        ("alibaba", "unsigned-accepted", 1),
        ("alibaba", "interval-trims", 1),
        ("aws", "cross-account", 1),
        ("aws", "name-case-folded", 1),
        ("huawei", "short-signature", 1),
        ("alibaba", "page-drops-one", 8),
        ("tencent", "drops-every-second", 3),
    ] {
        let vendor = vendor(at);
        let (found, _) = campaign(&vendor, &[name], 100_000, 3, 3);
        let smallest = found.iter().min_by_key(|finding| finding.plan.calls());
        let finding = smallest.unwrap_or_else(|| panic!("{name} is not found at {at}"));
        assert!(finding.plan.calls() <= most_calls + 1, "{name}: {:#?}", finding.plan);
        let text = serde_json::to_string(finding).unwrap();
        assert!(!text.contains("canary-") && !text.contains("testsecret"), "{text}");
        assert_eq!(serde_json::from_str::<Finding>(&text).unwrap(), *finding);
        let deadline = Instant::now() + Duration::from_secs(60);
        let on = vec![fault::find(name).unwrap()];
        let mut with = Runner::new(&vendor, Target::reference(&vendor, on, 1), 1, deadline).unwrap();
        assert!(with.replay(finding, 5).happened > 0, "{name} does not happen again");
        let mut without =
            Runner::new(&vendor, Target::reference(&vendor, Vec::new(), 1), 1, deadline).unwrap();
        let fixed = without.replay(finding, 5);
        assert_eq!((fixed.happened, fixed.tried), (0, 5), "{name} happens without it");
    }
}

#[test]
fn a_campaign_follows_from_its_seed() {
    let vendor = vendor("aws");
    let one = campaign(&vendor, &["same-value"], 20_000, 2, 9);
    let two = campaign(&vendor, &["same-value"], 20_000, 2, 9);
    let plans =
        |found: &[Finding]| found.iter().map(|it| (it.rule.clone(), it.plan.clone())).collect::<Vec<_>>();
    assert_eq!(plans(&one.0), plans(&two.0));
    assert!(!one.0.is_empty());
}

fn rotaprobe(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rotaprobe"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Every file of a directory is whole, and how many there are.
fn whole(folder: &Path) -> usize {
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    for path in files.iter().filter(|path| path.extension().is_some_and(|it| it == "json")) {
        let text = std::fs::read_to_string(path).unwrap();
        serde_json::from_str::<serde_json::Value>(&text)
            .unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        if path.file_name().is_some_and(|name| name != "campaign.json") {
            read_finding(path).unwrap();
        }
    }
    files.iter().filter(|path| path.extension().is_none()).count()
}

#[test]
fn whoever_is_killed_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (corpus, findings) = (folder.path().join("corpus"), folder.path().join("findings"));
    let (corpus_text, findings_text) = (corpus.display().to_string(), findings.display().to_string());
    let arguments = [
        "fuzz",
        "--vendor",
        "alibaba",
        "--seed",
        "3",
        "--fault",
        "token-ignored",
        "--corpus",
        &corpus_text,
        "--findings",
        &findings_text,
    ];
    let mut before = 0;
    for wait in [700, 1_300, 400] {
        let mut child = rotaprobe(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        if corpus.exists() {
            let now = whole(&corpus);
            assert!(now >= before, "{now} inputs after {before}");
            before = now;
        }
    }
    let again = rotaprobe(&arguments).args(["--time", "5s"]).output().unwrap();
    assert_eq!(again.status.code(), Some(1), "{}", text(&again));
    assert!(whole(&corpus) >= before.max(10));
    let files: Vec<_> = std::fs::read_dir(&findings).unwrap().map(|entry| entry.unwrap().path()).collect();
    let file = files.iter().find(|path| path.display().to_string().contains("ROT-")).unwrap();
    let replayed = rotaprobe(&["replay", &file.display().to_string()]).output().unwrap();
    assert_eq!(replayed.status.code(), Some(1), "{}", text(&replayed));
    // Another vendor's campaign is no business of this directory.
    let other =
        rotaprobe(&["fuzz", "--vendor", "aws", "--time", "1s", "--corpus", &corpus_text]).output().unwrap();
    assert_eq!(other.status.code(), Some(3), "{}", text(&other));
    assert!(text(&other).contains("give another directory"), "{}", text(&other));
}

#[test]
fn a_finding_is_fixed_where_it_does_not_happen_and_nobody_can_tell_where_nobody_answers() {
    let folder = tempfile::tempdir().unwrap();
    let (found, _) = campaign(&vendor("alibaba"), &["token-ignored"], 40_000, 1, 3);
    let mut finding = found.into_iter().next().unwrap();
    assert_eq!(finding.happens, Happens::Always);
    finding.faults.clear();
    let path = folder.path().join("finding.json");
    std::fs::write(&path, serde_json::to_string(&finding).unwrap()).unwrap();
    let path = path.display().to_string();
    let fixed = rotaprobe(&["replay", &path]).output().unwrap();
    assert_eq!(fixed.status.code(), Some(0), "{}", text(&fixed));
    let nobody = rotaprobe(&["replay", &path, "--endpoint", "http://127.0.0.1:9"]).output().unwrap();
    assert_eq!(nobody.status.code(), Some(3), "{}", text(&nobody));
    std::fs::write(folder.path().join("no.json"), "{\"rotaprobe\": 1").unwrap();
    let none = rotaprobe(&["replay", &folder.path().join("no.json").display().to_string()]).output().unwrap();
    assert_eq!(none.status.code(), Some(2), "{}", text(&none));
}

#[test]
fn what_a_campaign_records_is_judged_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl").display().to_string();
    let arguments = ["fuzz", "--vendor", "huawei", "--seed", "3", "--calls", "300", "--history", &path];
    let clean = rotaprobe(&arguments).output().unwrap();
    assert_eq!(clean.status.code(), Some(0), "{}", text(&clean));
    let judged = rotaprobe(&["judge", &path]).output().unwrap();
    assert_eq!(judged.status.code(), Some(0), "{}", text(&judged));
}
