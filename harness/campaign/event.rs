//! The story of a run: events while it goes on, and results at its end. Reports are made of nothing else.

use super::coverage::Coverage;
use crate::history::History;
use crate::record::Begins;
use crate::spec::Level;
use serde::{Deserialize, Serialize};

/// What became of a rule.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every expectation held, and there was at least one.
    Holds,
    /// Some expectation did not hold.
    Violated,
    /// Nothing was shown either way.
    NotExercised,
    /// The time for finding out was over.
    Unknown,
    /// The harness could not do its job: never a pass.
    Broken,
}

impl Verdict {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Violated => "violated",
            Self::NotExercised => "not exercised",
            Self::Unknown => "unknown",
            Self::Broken => "broken",
        }
    }
}

/// One expectation that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Violation {
    /// The operation of the deciding call.
    pub operation: String,
    /// What should be.
    pub expected: String,
    /// What is.
    pub observed: String,
    /// The calls that show it, one line each, the deciding one last; values are left out.
    pub calls: Vec<String>,
    /// The same calls as `curl` commands, unsigned.
    pub curl: Vec<String>,
    /// The document that says what should be.
    pub source: String,
    /// The rule whose exercise showed it; empty where no exercise did.
    pub shown_by: String,
    /// How often the same was seen.
    pub times: usize,
}

/// What became of one rule for one vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleResult {
    /// Vendor.
    pub vendor: String,
    /// Id of the rule.
    pub rule: String,
    /// What the rule claims.
    pub claim: String,
    /// How much it binds here.
    pub level: Level,
    /// What became of it.
    pub verdict: Verdict,
    /// Expectations that were evaluated.
    pub expectations: usize,
    /// Why nothing was shown, or why the harness could not do its job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Expectations that did not hold; the same ones together.
    pub violations: Vec<Violation>,
    /// What was seen where documents are silent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Counts of verdicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Totals {
    /// Rules that hold.
    pub holds: usize,
    /// Rules that are violated.
    pub violated: usize,
    /// Rules of which nothing was shown.
    pub not_exercised: usize,
    /// Rules that could not be decided in time.
    pub unknown: usize,
    /// Rules that the harness could not judge.
    pub broken: usize,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Rules by verdict.
    pub rules: Totals,
    /// Expectations that were evaluated.
    pub expectations: usize,
    /// Calls that were made.
    pub calls: usize,
    /// Seconds that the run took.
    pub seconds: f64,
    /// Secrets that could not be removed afterwards.
    pub left_behind: usize,
}

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "rotaprobe report")]
pub struct Outcome {
    /// Version of the harness.
    pub rotaprobe: String,
    /// Seed of everything random.
    pub seed: u64,
    /// The endpoints, one for each vendor.
    pub endpoints: Vec<String>,
    /// What became of each rule.
    pub results: Vec<RuleResult>,
    /// How much of each vendor's spec was reached.
    pub coverage: Vec<Coverage>,
    /// The run in numbers.
    pub summary: Summary,
}

impl Outcome {
    /// Exit code: 0 conforms, 1 violations, 3 the harness could not finish or nothing was exercised.
    pub fn exit_code(&self) -> u8 {
        let rules = self.summary.rules;
        match () {
            () if rules.violated > 0 => 1,
            () if rules.broken > 0 || rules.holds == 0 => 3,
            () => 0,
        }
    }
}

/// What happens while a run goes on.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A vendor's run begins.
    Begins {
        /// The vendor.
        vendor: &'a str,
        /// The endpoint.
        endpoint: &'a str,
        /// How many checks there will be.
        checks: usize,
    },
    /// The endpoint was asked what it knows.
    Lacks {
        /// Documented operations that it does not know.
        operations: &'a [&'a str],
    },
    /// A check begins.
    Check {
        /// Its rule.
        rule: &'static str,
    },
    /// A history was made and judged.
    History {
        /// What it is of.
        begins: &'a Begins,
        /// What happened. It holds secret values.
        history: &'a History,
    },
    /// A check ended.
    Checked {
        /// Its rule.
        rule: &'static str,
        /// Calls made so far.
        calls: usize,
        /// Rules violated so far.
        violated: usize,
    },
    /// A vendor's run ended.
    Ends {
        /// What became of each rule.
        results: &'a [RuleResult],
    },
    /// The journal was kept, because not everything could be removed.
    Kept {
        /// Its file.
        journal: &'a std::path::Path,
        /// Secrets that may be left.
        left: usize,
    },
}
