//! A campaign: draws inputs, tries them, keeps what is new, and makes findings small.

use super::culprit::blamed_better;
use super::finding::{Finding, Happens, Likeness, likeness};
use super::mutate::{mutate, random};
use super::runner::{Runner, Target};
use super::shrink::shrink;
use super::slow::Pace;
use super::store::{Progress, Store, StoreError};
use crate::campaign::Interrupt;
use crate::check::Halt;
use crate::generate::{Plan, Small};
use crate::history::History;
use crate::spec::Vendor;
use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Calls of the longest plans that are enumerated.
const SMALL: usize = 2;
/// Trials that making a finding small may take.
const SHRINKING: usize = 400;
/// How often a finding is tried again.
const AGAIN: u32 = 5;
/// How often progress is told and written down.
const TICK: Duration = Duration::from_secs(1);

/// How much a campaign may do.
#[derive(Clone, Debug)]
pub struct Budget {
    /// How long it lasts.
    pub time: Option<Duration>,
    /// Calls that it makes.
    pub calls: Option<u64>,
    /// Calls in a second, all workers together.
    pub rate: Option<f64>,
    /// Findings after which it ends.
    pub findings: Option<usize>,
    /// Seed of everything random.
    pub seed: u64,
}

/// What a campaign tells while it goes on.
#[derive(Clone, Debug)]
pub enum Heard<'a> {
    /// Where it is.
    Status(Summary),
    /// A finding, and its file.
    Found(&'a Finding, Option<PathBuf>),
    /// Secrets may be left; this journal knows them.
    Left(PathBuf, usize),
}

/// A campaign in numbers.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Calls made.
    pub calls: u64,
    /// Plans tried.
    pub plans: u64,
    /// Different things seen.
    pub features: usize,
    /// Inputs that showed something new.
    pub corpus: usize,
    /// Findings, those of earlier runs of the campaign included.
    pub findings: usize,
    /// How long it has gone on.
    pub lasted: Duration,
    /// How long ago something new was seen.
    pub since_new: Duration,
    /// What is worth a look: calls that took far longer than their peers, again and again; a clock that was
    /// left alone.
    pub notes: Vec<String>,
    /// Why it ended before its budget, if it did.
    pub stopped: Option<String>,
}

struct Shared {
    small: Small,
    inputs: Vec<Vec<u8>>,
    corpus: Vec<Vec<u8>>,
    features: HashSet<u64>,
    known: BTreeSet<Likeness>,
    findings: usize,
    plans: u64,
    last_new: Instant,
    notes: BTreeSet<String>,
    stopped: Option<String>,
    failed: Option<StoreError>,
    told: Vec<(Finding, Option<PathBuf>)>,
    left: Vec<(PathBuf, usize)>,
}

impl Shared {
    /// What there is to begin with: nothing, or what an earlier run of the campaign left.
    fn new(store: &Store, progress: Progress) -> Result<Self, StoreError> {
        let known: BTreeSet<Likeness> = store.findings()?.iter().map(Finding::likeness).collect();
        let next = progress.next.as_ref().and_then(|next| hex::decode(next).ok());
        Ok(Self {
            small: Small::from(SMALL, progress.small, next),
            inputs: store.inputs()?,
            corpus: Vec::new(),
            features: HashSet::new(),
            findings: known.len(),
            known,
            plans: progress.plans,
            last_new: Instant::now(),
            notes: BTreeSet::new(),
            stopped: None,
            failed: None,
            told: Vec::new(),
            left: Vec::new(),
        })
    }
}

/// Hears of each history, with the rotations of each account before it.
pub type Listener<'a> = &'a (dyn Fn(&[Vec<i64>], &History) + Sync);

/// What is fuzzed, how much, and where what comes of it goes.
#[derive(Clone, Copy)]
pub struct Hunt<'a> {
    /// The vendor whose documents count.
    pub vendor: &'a Arc<Vendor>,
    /// Names of the faults that are on, where it is the reference: findings tell them.
    pub faults: &'a [String],
    /// How much the campaign may do.
    pub budget: &'a Budget,
    /// Its directories.
    pub store: &'a Store,
    /// Ends it early.
    pub interrupt: &'a Interrupt,
    /// Hears of each history.
    pub listener: Option<Listener<'a>>,
}

impl std::fmt::Debug for Hunt<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Hunt({}, {:?})", self.vendor.spec.vendor, self.budget)
    }
}

struct Campaign<'a> {
    hunt: &'a Hunt<'a>,
    shared: Mutex<Shared>,
    calls: AtomicU64,
    over: AtomicBool,
    began: Instant,
    jobs: usize,
}

/// Fuzzes targets, one for each job, until the budget is spent, nothing can go on, or somebody interrupts.
///
/// # Errors
/// A directory or file that cannot be read or written.
pub fn hunt(
    hunt: &Hunt<'_>,
    targets: Vec<Target>,
    tell: &mut dyn FnMut(Heard<'_>),
) -> Result<Summary, StoreError> {
    let (name, store) = (&hunt.vendor.spec.vendor, hunt.store);
    let progress = store.progress(name)?.unwrap_or_else(|| Progress::of(name, &Small::up_to(SMALL), 0, 0));
    let campaign = Campaign {
        hunt,
        calls: AtomicU64::new(progress.calls),
        shared: Mutex::new(Shared::new(store, progress)?),
        over: AtomicBool::new(false),
        began: Instant::now(),
        jobs: targets.len(),
    };
    let mut told = Instant::now();
    std::thread::scope(|scope| {
        let workers: Vec<_> = targets
            .into_iter()
            .enumerate()
            .map(|(job, target)| {
                let campaign = &campaign;
                scope.spawn(move || campaign.work(job as u64, target))
            })
            .collect();
        while !workers.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            std::thread::park_timeout(TICK / 20);
            campaign.tell_findings(tell);
            if told.elapsed() >= TICK {
                campaign.tell_status(tell);
                told = Instant::now();
            }
        }
    });
    campaign.tell_findings(tell);
    campaign.tell_status(tell);
    let summary = campaign.summary();
    let mut shared = campaign.shared();
    for (journal, left) in shared.left.drain(..) {
        tell(Heard::Left(journal, left));
    }
    match shared.failed.take() {
        Some(failed) => Err(failed),
        None => Ok(summary),
    }
}

impl Campaign<'_> {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn summary(&self) -> Summary {
        let shared = self.shared();
        Summary {
            calls: self.calls.load(Ordering::Relaxed),
            plans: shared.plans,
            features: shared.features.len(),
            corpus: shared.corpus.len(),
            findings: shared.findings,
            lasted: self.began.elapsed(),
            since_new: shared.last_new.elapsed(),
            notes: shared.notes.iter().cloned().collect(),
            stopped: shared.stopped.clone(),
        }
    }

    fn tell_findings(&self, tell: &mut dyn FnMut(Heard<'_>)) {
        let told = std::mem::take(&mut self.shared().told);
        for (finding, path) in told {
            tell(Heard::Found(&finding, path));
        }
    }

    /// Tells where the campaign is, and writes it down.
    fn tell_status(&self, tell: &mut dyn FnMut(Heard<'_>)) {
        let progress = {
            let shared = self.shared();
            let calls = self.calls.load(Ordering::Relaxed);
            Progress::of(&self.hunt.vendor.spec.vendor, &shared.small, shared.plans, calls)
        };
        self.keep(self.hunt.store.keep_progress(&progress));
        tell(Heard::Status(self.summary()));
    }

    fn keep<T>(&self, done: Result<T, StoreError>) -> Option<T> {
        done.map_err(|failed| {
            self.shared().failed = Some(failed);
            self.over.store(true, Ordering::Relaxed);
        })
        .ok()
    }

    fn is_over(&self) -> bool {
        let enough = |most: Option<u64>| most.is_some_and(|most| self.calls.load(Ordering::Relaxed) >= most);
        self.over.load(Ordering::Relaxed)
            || self.hunt.interrupt.requested()
            || self.hunt.budget.time.is_some_and(|time| self.began.elapsed() >= time)
            || enough(self.hunt.budget.calls)
    }

    fn work(&self, job: u64, target: Target) {
        let deadline = self.hunt.budget.time.unwrap_or(Duration::from_secs(365 * 86_400));
        let seed = self.hunt.budget.seed.wrapping_add(job.wrapping_mul(0x9E37_79B9));
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut runner = match Runner::new(self.hunt.vendor, target, seed, self.began + deadline) {
            Ok(runner) => runner,
            Err(why) => return self.stop(why),
        };
        let rate = self.hunt.budget.rate.map(|rate| rate / self.jobs.max(1) as f64);
        let (mut pace, mut silent) = (Pace::default(), 0);
        while !self.is_over() {
            let bytes = self.draw(&mut rng, runner.vendor());
            let plan = Plan::decode(runner.vendor(), &bytes);
            match self.try_one(&mut runner, &mut pace, &bytes, &plan, rng.u64(..)) {
                None => silent = 0,
                Some(halt) => {
                    silent += 1;
                    if silent > 2 {
                        self.stop(runner.exhausted().unwrap_or_else(|| format!("no plan can begin: {halt}")));
                    }
                }
            }
            runner.keep_to(rate, self.began);
        }
        let note = |since| {
            format!("no plan moved the endpoint's clock any more {since}; begin it anew to go on with time")
        };
        let stands = runner.clock_stands().map(note);
        let left = runner.close();
        let mut shared = self.shared();
        shared.notes.extend(stands);
        shared.left.extend(left);
    }

    fn stop(&self, why: String) {
        if !self.is_over() {
            self.shared().stopped = Some(why);
        }
        self.over.store(true, Ordering::Relaxed);
    }

    /// The next input: of the corpus on disk, of the small scope, a mutation, or anything.
    fn draw(&self, rng: &mut fastrand::Rng, vendor: &Vendor) -> Vec<u8> {
        let mut shared = self.shared();
        if let Some(bytes) = shared.inputs.pop() {
            return bytes;
        }
        // Odd calls take turns with what chance brings.
        if (!shared.small.is_odd() || rng.bool())
            && let Some(bytes) = shared.small.next(vendor)
        {
            return bytes;
        }
        if shared.corpus.is_empty() || rng.u8(0..8) == 0 {
            return random(rng);
        }
        // What came last is nearest to what nobody has seen yet.
        let count = shared.corpus.len();
        let recent = count.saturating_sub(1 + rng.usize(0..count.min(64)));
        let seed = if rng.bool() { recent } else { rng.usize(0..count) };
        let other = rng.usize(0..count);
        mutate(rng, &shared.corpus[seed], &shared.corpus[other])
    }

    /// Tries one plan. Gives what kept it from beginning, if anything did.
    fn try_one(
        &self,
        runner: &mut Runner,
        pace: &mut Pace,
        bytes: &[u8],
        plan: &Plan,
        seed: u64,
    ) -> Option<Halt> {
        let before = runner.calls();
        let trial = runner.trial(plan, seed);
        self.count(runner.calls() - before);
        if let Some(listener) = self.hunt.listener {
            listener(&trial.before, &trial.performed.history);
        }
        // Where a limit is used up, plans that do without go on.
        let begun = !trial.performed.asked.is_empty();
        let spent = |halt: &Halt| matches!(halt, Halt::Quota | Halt::Missing(_));
        let halted = trial.performed.halted.clone().filter(|halt| !spent(halt) && !begun);
        if self.is_new(bytes, &trial.features) {
            self.keep(self.hunt.store.keep_input(bytes));
        }
        let slow: Vec<String> = trial
            .performed
            .history
            .calls()
            .filter(|(_, exchange)| pace.is_slow(exchange))
            .map(|(_, exchange)| exchange.call.operation.clone())
            .collect();
        let mut found = Vec::new();
        for expectation in &trial.violations {
            let likeness = likeness(&trial, expectation);
            if self.shared().known.insert(likeness.clone()) {
                let finding =
                    Finding::new(runner.vendor(), &runner.name(), &trial, expectation, (plan, seed));
                found.push((finding, likeness));
            }
        }
        for (finding, likeness) in found {
            self.report(runner, finding, &likeness);
        }
        if !slow.is_empty() {
            self.try_slow(runner, plan, seed, &slow);
        }
        halted
    }

    fn count(&self, calls: usize) {
        self.calls.fetch_add(calls as u64, Ordering::Relaxed);
    }

    fn is_new(&self, bytes: &[u8], features: &[u64]) -> bool {
        let mut shared = self.shared();
        shared.plans += 1;
        let before = shared.features.len();
        shared.features.extend(features);
        let new = shared.features.len() > before;
        if new {
            shared.corpus.push(bytes.to_vec());
            shared.last_new = Instant::now();
        }
        new
    }

    /// Writes a finding down at once, then makes it small and tells how often it happens.
    fn report(&self, runner: &mut Runner, mut finding: Finding, wanted: &Likeness) {
        finding.faults = self.hunt.faults.to_vec();
        finding.after = usize::try_from(self.calls.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        self.keep(self.hunt.store.keep_finding(&finding));
        let seed = finding.seed;
        let before = runner.calls();
        let first = finding.file_name();
        let mut small = self.shrunk(runner, &finding.plan, seed, wanted);
        let mut taken_for = vec![wanted.clone()];
        while let Some((plan, shows)) = blamed_better(runner, &small, seed, &taken_for) {
            if !self.shared().known.insert(shows.clone()) {
                self.keep(self.hunt.store.drop_finding(&first));
                return self.count(runner.calls() - before);
            }
            small = self.shrunk(runner, &plan, seed, &shows);
            taken_for.push(shows);
        }
        let wanted = &taken_for[taken_for.len() - 1];
        let mut times = 0;
        for round in 0..AGAIN {
            // Another seed, where anything is random: what depends on it happens sometimes.
            let seed = seed.wrapping_add(u64::from(round));
            if let Some(again) = shown(runner, &small, seed, wanted) {
                let (after, faults) = (finding.after, std::mem::take(&mut finding.faults));
                finding = Finding { after, faults, ..again };
                times += 1;
            }
        }
        self.count(runner.calls() - before);
        finding.happens =
            if times == AGAIN { Happens::Always } else { Happens::Sometimes { times, of: AGAIN } };
        let path = self.keep(self.hunt.store.keep_finding(&finding)).flatten();
        if finding.file_name() != first {
            self.keep(self.hunt.store.drop_finding(&first));
        }
        let mut shared = self.shared();
        shared.findings += 1;
        shared.told.push((finding, path));
        if self.hunt.budget.findings.is_some_and(|most| shared.findings >= most) {
            self.over.store(true, Ordering::Relaxed);
        }
    }

    fn shrunk(&self, runner: &mut Runner, plan: &Plan, seed: u64, wanted: &Likeness) -> Plan {
        shrink(plan, SHRINKING, |plan| {
            !self.hunt.interrupt.requested() && shown(runner, plan, seed, wanted).is_some()
        })
    }

    /// What was slow once may have been the machine; what is slow again is worth a note.
    fn try_slow(&self, runner: &mut Runner, plan: &Plan, seed: u64, slow: &[String]) {
        let again = runner.trial(plan, seed);
        for (_, exchange) in again.performed.history.calls() {
            let operation = &exchange.call.operation;
            if slow.contains(operation) && exchange.span.took() > 50_000 {
                let took = exchange.span.took() / 1_000;
                self.shared()
                    .notes
                    .insert(format!("{operation} took {took} ms, far longer than its peers, twice"));
            }
        }
    }
}

/// The finding, if a plan shows it.
fn shown(runner: &mut Runner, plan: &Plan, seed: u64, wanted: &Likeness) -> Option<Finding> {
    let trial = runner.trial(plan, seed);
    let same = trial.violations.iter().find(|it| likeness(&trial, it) == *wanted)?;
    Some(Finding::new(runner.vendor(), &runner.name(), &trial, same, (plan, seed)))
}

/// What became of a finding that was tried again.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// Times that it happened.
    pub happened: u32,
    /// Times that it happened, or that its plan came to an end without it.
    pub tried: u32,
    /// What ended the last plan that did not come to its end.
    pub halted: Option<Halt>,
}

impl Runner {
    /// Tries a finding again, so many times.
    pub fn replay(&mut self, finding: &Finding, times: u32) -> Replayed {
        let mut replayed = Replayed::default();
        let wanted = finding.likeness();
        for round in 0..times {
            let trial = self.trial(&finding.plan, finding.seed.wrapping_add(u64::from(round)));
            let whole = trial.performed.halted.is_none();
            let same = trial.violations.iter().any(|it| {
                let seen = likeness(&trial, it);
                (&seen.0, &seen.1) == (&wanted.0, &wanted.1)
            });
            replayed.happened += u32::from(same);
            replayed.tried += u32::from(same || whole);
            replayed.halted = trial.performed.halted.or(replayed.halted);
        }
        replayed
    }
}
