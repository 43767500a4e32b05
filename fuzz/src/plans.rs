//! Plans, tried one after another: the bytes of an input mean the plan that they mean to `rotaprobe fuzz`
//! and in its corpus. What no document allows makes a target fail, with a finding that can be replayed.

use rotaprobe::campaign::fuzz::{Finding, Runner, Target};
use rotaprobe::emulator::fault::{self, Fault};
use rotaprobe::generate::Plan;
use rotaprobe::spec::{self, Vendor};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Seed of what is random in a trial: the same for each, so that the bytes decide alone.
const SEED: u64 = 7;
/// Longer than any run of a fuzzer.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What a variable of the environment says, if it says anything.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The vendor that `ROTAPROBE_VENDOR` names; without it the first one.
pub fn vendor() -> Arc<Vendor> {
    let name = variable("ROTAPROBE_VENDOR")
        .or_else(|| spec::embedded_names().into_iter().next())
        .expect("there are vendors");
    match spec::embedded(&name) {
        Ok(vendor) => Arc::new(vendor),
        Err(why) => panic!("ROTAPROBE_VENDOR: {why}"),
    }
}

/// The fault that `ROTAPROBE_FAULT` names, if it names one.
pub fn faults() -> Vec<&'static Fault> {
    let known = |name: &String| match fault::find(name) {
        Some(fault) => fault,
        None => panic!("ROTAPROBE_FAULT: there is no fault {name}"),
    };
    variable("ROTAPROBE_FAULT").iter().map(known).collect()
}

/// Tries plans at one endpoint.
pub struct Trials {
    vendor: Arc<Vendor>,
    runner: Mutex<Runner>,
    artifacts: PathBuf,
}

impl Trials {
    /// Trials of a fuzz target.
    pub fn new(name: &str, vendor: Arc<Vendor>, target: Target) -> Self {
        let runner = Runner::new(&vendor, target, SEED, Instant::now() + FOREVER);
        let runner = Mutex::new(runner.expect("the specs have schemas"));
        let artifacts = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts").join(name);
        Self { vendor, runner, artifacts }
    }

    /// Tries the plan that bytes mean, and tells what it has shown.
    ///
    /// # Panics
    /// If something happened that no document allows, or nobody answers any more.
    pub fn attempt(&self, bytes: &[u8]) -> Vec<u64> {
        let plan = Plan::decode(&self.vendor, bytes);
        let mut runner = self.runner.lock().expect("whoever panics here ends the process");
        let trial = runner.trial(&plan, SEED);
        let findings = runner.findings(&trial, &plan, SEED);
        if let Some(first) = findings.first() {
            panic!("{}", self.told(first));
        }
        if let Some(why) = runner.exhausted() {
            panic!("{why}; the last plan was {}", serde_json::to_string(&plan).unwrap_or_default());
        }
        trial.features
    }

    /// A finding as text, without values; and as a file, to be replayed.
    fn told(&self, finding: &Finding) -> String {
        let mut text = format!(
            "{}: {}\n  expected  {}\n  observed  {}\n",
            finding.rule, finding.claim, finding.expected, finding.observed
        );
        for line in &finding.history {
            let mark = if line.shows { '>' } else { ' ' };
            let _ = writeln!(text, "{mark} {}", line.call);
        }
        let _ = writeln!(text, "  plan      {}", serde_json::to_string(&finding.plan).unwrap_or_default());
        let file = self.artifacts.join(finding.file_name());
        let written = std::fs::create_dir_all(&self.artifacts)
            .and_then(|()| std::fs::write(&file, serde_json::to_vec_pretty(finding).unwrap_or_default()));
        let there = if finding.endpoint.starts_with("http") {
            format!(" --endpoint {}", finding.endpoint)
        } else {
            String::new()
        };
        let _ = match written {
            Ok(()) => writeln!(text, "  again     rotaprobe replay {}{there}", file.display()),
            Err(why) => writeln!(text, "  {} cannot be written: {why}", file.display()),
        };
        text
    }
}
