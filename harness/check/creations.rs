//! Creations of kinds behind which something else stands: one may be refused as that is not there, but not between
//! two others that ask for the same.

use super::oracle::Walk;
use crate::history::{Exchange, canary};
use crate::model::{Condition, Meaning, Op, Role, Seen};
use crate::spec::{Complaint, Reading, Vendor};
use std::collections::BTreeMap;

/// What creations have in common that need the same things behind them: all they say but for names, values and policy.
type Likeness = (usize, String, BTreeMap<String, String>);

/// Creations of a history, as far as no deletion came between them.
#[derive(Debug, Default)]
pub(super) struct Creations {
    /// The last one that was accepted.
    accepted: BTreeMap<Likeness, usize>,
    /// Those that were refused since, and whether they set a policy.
    refused: Vec<(Likeness, usize, bool)>,
}

impl Walk<'_> {
    /// Takes note of a deletion: it may make room for what was refused before.
    pub(super) fn make_room(&mut self, exchange: &Exchange) {
        let operation = self.vendor.spec.operations.get(&exchange.call.operation);
        if operation.is_some_and(|it| it.role == Role::Delete) && !exchange.refused() {
            self.creations = Creations::default();
        }
    }

    /// Takes note of a creation; judges those that were refused before it.
    pub(super) fn weigh_creation(
        &mut self,
        at: usize,
        exchange: &Exchange,
        reading: &Reading,
        seen: &Seen,
        reasons: &[Condition],
    ) {
        let op = &reading.op;
        match (op.role, seen) {
            (Role::Create, Seen::Done(_)) => {
                let like = likeness(self.vendor, exchange, op);
                let before = self.creations.accepted.insert(like.clone(), at);
                let (same, others) =
                    std::mem::take(&mut self.creations.refused).into_iter().partition(|it| it.0 == like);
                self.creations.refused = others;
                let Some(before) = before else { return };
                for (_, refusal, policy) in same {
                    // Whatever else it needs was there before and after.
                    let rule = if policy { "ROT-POL-1" } else { "LIFE-1" };
                    let but = if policy { ", but for the policy," } else { "" };
                    let asks = &exchange.call.operation;
                    let expected =
                        || format!("success, as {asks} that asks for the same{but} before and after");
                    self.ruling.expect(rule, false, &[before, refusal, at], expected, || "refused".into());
                }
            }
            (Role::Create, Seen::Refused)
                if self.is_for_want_of_what_is_behind(exchange, reading, reasons) =>
            {
                let like = likeness(self.vendor, exchange, op);
                if self.creations.accepted.contains_key(&like) {
                    self.creations.refused.push((like, at, op.enable == Some(true)));
                }
            }
            _ => {}
        }
    }

    /// Whether nothing explains a refusal but what stands behind the secret, or what all that are alike say.
    fn is_for_want_of_what_is_behind(
        &self,
        exchange: &Exchange,
        reading: &Reading,
        reasons: &[Condition],
    ) -> bool {
        let operation = self.vendor.spec.operations.get(&exchange.call.operation);
        let is = |name: &str| operation.and_then(|it| it.meaning(name));
        let common = |name: &str| is(name).is_some_and(|is| part_of(is) == Part::Common);
        // A name that the service makes may be taken.
        let taken = [Condition::Exists, Condition::InDeletion];
        if reading.op.names_itself && taken.iter().any(|it| exchange.says(&self.vendor.spec, *it)) {
            return false;
        }
        let shared = |it: &Complaint| !it.certain && common(&it.parameter);
        let explained = |reason: &Condition| {
            *reason == Condition::Unavailable || reading.complaints.iter().any(|it| it.condition == *reason)
        };
        reading.complaints.iter().all(shared) && reasons.iter().all(explained)
    }
}

/// What a parameter has to do with the likeness of creations.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// It must be the same, but for what the harness made to be recognised.
    Common,
    /// It differs from call to call, and need only look alike.
    Own,
    /// One may say it and another not.
    Free,
}

const fn part_of(meaning: Meaning) -> Part {
    match meaning {
        Meaning::Enable | Meaning::Interval => Part::Free,
        Meaning::Secret | Meaning::Token => Part::Own,
        _ => Part::Common,
    }
}

fn likeness(vendor: &Vendor, exchange: &Exchange, op: &Op) -> Likeness {
    let call = &exchange.call;
    let described = vendor.spec.operations.get(&call.operation);
    let part = |name: &str| described.and_then(|it| it.meaning(name)).map(part_of);
    let said = call.params.iter().filter_map(|param| {
        let text = match part(&param.name) {
            Some(Part::Free) => return None,
            Some(Part::Own) => marks(&param.value),
            Some(Part::Common) | None => param.value.replace(canary(&param.value).unwrap_or_default(), ""),
        };
        Some((param.name.clone(), text))
    });
    (op.account, call.operation.clone(), said.collect())
}

/// The characters of a text that are neither letters nor digits.
fn marks(text: &str) -> String {
    let mut marks: Vec<char> = text.chars().filter(|it| !it.is_ascii_alphanumeric()).collect();
    marks.sort_unstable();
    marks.dedup();
    marks.into_iter().collect()
}
