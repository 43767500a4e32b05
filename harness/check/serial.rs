//! A serial order of calls that overlap, as the belief set takes them in.

use super::demands::{broke_down, stated_only};
use super::oracle::Walk;
use crate::history::{Exchange, Span};
use crate::linearize::{Order, Steps, linearize};
use crate::model::{Answer, Belief, Condition, Outcome, Seen};
use crate::spec::Reading;

/// Outcomes that a search for a serial order may look at.
const STEPS: usize = 300_000;

/// A call of a group, and what it asks for.
#[derive(Clone)]
pub(super) struct Member<'h> {
    pub(super) at: usize,
    pub(super) exchange: &'h Exchange,
    pub(super) reading: Reading,
    pub(super) seen: Seen,
}

impl Walk<'_> {
    /// Looks for a serial order, and gathers why calls may have been refused on the way.
    pub(super) fn search(&self, group: &[Member<'_>]) -> (Order<Belief>, Vec<Vec<Condition>>) {
        let spans: Vec<Span> = group.iter().map(|member| member.exchange.span).collect();
        let mut steps = Serial::new(self, group);
        let order = linearize(&spans, self.belief.clone(), &mut steps, STEPS);
        (order, steps.reasons())
    }
}

/// The belief set, taking in the calls of a group in some order.
struct Serial<'w, 'g, 'h> {
    walk: &'w Walk<'w>,
    group: &'g [Member<'h>],
    refusals: Vec<Vec<Condition>>,
    /// Calls of which, in some order, nothing is documented.
    open: Vec<bool>,
    /// For each call, the first one like it.
    likeness: Vec<usize>,
    /// Outcomes that the last step looked at.
    cost: usize,
}

impl<'w, 'g, 'h> Serial<'w, 'g, 'h> {
    fn new(walk: &'w Walk<'w>, group: &'g [Member<'h>]) -> Self {
        let count = group.len();
        let (refusals, open) = (vec![Vec::new(); count], vec![false; count]);
        let mut serial = Self { walk, group, refusals, open, likeness: (0..count).collect(), cost: 1 };
        for call in 0..count {
            let first = (0..call).find(|other| serial.says_the_same(*other, call));
            serial.likeness[call] = first.unwrap_or(call);
        }
        serial
    }

    /// Whether two calls ask for the same, may be turned away alike, and were answered the same.
    fn says_the_same(&self, one: usize, other: usize) -> bool {
        let (a, b) = (&self.group[one], &self.group[other]);
        a.exchange.when == b.exchange.when
            && a.exchange.tamper == b.exchange.tamper
            && a.exchange.code() == b.exchange.code()
            && a.seen == b.seen
            && a.reading == b.reading
            && broke_down(self.walk.vendor, a.exchange) == broke_down(self.walk.vendor, b.exchange)
            && self.may_be_turned_away(one) == self.may_be_turned_away(other)
    }

    /// Why each call may have been refused, in some order; what is said of one holds for those like it.
    fn reasons(&self) -> Vec<Vec<Condition>> {
        let alike = |call: usize| {
            (0..self.group.len()).filter(move |other| self.likeness[*other] == self.likeness[call])
        };
        let of = |call: usize| {
            // Where anything may be answered, a refusal may have any code.
            match alike(call).any(|other| self.open[other]) {
                true => Vec::new(),
                false => alike(call).flat_map(|other| self.refusals[other].iter().copied()).collect(),
            }
        };
        (0..self.group.len()).map(of).collect()
    }

    /// No document promises that a write gets through while another one is under way, except one that
    /// says the same as the other.
    fn may_be_turned_away(&self, call: usize) -> bool {
        let this = &self.group[call];
        let op = &this.reading.op;
        let in_the_way = |other: &Member<'_>| {
            let same =
                op.role == other.reading.op.role && op.token.is_some() && op.token == other.reading.op.token;
            other.at != this.at
                && !same
                && other.reading.op.role.writes()
                && other.exchange.span.overlaps(this.exchange.span)
        };
        op.role.writes() && self.group.iter().any(in_the_way)
    }
}

impl Steps for Serial<'_, '_, '_> {
    type State = Belief;

    fn step(&mut self, belief: &Belief, call: usize) -> Option<Belief> {
        self.cost = 1;
        let Member { exchange, reading, seen, .. } = &self.group[call];
        let walk = self.walk;
        if exchange.result.is_ok() && *seen != Seen::Lost && broke_down(walk.vendor, exchange) {
            // Judged elsewhere; like every error it must change nothing.
            return Some(belief.clone());
        }
        let op = &reading.op;
        if !belief.follows(op) || walk.is_not_for(belief, exchange, op) {
            self.open[call] = true;
            return Some(belief.clone());
        }
        let possible = walk.possible(belief, exchange, reading);
        self.cost = possible.len();
        if possible.is_empty() {
            return Some(belief.clone());
        }
        let mut possible = stated_only(walk.vendor, &exchange.call.operation, possible);
        walk.name_retries(&reading.op, &mut possible);
        if self.may_be_turned_away(call) {
            let busy = Outcome::refused("ROT-CONC-1", Condition::Busy);
            possible.extend(belief.worlds().iter().map(|world| (world.clone(), busy.clone())));
        }
        let possible = walk.with_fitting_codes(exchange, possible);
        for (_, outcome) in &possible {
            if let Answer::Refused(condition) = outcome.answer
                && !self.refusals[call].contains(&condition)
            {
                self.refusals[call].push(condition);
            }
        }
        let mut after = belief.clone();
        let law = &walk.vendor.law;
        if let Err(gap) = after.observe(law, op, possible, seen, exchange.when)
            && !gap.passed
        {
            if law.binds(gap.rule) {
                return None;
            }
            // No document says what is not so here: what came instead is legal, and what it did unknown.
            self.open[call] = true;
            after.forget(op.account, &op.secret);
            return Some(after);
        }
        if let Some(key) = after.key(op.account, &op.secret) {
            after.unordered(law, &key);
        }
        Some(after)
    }

    fn alike(&self, one: usize, other: usize) -> bool {
        self.likeness[one] == self.likeness[other]
    }

    fn cost(&self) -> usize {
        self.cost
    }

    fn join(&self, state: &mut Belief, other: Belief) {
        state.join(other, self.group.iter().map(|member| &member.reading.op));
    }
}
