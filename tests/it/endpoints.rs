//! What real endpoints force on a run: secrets that are there already, and operations that are not.

use rotaprobe::campaign::{self, Endpoint, Outcome, Plan, Reference, Verdict};
use rotaprobe::check::Fixture;
use rotaprobe::client::Caller;
use rotaprobe::client::transport::{Lost, Transport};
use rotaprobe::codec::Call;
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
