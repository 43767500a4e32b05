//! Judges calls that overlap, and calls whose replies were lost.
//!
//! Calls that overlap are held against every serial order that real time allows ([`crate::linearize`]),
//! secret by secret; what is believed afterwards is what any of the legal orders leaves.

use super::blame::{Deed, crowded};
use super::demands::{broke_down, due, seen, taken_unclear, too_frequent};
use super::names::name_chosen;
use super::oracle::{Walk, purpose};
use super::serial::Member;
use crate::history::{Entry, Exchange, History, Span};
use crate::linearize::Order;
use crate::model::{Answer, Condition, Key, Op, Outcome, Role, Seen, World, identifies};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Microseconds after which a call whose reply was lost has arrived, or never will.
pub(super) const LANDS_WITHIN: u64 = 10_000_000;
/// Seconds without a call after which a schedule may have acted several times.
const LEAP: i64 = 3_600;

/// The history in parts: calls that overlap, one after another, stand in one part; all else by itself.
pub(super) fn clusters(history: &History) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut reach: Option<Span> = None;
    for (at, entry) in history.entries.iter().enumerate() {
        let span = match entry {
            Entry::Call(exchange) => Some(exchange.span),
            _ => None,
        };
        match (span, reach, parts.last_mut()) {
            (Some(span), Some(whole), Some(part)) if span.overlaps(whole) => {
                part.end = at + 1;
                reach = Some(Span { began: whole.began.min(span.began), ended: whole.ended.max(span.ended) });
            }
            _ => {
                parts.push(at..at + 1);
                reach = span;
            }
        }
    }
    parts
}

/// Places of what ran by itself: of calls at once nobody knows which came first.
pub(super) fn alone(history: &History) -> BTreeSet<usize> {
    clusters(history).into_iter().filter(|part| part.len() == 1).map(|part| part.start).collect()
}

/// What is called by a full identifier that nobody knows yet may be what others call by its name.
fn named_alike<'h>(groups: BTreeMap<Key, Vec<Member<'h>>>) -> BTreeMap<Key, Vec<Member<'h>>> {
    let names: Vec<Key> = groups.keys().filter(|key| !key.1.contains(':')).cloned().collect();
    let mut joined: BTreeMap<Key, Vec<Member<'h>>> = BTreeMap::new();
    for (key, group) in groups {
        let named =
            names.iter().find(|name| name.0 == key.0 && !name.1.is_empty() && identifies(&key.1, &name.1));
        joined.entry(named.cloned().unwrap_or(key)).or_default().extend(group);
    }
    joined
}

/// Calls and their replies in words. The same said by several is said once: how many they are does not matter.
fn said<'m, 'h: 'm>(members: impl Iterator<Item = &'m Member<'h>>) -> String {
    let mut said: BTreeMap<String, usize> = BTreeMap::new();
    for Member { exchange, .. } in members {
        let one = format!("{} {}", exchange.call.operation, exchange.summary());
        *said.entry(one).or_default() += 1;
    }
    let each: Vec<String> = said.iter().map(|(one, times)| format!("{times} × {one}")).collect();
    each.join("; ")
}

impl Walk<'_> {
    /// Judges calls that overlap.
    pub(super) fn together(&mut self, calls: Vec<(usize, &Exchange)>) {
        let mut groups: BTreeMap<Key, Vec<Member<'_>>> = BTreeMap::new();
        let (mut doubled, mut named) = (Vec::new(), Vec::new());
        for (at, exchange) in calls {
            let seen = seen(exchange);
            let apart = too_frequent(self.vendor, exchange) || due(self.vendor, exchange).is_some();
            let mut readings = self.readings(exchange);
            self.markers.hear(self.vendor, exchange);
            if let Some(first) = readings.first() {
                self.belief.let_arrive(&self.vendor.law, &first.op, exchange.when);
            }
            let told =
                readings.first().and_then(|it| Some((it.op.account, name_chosen(&it.op, &seen)?.clone())));
            named.extend(told);
            let apart = apart || readings.iter().any(|it| self.is_not_for(&self.belief, exchange, &it.op));
            let taken = readings.first().is_some_and(|it| taken_unclear(it, &seen).is_some());
            if !apart && (readings.len() > 1 || taken) {
                let keys = readings.iter().map(|it| self.shared_key(&it.op, &seen, at));
                let keys: Vec<Key> = keys.collect();
                doubled.push((at, exchange, keys, readings));
                continue;
            }
            if apart || readings.is_empty() || !self.follows(exchange, &readings) {
                self.call(at, exchange);
                continue;
            }
            let Some(reading) = readings.pop() else { continue };
            let key = self.shared_key(&reading.op, &seen, at);
            groups.entry(key).or_default().push(Member { at, exchange, reading, seen });
        }
        let mut groups = self.joined_by_limit(named_alike(groups));
        for (at, exchange, keys, readings) in doubled {
            // What can be read in several ways has no place in a serial order: nobody knows what the others met.
            let met = |group: &Vec<Member<'_>>| {
                group.iter().any(|it| keys.contains(&self.shared_key(&it.reading.op, &it.seen, it.at)))
            };
            let met: Vec<Key> =
                groups.iter().filter(|(_, group)| met(group)).map(|it| it.0.clone()).collect();
            match met.is_empty() {
                true => self.call(at, exchange),
                false => {
                    keys.iter().for_each(|(account, name)| self.belief.forget(*account, name));
                    readings.iter().for_each(|it| self.let_go(&it.op, &seen(exchange)));
                }
            }
            for member in met.iter().filter_map(|key| groups.remove(key)).flatten() {
                self.let_go(&member.reading.op, &member.seen);
            }
        }
        for (key, group) in groups {
            match group.as_slice() {
                [one] => self.call(one.at, one.exchange),
                _ => self.group(&key, &group),
            }
        }
        // Calls at what nothing was known of may have come after what an endpoint named so anew.
        for (account, name) in named {
            if self.belief.forgot(account, &name) {
                self.belief.forget(account, &name);
            }
        }
    }

    /// What calls must have in common to bear on each other: the secret that they are about.
    fn shared_key(&self, op: &Op, seen: &Seen, at: usize) -> Key {
        if let Some(name) = name_chosen(op, seen) {
            return self.belief.key(op.account, name).unwrap_or((op.account, name.clone()));
        }
        let task = self.belief.worlds().iter().find_map(|world| world.tasks.get(op.task.as_ref()?));
        match task {
            Some(task) => task.key.clone(),
            None if op.secret.is_empty() => (op.account, format!("\0{at}").into()),
            None => self.belief.key_of(op),
        }
    }

    /// Where rotations of an account are counted and the limit is near, they bear on each other too.
    fn joined_by_limit<'h>(&self, groups: BTreeMap<Key, Vec<Member<'h>>>) -> BTreeMap<Key, Vec<Member<'h>>> {
        let Some(rate) = self.vendor.law.rate else { return groups };
        let rotates = |member: &Member<'_>| member.reading.op.role == Role::Rotate;
        let near = |account: usize| {
            let more = groups.values().flatten().filter(|it| rotates(it) && it.reading.op.account == account);
            let spent =
                self.belief.worlds().iter().filter_map(|world| world.spent.get(&account)).map(Vec::len);
            spent.max().unwrap_or(0) + more.count() >= rate.calls
        };
        let near: Vec<usize> = self.accounts.iter().copied().filter(|account| near(*account)).collect();
        let mut joined: BTreeMap<Key, Vec<Member<'h>>> = BTreeMap::new();
        for (key, group) in groups {
            let key =
                if near.contains(&key.0) && group.iter().any(rotates) { (key.0, "".into()) } else { key };
            joined.entry(key).or_default().extend(group);
        }
        joined
    }

    fn group(&mut self, key: &Key, group: &[Member<'_>]) {
        for member in group {
            self.let_pass(member.exchange);
            self.belief.turn_to(&member.reading.op);
        }
        let rule = self.rule_of_group(group);
        let all: Vec<usize> = group.iter().map(|member| member.at).collect();
        let was_on = self.policy_on(key);
        let (order, refusals) = self.search(group);
        match order {
            Order::Legal(belief) => {
                self.belief = belief;
                // Only writes that were answered, one of them with success, show anything.
                let shown = group.iter().all(|it| !broke_down(self.vendor, it.exchange))
                    && group.iter().any(|it| it.reading.op.role.writes() && it.exchange.done());
                if shown {
                    self.ruling.expect(rule, true, &all, String::new, String::new);
                }
                for (member, conditions) in group.iter().zip(refusals) {
                    if member.seen == Seen::Refused && !conditions.is_empty() {
                        self.code(member.at, member.exchange, &conditions, &member.reading.complaints);
                    }
                }
            }
            Order::Illegal(at) => {
                let alone = self.by_themselves(group);
                alone.iter().for_each(|member| self.call(member.at, member.exchange));
                if alone.is_empty() {
                    self.disordered(rule, group, at);
                }
                group.iter().for_each(|it| self.let_go(&it.reading.op, &it.seen));
            }
            Order::Unknown => {
                self.ruling.undecided(rule);
                group.iter().for_each(|it| self.let_go(&it.reading.op, &it.seen));
            }
        }
        self.keep_clear(key);
        for member in group {
            self.take_name(&member.reading.op, &member.seen);
        }
        // What was done last to each secret: a group may be about several.
        let writes = || group.iter().filter(|it| it.reading.op.role.writes());
        let (refused, others): (Vec<_>, Vec<_>) = writes().partition(|it| it.seen == Seen::Refused);
        for member in refused.into_iter().chain(others) {
            let op = &member.reading.op;
            let own = self.belief.key_of(op);
            let along = all.iter().copied().filter(|at| *at != member.at).collect();
            let deed = match member.seen {
                Seen::Refused => {
                    Deed::new("ROT-ERR-1", purpose(op), Some(Condition::Internal), member.at, was_on)
                }
                _ => Deed::new(rule, purpose(op), None, member.at, was_on),
            };
            self.deeds.insert(own, Deed { along, ..deed });
        }
    }

    /// No order explains what overlapping calls were answered.
    fn disordered(&mut self, rule: &'static str, group: &[Member<'_>], at: usize) {
        let shown = self.shortest(group, at);
        let mut calls: Vec<usize> = shown.iter().map(|member| member.at).collect();
        // A refusal that nothing explains is wrong by itself.
        let promised = group[at].seen != Seen::Refused && self.vendor.law.binds(rule);
        let refused = promised.then(|| self.refused_and_done(group)).flatten();
        if let Some(refused) = refused {
            calls.extend(refused.iter().map(|member| member.at));
            calls.sort_unstable();
            calls.dedup();
            let wanted = || "calls that are answered with an error change nothing".to_owned();
            let told = || {
                format!("an order explains the replies only if they do: {}", said(refused.iter().copied()))
            };
            self.ruling.expect("ROT-ERR-1", false, &calls, wanted, told);
        } else {
            let told = || format!("none does: {}", said(shown.iter().copied()));
            let wanted = || "a serial order of the overlapping calls that explains every reply".to_owned();
            self.ruling.expect(rule, false, &calls, wanted, told);
        }
    }

    /// The fewest calls that show it: what came before the reply that nothing explains, without the reads
    /// and refusals that it does not take. Left out, a read makes no legal history illegal.
    fn shortest<'g, 'h>(&self, group: &'g [Member<'h>], at: usize) -> Vec<&'g Member<'h>> {
        let end = group[at].exchange.span.ended;
        let mut kept: Vec<&Member<'_>> =
            group.iter().filter(|member| member.exchange.span.began < end).collect();
        let mut place = 0;
        while place < kept.len() {
            let member = kept[place];
            let needed = member.reading.op.role.writes() && member.seen != Seen::Refused;
            let others = kept.iter().enumerate().filter(|(other, _)| *other != place);
            let rest: Vec<Member<'_>> = others.map(|(_, it)| (*it).clone()).collect();
            if !needed && matches!(self.search(&rest).0, Order::Illegal(_)) {
                kept.remove(place);
            } else {
                place += 1;
            }
        }
        kept
    }

    /// Writes that should not have been answered like that whatever else was called, where an order explains
    /// the rest: that they overlapped with it is not what is wrong.
    fn by_themselves<'g, 'h>(&self, group: &'g [Member<'h>]) -> Vec<&'g Member<'h>> {
        let illegal = |members: &[Member<'h>]| matches!(self.search(members).0, Order::Illegal(_));
        let (alone, rest): (Vec<&Member<'_>>, Vec<&Member<'_>>) = group.iter().partition(|member| {
            let done = member.reading.op.role.writes() && matches!(member.seen, Seen::Done(_));
            done && illegal(std::slice::from_ref(*member))
        });
        let rest: Vec<Member<'_>> = rest.into_iter().cloned().collect();
        if !rest.is_empty() && illegal(&rest) { Vec::new() } else { alone }
    }

    /// Writes that were answered with an error, where an order explains every reply if some of them had their
    /// effect all the same.
    fn refused_and_done<'g, 'h>(&self, group: &'g [Member<'h>]) -> Option<Vec<&'g Member<'h>>> {
        let refused = |member: &&Member<'h>| {
            member.reading.op.role.writes() && member.seen == Seen::Refused && member.exchange.refused()
        };
        let refused: Vec<&Member<'_>> = group.iter().filter(refused).collect();
        if refused.is_empty() || !self.vendor.law.binds("ROT-ERR-1") {
            return None;
        }
        let supposed = |member: &Member<'h>| {
            let done = refused.iter().any(|it| it.at == member.at);
            Member { seen: if done { Seen::Lost } else { member.seen.clone() }, ..member.clone() }
        };
        let supposed: Vec<Member<'_>> = group.iter().map(supposed).collect();
        matches!(self.search(&supposed).0, Order::Legal(_)).then_some(refused)
    }

    /// The rule that a group of calls is made under: the most telling one that binds.
    fn rule_of_group(&self, group: &[Member<'_>]) -> &'static str {
        let rotations: Vec<&Op> =
            group.iter().map(|it| &it.reading.op).filter(|op| op.role == Role::Rotate).collect();
        let twice =
            |op: &&Op| op.token.is_some() && rotations.iter().filter(|it| it.token == op.token).count() > 1;
        let rule = match () {
            () if rotations.iter().any(twice) => "ROT-IDEMP-6",
            () if rotations.len() > 1 => "ROT-CONC-2",
            () => "ROT-CONC-1",
        };
        if self.vendor.law.binds(rule) { rule } else { "ROT-CONC-1" }
    }

    fn policy_on(&self, key: &Key) -> bool {
        let secret = self.belief.worlds().first().and_then(|world| world.secrets.get(key));
        secret.is_some_and(|secret| secret.policy.on)
    }

    /// A call whose reply was lost: it may have had its effect, may still have it, or never will.
    pub(super) fn lose(&mut self, exchange: &Exchange, op: &Op, possible: Vec<(World, Outcome)>, at: usize) {
        let key = self.belief.key_of(op);
        let was_on = self.policy_on(&key);
        let rule = possible[0].1.rule;
        if self.belief.observe(&self.vendor.law, op, possible, &Seen::Lost, exchange.when).is_err() {
            return;
        }
        self.keep_clear(&key);
        self.take_name(op, &Seen::Lost);
        if op.role.writes() {
            self.lost.push((op.clone(), exchange.span.ended));
            self.deeds.insert(key, Deed::new(rule, purpose(op), None, at, was_on));
        }
    }

    /// A call with the token of one whose reply was lost is a retry.
    pub(super) fn name_retries(&self, op: &Op, possible: &mut [(World, Outcome)]) {
        let same = |(lost, _): &(Op, u64)| {
            lost.role == op.role
                && lost.account == op.account
                && lost.secret == op.secret
                && lost.token == op.token
        };
        let retry = op.role == Role::Rotate && op.token.is_some() && self.lost.iter().any(same);
        if retry && self.vendor.law.binds("ROT-IDEMP-7") {
            let again = |rule: &str| rule == "ROT-NEW-1" || rule.starts_with("ROT-IDEMP");
            let done = |outcome: &Outcome| matches!(outcome.answer, Answer::Done(_));
            for (_, outcome) in possible.iter_mut().filter(|(_, it)| done(it) && again(it.rule)) {
                outcome.rule = "ROT-IDEMP-7";
            }
        }
    }

    /// What time alone does before a call: what was lost long before is not on its way any longer, and
    /// schedules may have acted.
    pub(super) fn let_pass(&mut self, exchange: &Exchange) {
        if exchange.when.hi.saturating_sub(self.heard) >= LEAP {
            self.belief.outrun(&self.vendor.law, exchange.when);
        }
        self.heard = self.heard.max(exchange.when.hi);
        self.at = self.at.max(exchange.span.began);
        if !self.on_its_way() && !self.lost.is_empty() {
            self.belief.landed();
        }
    }

    /// Whether a call whose reply was lost may still arrive.
    fn on_its_way(&self) -> bool {
        self.lost.iter().any(|(_, ended)| ended + LANDS_WITHIN > self.at)
    }

    /// What was due or goes on has had its time. What arrives late begins late: nobody has waited for that.
    pub(super) fn settle(&mut self) {
        if !self.on_its_way() {
            self.settled = self.heard;
            self.belief.settle();
        }
    }

    /// What was left out to make room for others would have been compared now: that is noted. A deletion says
    /// little of what there was.
    pub(super) fn tell_crowded_out(&mut self, op: &Op) {
        if self.belief.was_crowded_out(op) && op.role != Role::Delete {
            self.ruling.undecided("ROT-CONC-1");
        }
    }

    /// With more worlds than can be kept, the belief has let go of the secret: that is noted.
    pub(super) fn keep_clear(&mut self, key: &Key) {
        if self.belief.blurred() {
            let rule = self.deeds.get(key).map_or("ROT-CONC-1", |deed| deed.rule);
            self.ruling.undecided(if crowded(rule) { rule } else { "ROT-CONC-1" });
        }
    }
}
