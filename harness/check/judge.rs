//! What judges say: expectations, and notes on what documents leave open.

use crate::model::rule;
use crate::spec::{Level, Vendor};
use std::collections::BTreeSet;

/// One comparison of what should be with what is.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The rule it is made under.
    pub rule: &'static str,
    /// Did it hold?
    pub holds: bool,
    /// What should be; empty where it held.
    pub expected: String,
    /// What is; empty where it held.
    pub observed: String,
    /// Places in the history that show it, the deciding call last.
    pub calls: Vec<usize>,
}

/// Something seen on which documents are silent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The rule it belongs to.
    pub rule: &'static str,
    /// What was seen.
    pub text: String,
}

/// Where judges write down what they find.
#[derive(Debug)]
pub struct Ruling<'a> {
    vendor: &'a Vendor,
    /// Expectations that were evaluated.
    pub expectations: Vec<Expectation>,
    /// What was seen where documents are silent.
    pub notes: BTreeSet<Note>,
    /// What each call made of the secret that it is about, as far as that is believed: its place, and digests
    /// of the secret's state before and after.
    pub states: Vec<(usize, u64, u64)>,
    /// Rules of which something could not be decided in time.
    pub undecided: BTreeSet<&'static str>,
}

impl<'a> Ruling<'a> {
    /// An empty ruling for a vendor.
    pub const fn new(vendor: &'a Vendor) -> Self {
        Self {
            vendor,
            expectations: Vec::new(),
            notes: BTreeSet::new(),
            undecided: BTreeSet::new(),
            states: Vec::new(),
        }
    }

    /// Writes down a comparison. Where the rule does not bind, it becomes a note.
    pub fn expect(
        &mut self,
        id: &str,
        holds: bool,
        calls: &[usize],
        expected: impl FnOnce() -> String,
        observed: impl FnOnce() -> String,
    ) {
        let Some(rule) = rule(id) else { return };
        if self.vendor.spec.level(rule.id) == Level::Unspecified {
            let seen = if holds { expected() } else { observed() };
            self.note(rule.id, seen);
            return;
        }
        let (expected, observed) = if holds { Default::default() } else { (expected(), observed()) };
        self.expectations.push(Expectation {
            rule: rule.id,
            holds,
            expected,
            observed,
            calls: calls.to_vec(),
        });
    }

    /// Writes down that the search for an answer took too long.
    pub fn undecided(&mut self, id: &'static str) {
        self.undecided.insert(id);
    }

    /// Writes down what was seen where documents are silent.
    pub fn note(&mut self, id: &str, text: impl Into<String>) {
        if let Some(rule) = rule(id) {
            self.notes.insert(Note { rule: rule.id, text: text.into() });
        }
    }
}
