//! A violation that a campaign found: small, and made to be replayed.

use super::runner::{Runner, Trial};
use crate::campaign::curl;
use crate::campaign::gather::shape;
use crate::check::Expectation;
use crate::generate::Plan;
use crate::spec::{Level, Vendor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What makes two violations the same finding: rule, operation, and the shape of what was expected and seen.
pub(super) type Likeness = (String, String, String, String);

/// How often a finding happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Happens {
    /// Nobody has tried again yet.
    Untried,
    /// Each time that it was tried.
    Always,
    /// So many times out of so many.
    Sometimes {
        /// Times that it happened.
        times: u32,
        /// Times that it was tried.
        of: u32,
    },
}

/// One call of the history that shows a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The call and its answer, without values.
    pub call: String,
    /// Microseconds from the beginning to when it began.
    pub began: u64,
    /// Microseconds from the beginning to when it ended.
    pub ended: u64,
    /// Whether it is one of the calls that show the violation.
    pub shows: bool,
}

/// A violation that a campaign found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "rotaprobe finding")]
pub struct Finding {
    /// Version of the harness.
    pub rotaprobe: String,
    /// The vendor, by the spec's name.
    pub vendor: String,
    /// Whom the calls went to.
    pub endpoint: String,
    /// Faults that were switched on, where it is the reference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// Id of the rule.
    pub rule: String,
    /// What the rule claims.
    pub claim: String,
    /// How much it binds here.
    pub level: Level,
    /// The document that says so.
    pub source: String,
    /// The operation of the deciding call.
    pub operation: String,
    /// What should be.
    pub expected: String,
    /// What is.
    pub observed: String,
    /// How often it happens.
    pub happens: Happens,
    /// Calls of the campaign until it was found.
    pub after: usize,
    /// Seed of what is random in a trial.
    pub seed: u64,
    /// The plan that shows it, as small as it could be made.
    pub plan: Plan,
    /// Everything that happened, without values.
    pub history: Vec<Line>,
    /// The calls that show it, as `curl` commands, unsigned.
    pub curl: Vec<String>,
}

/// What is the same whenever a violation happens again.
pub(super) fn likeness(trial: &Trial<'_>, expectation: &Expectation) -> Likeness {
    let last = expectation.calls.last().and_then(|at| trial.performed.history.call(*at));
    let operation = last.map_or_else(String::new, |exchange| exchange.call.operation.clone());
    (expectation.rule.to_owned(), operation, coarse(&expectation.expected), coarse(&expectation.observed))
}

impl Runner {
    /// Everything of a trial that did not hold, as findings that can be replayed. The plan and the seed
    /// are those of the trial.
    pub fn findings(&self, trial: &Trial<'_>, plan: &Plan, seed: u64) -> Vec<Finding> {
        let one = |it| Finding::new(self.vendor(), &self.name(), trial, it, (plan, seed));
        trial.violations.iter().map(one).collect()
    }
}

/// A text's shape without regard to how often a part of it comes: a list of three versions shows what a list of two does.
fn coarse(text: &str) -> String {
    let shape = shape(text);
    let mut parts: Vec<&str> = shape.split([',', ';']).map(str::trim).collect();
    parts.sort_unstable();
    parts.dedup();
    parts.join(", ")
}

impl Finding {
    /// What a trial has shown of an expectation that did not hold.
    pub(super) fn new(
        vendor: &Vendor,
        endpoint: &str,
        trial: &Trial<'_>,
        expectation: &Expectation,
        (plan, seed): (&Plan, u64),
    ) -> Self {
        let history = &trial.performed.history;
        let requirement = vendor.spec.requirements.get(expectation.rule);
        let cited = expectation.calls.iter().filter_map(|at| history.call(*at));
        let first = history.calls().map(|(_, exchange)| exchange.span.began).min().unwrap_or(0);
        let line = |(at, exchange): (usize, &crate::history::Exchange)| Line {
            call: curl::line(vendor, at, exchange),
            began: exchange.span.began - first,
            ended: exchange.span.ended - first,
            shows: expectation.calls.contains(&at),
        };
        Self {
            rotaprobe: env!("CARGO_PKG_VERSION").to_owned(),
            vendor: vendor.spec.vendor.clone(),
            endpoint: endpoint.to_owned(),
            faults: Vec::new(),
            rule: expectation.rule.to_owned(),
            claim: crate::model::rule(expectation.rule).map_or("", |rule| rule.claim).to_owned(),
            level: vendor.spec.level(expectation.rule),
            source: vendor.spec.cite(requirement.map_or(&[][..], |it| it.source.as_slice())),
            operation: likeness(trial, expectation).1,
            expected: expectation.expected.clone(),
            observed: expectation.observed.clone(),
            happens: Happens::Untried,
            after: 0,
            seed,
            plan: plan.clone(),
            history: history.calls().map(line).collect(),
            curl: cited.map(|exchange| curl::command(vendor, endpoint, exchange)).collect(),
        }
    }

    pub(super) fn likeness(&self) -> Likeness {
        (self.rule.clone(), self.operation.clone(), coarse(&self.expected), coarse(&self.observed))
    }

    /// Name of its file: the same for the same finding.
    pub fn file_name(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.likeness().hash(&mut hasher);
        let operation: String = self.operation.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        format!("{}-{operation}-{:08x}.json", self.rule, hasher.finish() as u32)
    }
}
