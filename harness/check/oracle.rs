//! The general judge: walks through a history with a belief, and compares each reply with everything
//! that documents allow.

use super::blame::{Deed, blame, confirmed};
use super::creations::Creations;
use super::demands::{broke_down, due, readings, seen, stated_only, taken_unclear, too_frequent};
use super::judge::Ruling;
use super::markers::Markers;
use super::overlap::clusters;
use super::words::{expected_fact, expected_words, observed_fact};
use crate::codec::ReplySchemas;
use crate::history::{Entry, Exchange, History, Tamper};
use crate::model::{
    Answer, Belief, Condition, Fact, Facts, Key, Meaning, NOTHING, Op, Outcome, Role, Seen, State, Text,
    When, World,
};
use crate::spec::{Complaint, Reading, Vendor};
use std::collections::{BTreeMap, BTreeSet};

/// Judges a history. `before`: rotations of each account before it began, which may count for a limit.
pub fn judge<'v>(
    vendor: &'v Vendor,
    schemas: &ReplySchemas,
    history: &History,
    before: &[Vec<i64>],
) -> Ruling<'v> {
    let mut belief = Belief::default();
    for (account, spent) in before.iter().enumerate() {
        spent.iter().for_each(|at| belief.spend(account, When::at(*at)));
    }
    let mut walk = Walk {
        vendor,
        ruling: Ruling::new(vendor),
        belief,
        deeds: BTreeMap::new(),
        lost: Vec::new(),
        markers: Markers::default(),
        creations: Creations::default(),
        given: BTreeSet::new(),
        accounts: history.calls().map(|(_, exchange)| exchange.call.account).collect(),
        heard: 0,
        settled: NOTHING,
        at: 0,
    };
    // So many are made of most calls, and a long history has many calls.
    walk.ruling.expectations.reserve(7 * history.entries.len());
    for part in clusters(history) {
        let before = walk.sketches(history, &part);
        for (at, entry) in part.clone().zip(&history.entries[part.clone()]) {
            match entry {
                // A moment in which something that goes on could end is no time for schedules.
                Entry::Advanced(seconds) if *seconds < 60 => {}
                Entry::Advanced(_) => walk.deeds.values_mut().for_each(|deed| deed.advanced_since = true),
                Entry::Settled => walk.settle(),
                Entry::Adopted { account, name, secret } => walk.belief.adopt(*account, name, secret),
                Entry::Call(exchange) => {
                    walk.make_room(exchange);
                    super::replies::judge_reply(vendor, schemas, at, exchange, &mut walk.ruling);
                    if part.len() == 1 {
                        walk.call(at, exchange);
                    }
                }
            }
        }
        if part.len() > 1 {
            walk.together(part.clone().filter_map(|at| Some((at, history.call(at)?))).collect());
        }
        let after = walk.sketches(history, &part);
        let moved = before.into_iter().zip(after).map(|((at, before), (_, after))| (at, before, after));
        walk.ruling.states.extend(moved);
    }
    super::replies::judge_ids(history, &mut walk.ruling);
    super::leaks::judge_leaks(vendor, history, &mut walk.ruling);
    walk.ruling
}

pub(super) struct Walk<'v> {
    pub(super) vendor: &'v Vendor,
    pub(super) ruling: Ruling<'v>,
    pub(super) belief: Belief,
    pub(super) deeds: BTreeMap<Key, Deed>,
    /// Calls whose replies were lost, and when.
    pub(super) lost: Vec<(Op, u64)>,
    pub(super) markers: Markers,
    pub(super) creations: Creations,
    /// Names that the endpoint chose.
    pub(super) given: BTreeSet<Text>,
    /// Whose calls the history has.
    pub(super) accounts: BTreeSet<usize>,
    /// When the endpoint was called last.
    pub(super) heard: i64,
    /// What was due before this second has had its time.
    pub(super) settled: i64,
    /// When the last call began, by the observer's stopwatch.
    pub(super) at: u64,
}

impl Walk<'_> {
    pub(super) fn call(&mut self, at: usize, exchange: &Exchange) {
        self.let_pass(exchange);
        let call = &exchange.call;
        if too_frequent(self.vendor, exchange) {
            return self.turn_away(at, exchange);
        }
        if let Some((rule, condition, certain)) = due(self.vendor, exchange) {
            return self.due_refusal(at, exchange, rule, condition, certain);
        }
        let readings = self.readings(exchange);
        self.markers.hear(self.vendor, exchange);
        let Some(first) = readings.first() else { return };
        let op = first.op.clone();
        self.belief.turn_to(&op);
        self.belief.let_arrive(&self.vendor.law, &op, exchange.when);
        if !self.follows(exchange, &readings) {
            self.tell_crowded_out(&op);
            if op.role.writes() && seen(exchange) == Seen::Lost {
                self.lost.push((op.clone(), exchange.span.ended));
            }
            self.weigh_alone(at, exchange, &readings);
            return self.count_unseen(exchange, &op);
        }
        if self.is_not_for(&self.belief, exchange, &op) {
            return self
                .ruling
                .note("WIRE-REQ-2", format!("{} of another kind: {}", call.operation, exchange.summary()));
        }
        let possible: Vec<(World, Outcome)> =
            readings.iter().flat_map(|reading| self.possible(&self.belief, exchange, reading)).collect();
        if possible.is_empty() {
            return;
        }
        let mut possible = stated_only(self.vendor, &call.operation, possible);
        self.name_retries(&op, &mut possible);
        let seen = seen(exchange);
        if seen == Seen::Lost {
            return self.lose(exchange, &op, possible, at);
        }
        if readings.len() > 1 {
            return self.doubled(at, exchange, &readings, &seen);
        }
        self.compare(at, exchange, &op, first, possible, &seen);
    }

    /// Every way to read a call, as far as this endpoint could.
    pub(super) fn readings(&self, exchange: &Exchange) -> Vec<Reading> {
        let mut readings = readings(self.vendor, exchange);
        readings.iter_mut().for_each(|it| self.markers.doubt(self.vendor, exchange, it));
        readings
    }

    /// A rotation of which nothing is predicted may count for the limit of its account all the same.
    fn count_unseen(&mut self, exchange: &Exchange, op: &Op) {
        if op.role == Role::Rotate && self.vendor.law.rate.is_some() {
            self.belief.spend(op.account, exchange.when);
        }
    }

    /// Whether anything can be predicted about the secrets that a call names.
    pub(super) fn follows(&self, exchange: &Exchange, readings: &[Reading]) -> bool {
        let described = self.vendor.spec.operations.get(&exchange.call.operation);
        let names_secret = described.is_some_and(|it| it.parameter(Meaning::Secret).is_some());
        !names_secret || readings.iter().all(|it| self.belief.follows(&it.op))
    }

    /// What a read answers about a kind of secret that it is not for is documented nowhere.
    pub(super) fn is_not_for(&self, belief: &Belief, exchange: &Exchange, op: &Op) -> bool {
        let Some(described) = self.vendor.spec.operations.get(&exchange.call.operation) else { return false };
        let other = |kind: &usize| self.vendor.kind(*kind).is_some_and(|(kind, _)| !described.serves(kind));
        !op.role.writes() && !described.kinds.is_empty() && belief.kinds(op).iter().any(other)
    }

    /// What may come of one reading: refusals for what is wrong with it, then what the model allows.
    pub(super) fn possible(
        &self,
        belief: &Belief,
        exchange: &Exchange,
        reading: &Reading,
    ) -> Vec<(World, Outcome)> {
        let meant = std::iter::once(&reading.op).chain(&reading.also);
        let model: Vec<_> =
            meant.flat_map(|op| belief.possible(&self.vendor.law, op, exchange.when, self.settled)).collect();
        if reading.complaints.is_empty() {
            return model;
        }
        let refusal = |complaint: &Complaint| {
            let outcome = Outcome::refused(complaint.rule, complaint.condition);
            belief.worlds().iter().map(|world| (world.clone(), outcome.clone())).collect::<Vec<_>>()
        };
        let mut certain: Vec<_> =
            reading.complaints.iter().filter(|it| it.certain).flat_map(refusal).collect();
        let open = reading.complaints.iter().filter(|it| !it.certain).flat_map(refusal);
        if certain.is_empty() {
            // The model's answer is canonical; a refusal on open grounds is possible too.
            return model.into_iter().chain(open).collect();
        }
        // The order in which several things wrong with one call are found is open.
        certain.extend(open);
        certain.extend(model.into_iter().filter(|(_, outcome)| matches!(outcome.answer, Answer::Refused(_))));
        certain
    }

    fn compare(
        &mut self,
        at: usize,
        exchange: &Exchange,
        op: &Op,
        reading: &Reading,
        possible: Vec<(World, Outcome)>,
        seen: &Seen,
    ) {
        let key = self.belief.key_of(op);
        let law = &self.vendor.law;
        let subject = self.belief.worlds().first().and_then(|world| world.secrets.get(&key).cloned());
        let was_on = subject.as_ref().is_some_and(|secret| secret.policy.on);
        self.schedule_deed(&key, exchange, at, was_on);
        if broke_down(self.vendor, exchange) {
            // A failure of the endpoint is judged elsewhere; like every error it must change nothing.
            let deed = Deed::new("ROT-ERR-1", purpose(op), Some(Condition::Internal), at, was_on);
            if op.role.writes() {
                self.deeds.insert(key, deed);
            }
            return;
        }
        if let Some(complaint) = taken_unclear(reading, seen) {
            let text = format!("{} was taken, though {}", exchange.call.operation, complaint.why);
            self.ruling.note(complaint.rule, text);
            if op.role.writes() {
                self.let_go(op, seen);
                self.count_unseen(exchange, op);
            }
            return;
        }
        let possible = self.with_fitting_codes(exchange, possible);
        let canonical = Verdict::of(&possible[0].1);
        let refusals: Vec<Condition> = possible
            .iter()
            .filter_map(|(_, outcome)| match outcome.answer {
                Answer::Refused(condition) => Some(condition),
                Answer::Done(_) => None,
            })
            .collect();
        let matched = possible
            .iter()
            .find(|(_, outcome)| same_kind(&outcome.answer, seen))
            .map(|(_, outcome)| Verdict::of(outcome));
        let open = possible.iter().any(|(_, outcome)| matches!(outcome.answer, Answer::Done(_)))
            && !refusals.is_empty();
        let observed = self.belief.observe(law, op, possible, seen, exchange.when);
        match observed {
            // A success that need not have been is still one, and what it states has been compared.
            Ok(()) if open && !(matches!(seen, Seen::Done(_)) && canonical.refused.is_none()) => {
                self.ruling
                    .note(canonical.rule, format!("{}: {}", exchange.call.operation, exchange.summary()));
            }
            Ok(()) => {
                let rule = matched.map_or(canonical.rule, |verdict| verdict.rule);
                self.fits(at, op, &key, canonical, rule);
            }
            Err(gap) if gap.facts.is_empty() => {
                let rule = self.rule_of(exchange, op, &key, canonical);
                let complaint = reading.complaints.iter().find(|complaint| complaint.certain);
                self.ruling.expect(
                    rule,
                    false,
                    // What is wrong with a call by itself needs no history.
                    &if complaint.is_some() { vec![at] } else { self.cite(&key, at) },
                    || expected_words(canonical.refused, complaint),
                    || exchange.summary(),
                );
                if let Seen::Done(_) = seen {
                    self.let_go(op, seen);
                }
            }
            Err(gap) => {
                for difference in &gap.facts {
                    let deed = self.deed_for(&key, op, gap.rule, at, was_on);
                    for rule in blame(law, &deed, difference, gap.secret.as_deref()) {
                        let cite = self.cite(&key, at);
                        self.ruling.expect(
                            rule,
                            false,
                            &cite,
                            || expected_fact(difference),
                            || observed_fact(difference),
                        );
                    }
                }
                if !gap.passed {
                    self.let_go(op, seen);
                }
            }
        }
        if let (Role::Task, Seen::Done(facts)) = (op.role, seen) {
            self.task_told(op, facts);
        }
        if *seen == Seen::Refused && !refusals.is_empty() {
            self.code(at, exchange, &refusals, &reading.complaints);
        }
        self.weigh_creation(at, exchange, reading, seen, &refusals);
        self.take_name(op, seen);
        self.keep_clear(&key);
        self.remember(at, op, key, seen, matched, was_on);
    }

    /// A task that ended says something of the rotation that it belongs to.
    fn task_told(&mut self, op: &Op, facts: &Facts) {
        let ended = facts.iter().find_map(|(_, fact)| match fact {
            Fact::State(state @ (State::Succeeded | State::Failed)) => Some(*state),
            _ => None,
        });
        let key = self
            .belief
            .worlds()
            .first()
            .zip(op.task.as_ref())
            .and_then(|(world, task)| world.tasks.get(task).map(|task| task.key.clone()));
        if let Some(deed) = key.and_then(|key| self.deeds.get_mut(&key)).filter(|it| it.role == Role::Rotate)
        {
            deed.ended = deed.ended.or(ended);
        }
    }

    /// The rule that a wrong success or refusal breaks.
    fn rule_of(&self, exchange: &Exchange, op: &Op, key: &Key, canonical: Verdict) -> &'static str {
        let deleted =
            self.deeds.get(key).is_some_and(|deed| deed.role == Role::Delete && deed.refused.is_none());
        match canonical.refused {
            _ if matches!(exchange.tamper, Some(Tamper::Skew(_))) => "AUTH-4",
            None if op.role == Role::Rotate && exchange.says(&self.vendor.spec, Condition::Throttled) => {
                "ROT-THR-1"
            }
            Some(Condition::UnknownSecret) if deleted => "LIFE-4",
            _ => canonical.rule,
        }
    }

    /// The reply is one that documents allow, and nothing else was possible.
    fn fits(&mut self, at: usize, op: &Op, key: &Key, canonical: Verdict, rule: &'static str) {
        if op.role.writes() || canonical.refused.is_some() {
            self.ruling.expect(rule, true, &[at], String::new, String::new);
        } else {
            // A read confirms what was done before it.
            let deed = self.deeds.get(key).cloned();
            self.ruling.expect(rule, true, &[at], String::new, String::new);
            if let Some(deed) = deed {
                for rule in confirmed(&self.vendor.law, &deed) {
                    self.ruling.expect(rule, true, &[deed.at, at], String::new, String::new);
                }
            }
        }
        // While a rotation goes on, a read shows what will be another thing soon.
        let going_on = self
            .belief
            .worlds()
            .iter()
            .any(|world| world.secrets.get(key).is_some_and(|secret| secret.pending.is_some()));
        if !op.role.writes()
            && !going_on
            && let Some(deed) = self.deeds.get_mut(key)
        {
            deed.read_since = true;
            // What is described now is what time has made of it.
            deed.advanced_since &= op.role != Role::Describe;
        }
    }

    fn remember(
        &mut self,
        at: usize,
        op: &Op,
        key: Key,
        seen: &Seen,
        matched: Option<Verdict>,
        was_on: bool,
    ) {
        if !op.role.writes() {
            return;
        }
        // A refusal that nothing explains changes as little as any other.
        let unexplained = Verdict { rule: "ROT-ERR-1", refused: Some(Condition::Internal) };
        let matched = matched.or((*seen == Seen::Refused).then_some(unexplained));
        let Some(verdict) = matched.filter(|_| !key.1.is_empty()) else { return };
        let refused = verdict.refused.filter(|_| *seen == Seen::Refused);
        let deed = Deed::new(verdict.rule, purpose(op), refused, at, was_on);
        let deed = deed.after(self.deeds.remove(&key));
        self.deeds.insert(key, deed);
    }

    fn deed_for(&self, key: &Key, op: &Op, rule: &'static str, at: usize, was_on: bool) -> Deed {
        let own = Deed::new(rule, purpose(op), None, at, was_on);
        let own = Deed { own: true, ..own };
        if op.role.writes() { own } else { self.deeds.get(key).cloned().unwrap_or(own) }
    }

    /// What time does to a secret is a deed too.
    fn schedule_deed(&mut self, key: &Key, exchange: &Exchange, at: usize, was_on: bool) {
        // Within the slack of a schedule a rotation may be due, and need not be.
        let slack = if self.vendor.law.first_open || self.vendor.law.slack > 0 {
            2 * self.vendor.law.slack
        } else {
            i64::MAX / 8
        };
        let due = self.belief.worlds().iter().any(|world| {
            world.secrets.get(key).is_some_and(|secret| {
                secret.next.is_some_and(|due| due.lo.max(due.hi - slack) <= exchange.when.hi)
            })
        });
        if due && was_on {
            let deed =
                Deed { advanced_since: true, ..Deed::new("ROT-SCHED-1", Role::Rotate, None, at, was_on) };
            self.deeds.insert(key.clone(), deed);
        }
    }

    fn cite(&self, key: &Key, at: usize) -> Vec<usize> {
        match self.deeds.get(key).filter(|_| !key.1.is_empty()) {
            Some(deed) if deed.at != at => deed.calls().into_iter().chain([at]).collect(),
            _ => vec![at],
        }
    }
}

/// What an outcome says in short: its rule, and why it refuses the call, if it does.
#[derive(Clone, Copy)]
struct Verdict {
    rule: &'static str,
    refused: Option<Condition>,
}

impl Verdict {
    const fn of(outcome: &Outcome) -> Self {
        let refused = match outcome.answer {
            Answer::Refused(condition) => Some(condition),
            Answer::Done(_) => None,
        };
        Self { rule: outcome.rule, refused }
    }
}

/// What a call is for: a rotation that only stores settings sets a policy.
pub(super) fn purpose(op: &Op) -> Role {
    match op.role {
        Role::Rotate if op.immediately == Some(false) => Role::SetPolicy,
        Role::Cancel => Role::SetPolicy,
        role => role,
    }
}

fn same_kind(answer: &Answer, seen: &Seen) -> bool {
    matches!((answer, seen), (Answer::Done(_), Seen::Done(_)) | (Answer::Refused(_), Seen::Refused))
}
