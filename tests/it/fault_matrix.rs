//! Teeth: every fault is caught by a rule it names, every exercised rule is tripped by a fault, and the
//! fault-free reference violates nothing.

use rotaprobe::campaign::{self, Endpoint, Outcome, Plan, Reference, Verdict};
use rotaprobe::emulator::fault::{self, Fault};
use rotaprobe::model::RULES;
use rotaprobe::spec::{self, Vendor};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

fn check(vendor: &Arc<Vendor>, faults: Vec<&'static Fault>, seed: u64) -> Outcome {
    let reference = Arc::new(Reference::new(vendor.clone(), seed));
    reference.with(|emulator| emulator.set_faults(faults));
    let clock = reference.clock().clone();
    let plan = Plan { rules: campaign::select(&[]).unwrap(), seed, deadline: Duration::from_secs(600) };
    campaign::run(vendor, &Endpoint::in_process(reference), &plan, Arc::new(move || clock.now()), &mut |_| {})
}

fn violated(outcome: &Outcome) -> Vec<&'static str> {
    let violated =
        |id: &str| outcome.results.iter().any(|it| it.rule == id && it.verdict == Verdict::Violated);
    RULES.iter().map(|rule| rule.id).filter(|id| violated(id)).collect()
}

#[test]
fn the_fault_free_reference_violates_nothing_whatever_the_seed() {
    for vendor in spec::embedded_names() {
        let vendor = Arc::new(spec::embedded(&vendor).unwrap());
        for seed in [1, 2, 3] {
            let outcome = check(&vendor, Vec::new(), seed);
            let broken: Vec<_> = outcome.results.iter().filter(|it| it.verdict == Verdict::Broken).collect();
            assert_eq!(violated(&outcome), Vec::<&str>::new(), "{} with seed {seed}", vendor.spec.vendor);
            assert!(broken.is_empty(), "{broken:?}");
            assert_eq!(outcome.summary.left_behind, 0);
        }
    }
}

#[test]
fn no_liberty_is_accused() {
    let mut accused = Vec::new();
    for name in spec::embedded_names() {
        let vendor = Arc::new(spec::embedded(&name).unwrap());
        for liberty in fault::liberties() {
            let outcome = check(&vendor, vec![liberty], 7);
            for result in outcome.results.iter().filter(|it| it.verdict == Verdict::Violated) {
                let first = &result.violations[0];
                accused.push(format!("{} of {}: {first:#?}", result.rule, liberty.name));
            }
        }
    }
    assert!(accused.is_empty(), "accused although legal:\n{}", accused.join("\n"));
}

#[test]
fn every_fault_is_caught_by_a_rule_it_names_and_every_rule_has_a_fault() {
    for name in spec::embedded_names() {
        let vendor = Arc::new(spec::embedded(&name).unwrap());
        let faults: Vec<&'static Fault> = fault::all().collect();
        let halves = faults.split_at(faults.len() / 2);
        let run = |faults: &[&'static Fault]| -> Vec<(&'static Fault, Vec<&'static str>)> {
            faults.iter().map(|fault| (*fault, violated(&check(&vendor, vec![fault], 7)))).collect()
        };
        let caught: Vec<_> = std::thread::scope(|scope| {
            let other = scope.spawn(|| run(halves.1));
            let mut all = run(halves.0);
            all.extend(other.join().unwrap());
            all
        });
        let mut matrix = String::new();
        let mut tripped: BTreeMap<&str, usize> = BTreeMap::new();
        let mut uncaught = Vec::new();
        for (fault, rules) in &caught {
            matrix.push_str(&format!("{:<28} {}\n", fault.name, rules.join(" ")));
            if !fault.rules.iter().any(|rule| rules.contains(rule)) {
                uncaught.push(format!("{} (names {:?}, tripped {rules:?})", fault.name, fault.rules));
            }
            for rule in rules {
                *tripped.entry(rule).or_default() += 1;
            }
        }
        assert!(uncaught.is_empty(), "uncaught faults:\n{}", uncaught.join("\n"));
        let idle: BTreeSet<String> = check(&vendor, Vec::new(), 7)
            .results
            .into_iter()
            .filter(|it| it.verdict == Verdict::Holds && !tripped.contains_key(it.rule.as_str()))
            .map(|it| it.rule)
            .collect();
        assert!(idle.is_empty(), "rules that no fault trips: {idle:?}");
        insta::with_settings!({ snapshot_path => "../../snapshots", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("fault_matrix_{name}"), matrix);
        });
    }
}
