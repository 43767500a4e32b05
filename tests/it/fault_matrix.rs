//! Teeth: every fault is caught by a rule it names, every exercised rule is tripped by a fault, and the
//! fault-free reference violates nothing; for every vendor.
//!
//! A fault that changes no reply of a vendor's whole run is none there: an API without intervals in
//! weeks cannot read them wrongly. The snapshots list those apart.

use rotaprobe::campaign::{self, Endpoint, Outcome, Plan, Reference, Verdict};
use rotaprobe::client::transport::{Lost, Timed, Transport};
use rotaprobe::emulator::fault::{self, Fault};
use rotaprobe::history::Leave;
use rotaprobe::model::RULES;
use rotaprobe::spec::{self, Vendor};
use rotaprobe::wire::{Request, Response};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Faults that are none for a vendor, because its documents leave open what they do.
const OPEN: &[(&str, &str, &str)] = &[
    ("alibaba", "created-201", "no document names the status of a success"),
    ("alibaba", "leaving-in-use", "only deletion and creation are said to be refused"),
    ("alibaba", "leaving-is-unknown", "what rotation answers for a secret in its window is open"),
    ("aws", "no-message", "no document promises the message of an error"),
    ("aws", "restore-normal-accepted", "what restoring a secret answers that is not deleted is open"),
    ("aws", "wrong-key-code", "names of authentication errors vary"),
    ("huawei", "restore-loses-policy", "whether automatic rotation goes on after restoring is open"),
    ("huawei", "wrong-code", "the code of an unknown secret is open"),
    ("huawei", "wrong-status", "the status of an unknown secret is open"),
    ("huawei", "undocumented-code", "the code of an unknown secret is open"),
    ("huawei", "empty-accepted", "no document speaks of empty values"),
    ("huawei", "value-shape", "no document shows the value of a managed secret"),
    ("huawei", "interval-sign", "spellings of intervals are open"),
    ("huawei", "first-wins", "what counts of a member that comes twice is open"),
    ("huawei", "last-wins-mismatch", "what counts of a member that comes twice is open"),
    ("huawei", "leaving-is-unknown", "what rotation answers for a secret in its window is open"),
    ("tencent", "no-policy-at-creation", "a policy needs a date then, whose zone is open"),
    ("tencent", "empty-accepted", "no document speaks of empty values"),
    ("tencent", "leaving-is-unknown", "what rotation answers for a secret in its window is open"),
    ("tencent", "restore-normal-accepted", "what restoring a secret answers that is not deleted is open"),
    ("tencent", "values-unchecked", "the lists of allowed values are open"),
];

/// Faults that show in a vendor's replies and that no rule catches yet: gaps, and not excuses.
const GAPS: &[(&str, &str)] = &[("huawei", "disabled-fires")];

/// Liberties that toss a coin.
const TOSSES: &[&str] = &["chance-decides", "doubts-refused-at-times"];

/// Rules that hold at a vendor and that no fault trips there yet: gaps, and not excuses.
const UNTRIPPED: &[(&str, &str)] = &[];

/// The reference, and a digest of everything that it answered.
#[derive(Debug)]
struct Overheard {
    reference: Arc<Reference>,
    digest: AtomicU64,
}

impl Overheard {
    fn hear(&self, response: &Response) {
        let mut hasher = DefaultHasher::new();
        self.digest.load(Ordering::Relaxed).hash(&mut hasher);
        response.status.hash(&mut hasher);
        // Ids and values come from the emulator's dice, which some faults throw once more.
        shape(&response.body).hash(&mut hasher);
        response.headers.iter().map(|(name, _)| name).collect::<Vec<_>>().hash(&mut hasher);
        self.digest.store(hasher.finish(), Ordering::Relaxed);
    }
}

impl Transport for Overheard {
    fn send(&self, request: &Request, timeout: Duration) -> Result<Response, Lost> {
        let response = self.reference.send(request, timeout)?;
        self.hear(&response);
        Ok(response)
    }

    fn send_and_leave(&self, request: &Request, timeout: Duration, leave: Leave) -> Lost {
        self.reference.send_and_leave(request, timeout, leave)
    }

    fn send_together(&self, requests: &[(Request, Option<Leave>)], timeout: Duration) -> Vec<Timed> {
        let all = self.reference.send_together(requests, timeout);
        all.iter().filter_map(|(result, ..)| result.as_ref().ok()).for_each(|response| self.hear(response));
        all
    }

    fn name(&self) -> String {
        self.reference.name()
    }
}

/// A body without digits, and without what may stand beside them in ids and random values.
fn shape(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let words = text.split(|c: char| !c.is_alphanumeric());
    let kept = words.filter(|word| !word.chars().any(|c| c.is_ascii_digit()) && word.len() < 30);
    kept.collect::<Vec<_>>().join(" ").into_bytes()
}

fn overheard(vendor: &Arc<Vendor>, faults: Vec<&'static Fault>, seed: u64) -> (Outcome, u64) {
    let reference = Arc::new(Reference::new(vendor.clone(), seed));
    reference.with(|emulator| emulator.set_faults(faults));
    let clock = reference.clock().clone();
    let plan = Plan { rules: campaign::select(&[]).unwrap(), seed, deadline: Duration::from_secs(600) };
    let mut endpoint = Endpoint::in_process(reference.clone());
    let transport = Arc::new(Overheard { reference, digest: AtomicU64::new(0) });
    endpoint.transport = transport.clone();
    let outcome = campaign::run(vendor, &endpoint, &plan, Arc::new(move || clock.now()), &mut |_| {});
    (outcome, transport.digest.load(Ordering::Relaxed))
}

fn check(vendor: &Arc<Vendor>, faults: Vec<&'static Fault>, seed: u64) -> Outcome {
    overheard(vendor, faults, seed).0
}

fn violated(outcome: &Outcome) -> Vec<&'static str> {
    let violated =
        |id: &str| outcome.results.iter().any(|it| it.rule == id && it.verdict == Verdict::Violated);
    RULES.iter().map(|rule| rule.id).filter(|id| violated(id)).collect()
}

fn vendors() -> Vec<Arc<Vendor>> {
    // Without optimisation one vendor takes as long as all of them with it.
    let most = if cfg!(debug_assertions) { 1 } else { usize::MAX };
    let names = spec::embedded_names().into_iter().take(most);
    names.map(|name| Arc::new(spec::embedded(&name).unwrap())).collect()
}

/// Does something with each of many, on two threads.
fn each<T: Sync, R: Send>(all: &[T], make: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let made: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((at, one)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, all.get(at)?)))
                {
                    let result = make(one);
                    made.lock().unwrap().push((at, result));
                }
            });
        }
    });
    let mut made = made.into_inner().unwrap();
    made.sort_by_key(|(at, _)| *at);
    made.into_iter().map(|(_, result)| result).collect()
}

#[test]
fn the_fault_free_reference_violates_nothing_whatever_the_seed() {
    for vendor in vendors() {
        for seed in [1, 2, 3] {
            let outcome = check(&vendor, Vec::new(), seed);
            let broken: Vec<_> = outcome.results.iter().filter(|it| it.verdict == Verdict::Broken).collect();
            assert_eq!(violated(&outcome), Vec::<&str>::new(), "{} with seed {seed}", vendor.spec.vendor);
            assert!(broken.is_empty(), "{broken:?}");
            assert_eq!(outcome.summary.left_behind, 0, "{}", vendor.spec.vendor);
        }
    }
}

#[test]
fn no_liberty_is_accused() {
    let liberties: Vec<&'static Fault> = fault::liberties().collect();
    let mut accused = Vec::new();
    for vendor in vendors() {
        for found in each(&liberties, |liberty| {
            // One throw of the dice shows little.
            let seeds = if TOSSES.contains(&liberty.name) { 1..=12 } else { 7..=7 };
            let outcomes: Vec<Outcome> = seeds.map(|seed| check(&vendor, vec![liberty], seed)).collect();
            let results = outcomes.iter().flat_map(|it| &it.results);
            let violated = results.filter(|it| it.verdict == Verdict::Violated);
            let name = &vendor.spec.vendor;
            violated
                .map(|it| format!("{} of {} at {name}: {:#?}", it.rule, liberty.name, it.violations[0]))
                .collect::<Vec<_>>()
        }) {
            accused.extend(found);
        }
    }
    assert!(accused.is_empty(), "accused although legal:\n{}", accused.join("\n"));
}

#[test]
fn no_liberty_is_accused_by_a_campaign() {
    let liberties: Vec<&'static Fault> = fault::liberties().collect();
    let mut accused = Vec::new();
    for vendor in vendors() {
        let found = each(&liberties, |liberty| {
            let (found, summary) = crate::fuzz::campaign(&vendor, &[liberty.name], 3_000, 1, 11);
            assert!(!found.is_empty() || summary.calls >= 3_000, "{}: {summary:?}", liberty.name);
            found
                .into_iter()
                .map(|it| format!("{} of {}: {it:#?}", it.rule, liberty.name))
                .collect::<Vec<_>>()
        });
        accused.extend(found.into_iter().flatten());
    }
    assert!(accused.is_empty(), "accused although legal:\n{}", accused.join("\n"));
}

#[test]
fn no_check_trips_a_deep_fault() {
    let deep: Vec<&'static Fault> = fault::deep().collect();
    let mut tripped = Vec::new();
    for vendor in vendors() {
        let name = &vendor.spec.vendor;
        let found = each(&deep, |fault| violated(&check(&vendor, vec![fault], 7)));
        let found = deep.iter().zip(found).filter(|(_, rules)| !rules.is_empty());
        tripped.extend(found.map(|(fault, rules)| format!("{name}: {} trips {rules:?}", fault.name)));
    }
    assert!(tripped.is_empty(), "not deep enough:\n{}", tripped.join("\n"));
}

#[test]
fn every_fault_is_caught_by_a_rule_it_names_and_every_rule_has_a_fault() {
    let faults: Vec<&'static Fault> = fault::all().collect();
    let mut wrong = Vec::new();
    let mut idle_everywhere: BTreeSet<&str> = faults.iter().map(|fault| fault.name).collect();
    for vendor in vendors() {
        let name = vendor.spec.vendor.clone();
        let (clean, silence) = overheard(&vendor, Vec::new(), 7);
        let caught = each(&faults, |fault| {
            let (outcome, digest) = overheard(&vendor, vec![fault], 7);
            (*fault, violated(&outcome), digest == silence)
        });
        let (mut matrix, mut idle) = (String::new(), Vec::new());
        let mut tripped: BTreeMap<&str, usize> = BTreeMap::new();
        for (fault, rules, silent) in &caught {
            if *silent && rules.is_empty() {
                idle.push(fault.name);
                continue;
            }
            idle_everywhere.remove(fault.name);
            matrix.push_str(&format!("{:<28} {}\n", fault.name, rules.join(" ")));
            // What no document of this vendor states cannot be held against anybody.
            let bound = fault.rules.iter().any(|rule| vendor.law.binds(rule));
            let open = OPEN.iter().any(|(at, known, _)| *at == name && *known == fault.name);
            let open = open || GAPS.contains(&(name.as_str(), fault.name));
            let found = fault.rules.iter().any(|rule| rules.contains(rule));
            if open && found {
                wrong.push(format!("{name}: {} is found, and need not be listed", fault.name));
            }
            if bound && !open && !found {
                wrong.push(format!("{name}: {} names {:?} and tripped {rules:?}", fault.name, fault.rules));
            }
            for rule in rules {
                *tripped.entry(rule).or_default() += 1;
            }
        }
        let holds = clean.results.iter().filter(|it| it.verdict == Verdict::Holds);
        let known = |rule: &str| UNTRIPPED.contains(&(name.as_str(), rule));
        for result in holds.filter(|it| !tripped.contains_key(it.rule.as_str()) && !known(&it.rule)) {
            wrong.push(format!("{name}: no fault trips {}", result.rule));
        }
        matrix.push_str(&format!("\nwithout effect here: {}\n", idle.join(" ")));
        insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("fault_matrix_{name}"), matrix);
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all = vendors().len() == spec::embedded_names().len();
    assert!(idle_everywhere.is_empty() || !all, "faults without effect on any vendor: {idle_everywhere:?}");
}
