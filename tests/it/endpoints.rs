//! What real endpoints force on a run: secrets that are there already, and operations that are not.

use rotaprobe::campaign::{self, Endpoint, Outcome, Plan, Reference, Verdict};
use rotaprobe::check::Fixture;
use rotaprobe::client::Caller;
use rotaprobe::client::transport::{Lost, Transport};
use rotaprobe::codec::Call;
use rotaprobe::emulator::fault;
use rotaprobe::model::RULES;
use rotaprobe::spec::{self, Vendor};
use rotaprobe::wire::{Headers, Request, Response};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The reference behind a gateway that does not know some operations, and counts creations.
#[derive(Debug)]
struct Gateway {
    reference: Arc<Reference>,
    unknown: Vec<&'static str>,
    created: Mutex<Vec<String>>,
}

impl Transport for Gateway {
    fn send(&self, request: &Request, timeout: Duration) -> Result<Response, Lost> {
        let action = request.headers.text("x-acs-action").unwrap_or_default().to_owned();
        let named = |name: &str| action == name || request.target.contains(&format!("Action={name}&"));
        if self.unknown.iter().any(|name| named(name)) {
            let mut headers = Headers::new();
            headers.add("content-type", "application/json");
            let body = br#"{"Code":"InvalidApi.NotFound","Message":"no","RequestId":"gateway"}"#.to_vec();
            return Ok(Response { status: 404, headers, body });
        }
        if named("CreateSecret") {
            self.created.lock().unwrap_or_else(PoisonError::into_inner).push(request.target.clone());
        }
        self.reference.send(request, timeout)
    }

    fn name(&self) -> String {
        "the gateway".into()
    }
}

fn gateway(vendor: &Arc<Vendor>, unknown: &[&'static str]) -> (Arc<Gateway>, Endpoint) {
    let reference = Arc::new(Reference::new(vendor.clone(), 7));
    let mut endpoint = Endpoint::in_process(reference.clone());
    let gateway = Arc::new(Gateway { reference, unknown: unknown.to_vec(), created: Mutex::default() });
    endpoint.transport = gateway.clone();
    // Its clock is the run's own: whoever moved it would count twice.
    endpoint.clock = None;
    endpoint.in_process = false;
    (gateway, endpoint)
}

fn check(vendor: &Arc<Vendor>, gateway: &Gateway, endpoint: &Endpoint, wanted: fn(&str) -> bool) -> Outcome {
    let clock = gateway.reference.clock().clone();
    let rules = RULES.iter().map(|rule| rule.id).filter(|id| wanted(id)).collect();
    let plan = Plan { rules, seed: 7, deadline: Duration::from_secs(600) };
    campaign::run(vendor, endpoint, &plan, Arc::new(move || clock.now()), &mut |_| {})
}

#[test]
fn an_operation_that_is_missing_is_no_violation_unless_it_rotates() {
    let vendor = Arc::new(spec::embedded("alibaba").unwrap());
    let (gate, endpoint) = gateway(&vendor, &["ListSecrets", "ListSecretVersionIds"]);
    let outcome = check(&vendor, &gate, &endpoint, |id| id.starts_with("ROT-") || id == "LIST-1");
    let verdict = |id: &str| outcome.results.iter().find(|it| it.rule == id).unwrap();
    let violated: Vec<_> = outcome.results.iter().filter(|it| it.verdict == Verdict::Violated).collect();
    assert!(violated.is_empty(), "{violated:#?}");
    for id in ["LIST-1", "ROT-PAGE-1"] {
        assert_eq!(verdict(id).verdict, Verdict::NotExercised, "{id}");
        assert!(verdict(id).reason.as_ref().unwrap().starts_with("operation missing"), "{:?}", verdict(id));
    }
    assert_eq!(verdict("ROT-IDEMP-1").verdict, Verdict::Holds);

    let (gate, endpoint) = gateway(&vendor, &["RotateSecret"]);
    let outcome = check(&vendor, &gate, &endpoint, |id| id == "ROT-NEW-1");
    assert_eq!(
        outcome.exit_code(),
        1,
        "an endpoint that cannot rotate does not conform: {:#?}",
        outcome.results
    );
}

#[test]
fn a_secret_that_is_there_already_is_used_in_place_of_new_ones() {
    let vendor = Arc::new(spec::embedded("alibaba").unwrap());
    let (gate, mut endpoint) = gateway(&vendor, &[]);
    let credentials = gate.reference.credentials();
    let clock = gate.reference.clock().clone();
    let now = Arc::new(move || clock.now());
    let reference = gate.reference.clone();
    let timeout = Duration::from_secs(5);
    let mut caller = Caller::new(vendor.clone(), reference, credentials, "127.0.0.1", timeout, now, 1);
    let create = Call::new("CreateSecret")
        .with("SecretName", "orders-db")
        .with("VersionId", "v0")
        .with("SecretType", "Rds")
        .with("ExtendedConfig", r#"{"SecretSubType":"SingleUser","DBInstanceId":"rm-1"}"#)
        .with("SecretData", r#"{"Accounts":[{"AccountName":"a","AccountPassword":"b"}]}"#);
    assert!(caller.call(&create, None).done());
    endpoint.fixtures = vec![Fixture { account: 0, kind: "Rds".into(), name: "orders-db".into() }];
    let outcome = check(&vendor, &gate, &endpoint, |id| {
        ["ROT-RYW-1", "ROT-IDEMP-1", "ROT-PREV-1", "ROT-POL-5"].contains(&id)
    });
    assert_eq!(outcome.exit_code(), 0, "{:#?}", outcome.results);
    assert_eq!(outcome.summary.rules.holds, 4, "{:#?}", outcome.results);
    let created = gate.created.lock().unwrap();
    assert!(created.iter().all(|target| target.contains("EnableAutomaticRotation=true")), "{created:?}");
    let list =
        Call::new("ListSecretVersionIds").with("SecretName", "orders-db").with("IncludeDeprecated", "true");
    let versions = caller.call(&list, None).reply().unwrap().facts().unwrap().clone();
    assert!(format!("{versions:?}").matches("VersionFact").count() > 5, "the fixture itself was rotated");
}

/// The reference, where the first account's key comes twice.
fn with_one_account(vendor: &Arc<Vendor>, presumed: bool) -> (Arc<Gateway>, Endpoint) {
    let (gate, mut endpoint) = gateway(vendor, &[]);
    endpoint.credentials = vec![endpoint.credentials[0].clone(); 2];
    endpoint.presumed = presumed;
    (gate, endpoint)
}

#[test]
fn two_keys_that_nobody_gave_and_that_are_one_accounts_accuse_nobody() {
    for name in ["alibaba", "aws"] {
        let vendor = Arc::new(spec::embedded(name).unwrap());
        let foreign = |presumed| {
            let (gate, endpoint) = with_one_account(&vendor, presumed);
            let mut outcome = check(&vendor, &gate, &endpoint, |id| id == "ROT-OWN-1" || id == "ROT-ERR-3");
            assert_eq!(outcome.summary.left_behind, 0);
            outcome.results.remove(0)
        };
        let result = foreign(true);
        assert_eq!(result.verdict, Verdict::NotExercised, "{name}: {result:#?}");
        assert!(result.reason.as_ref().unwrap().starts_with("credentials:"), "{result:?}");
        // Whoever gives two keys says that they are of two accounts.
        assert_eq!(foreign(false).verdict, Verdict::Violated, "{name}");
    }
}

#[test]
fn a_second_key_that_nobody_gave_and_nobody_knows_is_left_out() {
    let vendor = Arc::new(spec::embedded("alibaba").unwrap());
    let (gate, mut endpoint) = gateway(&vendor, &[]);
    endpoint.credentials[1].id = "stranger".into();
    let clock = gate.reference.clock().clone();
    let now: rotaprobe::client::Now = Arc::new(move || clock.now());
    let refused = campaign::preflight(&vendor, &mut endpoint, &now, 7).unwrap_err();
    assert!(refused.to_string().contains("access key of the second account"), "{refused}");
    endpoint.presumed = true;
    campaign::preflight(&vendor, &mut endpoint, &now, 7).unwrap();
    assert_eq!(endpoint.credentials.len(), 1);
}

#[test]
fn the_exercise_that_a_violation_names_shows_it_again() {
    let vendor = Arc::new(spec::embedded("alibaba").unwrap());
    let faulty = |rules: Vec<&'static str>| {
        let reference = Arc::new(Reference::new(vendor.clone(), 7));
        reference.with(|emulator| emulator.set_faults(vec![fault::find("error-after-commit").unwrap()]));
        let clock = reference.clock().clone();
        let plan = Plan { rules, seed: 7, deadline: Duration::from_secs(600) };
        let endpoint = Endpoint::in_process(reference);
        campaign::run(&vendor, &endpoint, &plan, Arc::new(move || clock.now()), &mut |_| {})
    };
    let violated = |outcome: &Outcome| -> Vec<(String, String)> {
        let of = |result: &campaign::RuleResult| {
            let rule = result.rule.clone();
            result.violations.iter().map(move |it| (rule.clone(), it.shown_by.clone())).collect::<Vec<_>>()
        };
        outcome.results.iter().flat_map(of).collect()
    };
    let rule_called = |id: &str| RULES.iter().find(|rule| rule.id == id).unwrap().id;
    let all = violated(&faulty(RULES.iter().map(|rule| rule.id).collect()));
    assert!(all.iter().any(|(rule, shown_by)| rule != shown_by), "{all:?}");
    for (rule, shown_by) in all {
        let again = violated(&faulty(vec![rule_called(&rule), rule_called(&shown_by)]));
        assert!(again.iter().any(|(found, _)| *found == rule), "{rule} in the exercise of {shown_by}");
    }
}
