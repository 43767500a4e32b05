//! The rules as checks: an id, a sentence and a loop.
//!
//! An exercise drives an endpoint and leaves a history; judges read the history, the spec and the
//! model, and nothing else. One judge serves every history: it compares each reply with everything
//! that documents allow (`oracle`) and says which rule decides. A check adds its own judge where its
//! claim spans several calls.

mod blame;
mod calls;
mod codes;
mod creations;
mod demands;
mod drive;
mod judge;
mod leaks;
mod link;
mod making;
mod markers;
mod names;
mod oracle;
mod overlap;
mod pages;
mod refused;
mod replies;
mod serial;
mod sketch;
mod words;

mod authentication;
mod errors;
mod fixtures;
mod idempotency;
mod interval;
mod kinds;
mod life;
mod limits;
mod neighbours;
mod policy;
mod protocol;
mod races;
mod schedule;
mod tasks;
mod twice;
mod versions;

pub use crate::codec::ReplySchemas;
pub use demands::too_frequent;
pub use drive::Drive;
pub use fixtures::Fixture;
pub use judge::{Expectation, Note, Ruling};
pub use link::{Halt, Link, Made, OUT_OF_TIME, PATIENCE, Settings, Step};
pub use oracle::judge;

/// As [`judge`], and asks every rule's own judge too: none of them needs to know how a history came about.
pub fn judge_all<'v>(
    vendor: &'v Vendor,
    schemas: &ReplySchemas,
    history: &History,
    before: &[Vec<i64>],
) -> Ruling<'v> {
    let mut ruling = judge(vendor, schemas, history, before);
    for own in checks().into_iter().filter_map(|check| check.judge) {
        own(vendor, history, &mut ruling);
    }
    ruling
}

use crate::history::History;
use crate::spec::Vendor;

/// How a rule is exercised, and what is judged beyond the general judge.
#[derive(Clone, Copy)]
pub struct Check {
    /// The rule.
    pub rule: &'static str,
    /// How it is exercised, in a sentence.
    pub how: &'static str,
    /// Makes the calls.
    pub exercise: fn(&mut Drive<'_>) -> Step,
    /// Judges what spans several calls.
    pub judge: Option<fn(&Vendor, &History, &mut Ruling<'_>)>,
    /// Other rules whose expectations, in this exercise, are evidence for this rule too.
    pub covers: &'static [&'static str],
    /// How many rotations it needs, of a limit that all checks share: 0 few, 1 many, 2 all there are.
    /// The frugal ones come first.
    pub thirst: u8,
}

impl std::fmt::Debug for Check {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Check({})", self.rule)
    }
}

const fn check(rule: &'static str, how: &'static str, exercise: fn(&mut Drive<'_>) -> Step) -> Check {
    Check { rule, how, exercise, judge: None, covers: &[], thirst: 0 }
}

impl Check {
    const fn judged(mut self, judge: fn(&Vendor, &History, &mut Ruling<'_>)) -> Self {
        self.judge = Some(judge);
        self
    }

    const fn covers(mut self, rules: &'static [&'static str]) -> Self {
        self.covers = rules;
        self
    }

    const fn thirsty(mut self, thirst: u8) -> Self {
        self.thirst = thirst;
        self
    }
}

/// Every check, family by family; those that need many rotations last.
pub fn checks() -> Vec<Check> {
    let mut checks: Vec<Check> = [
        idempotency::CHECKS,
        kinds::CHECKS,
        versions::CHECKS,
        interval::CHECKS,
        policy::CHECKS,
        schedule::CHECKS,
        limits::CHECKS,
        tasks::CHECKS,
        races::CHECKS,
        errors::CHECKS,
        protocol::CHECKS,
        authentication::CHECKS,
        life::CHECKS,
        neighbours::CHECKS,
    ]
    .concat();
    checks.sort_by_key(|check| check.thirst);
    checks
}
