//! Calls that are to be refused whatever there is: nothing is asked of the belief set.

use super::blame::Deed;
use super::demands::{broke_down, readings, seen, taken_unclear, tells_what_was_changed};
use super::oracle::{Walk, purpose};
use super::words::{expected_words, words};
use crate::history::Exchange;
use crate::model::{Condition, Seen};
use crate::spec::{Complaint, Reading};

impl Walk<'_> {
    /// It was too much for the endpoint: like every refusal that should have changed nothing.
    pub(super) fn turn_away(&mut self, at: usize, exchange: &Exchange) {
        self.ruling.note("ROT-THR-1", format!("{} was refused as too frequent", exchange.call.operation));
        let Some(reading) = readings(self.vendor, exchange).into_iter().next() else { return };
        if reading.op.role.writes() {
            let key = self.belief.key_of(&reading.op);
            let deed = Deed::new("ROT-THR-2", purpose(&reading.op), Some(Condition::Throttled), at, false);
            self.deeds.insert(key, deed);
        }
    }

    /// What is wrong with a call by itself is wrong whatever there is.
    pub(super) fn weigh_alone(&mut self, at: usize, exchange: &Exchange, readings: &[Reading]) {
        let seen = seen(exchange);
        let judged = seen != Seen::Lost && !broke_down(self.vendor, exchange);
        let wrong = |reading: &Reading| {
            let certain = reading.complaints.iter().find(|complaint| complaint.certain).cloned();
            certain.filter(|_| judged && taken_unclear(reading, &seen).is_none())
        };
        let all: Option<Vec<Complaint>> = readings.iter().map(wrong).collect();
        let Some(complaint) = all.and_then(|all| all.into_iter().next()) else { return };
        self.ruling.expect(
            complaint.rule,
            seen == Seen::Refused,
            &[at],
            || expected_words(Some(complaint.condition), Some(&complaint)),
            || exchange.summary(),
        );
    }

    /// A refusal that does not depend on any state: a broken signature, an unknown operation.
    pub(super) fn due_refusal(
        &mut self,
        at: usize,
        exchange: &Exchange,
        rule: &'static str,
        condition: Condition,
        certain: bool,
    ) {
        if exchange.result.is_err() {
            // That no reply came is judged by itself.
            return;
        }
        let refused =
            exchange.reply().is_some_and(|reply| !reply.done()) && !broke_down(self.vendor, exchange);
        if certain {
            self.ruling.expect(
                rule,
                refused,
                &[at],
                || format!("refused ({})", words(condition)),
                || exchange.summary(),
            );
        } else {
            self.ruling.note(rule, format!("{}: {}", exchange.call.operation, exchange.summary()));
        }
        if refused && certain && !tells_what_was_changed(self.vendor, exchange) {
            self.code(at, exchange, &[condition], &[]);
        }
        let Some(reading) = readings(self.vendor, exchange).into_iter().next() else { return };
        let key = self.belief.key_of(&reading.op);
        if refused && reading.op.role.writes() {
            let deed = Deed::new(rule, purpose(&reading.op), Some(condition), at, false);
            self.deeds.insert(key, deed);
        } else if !refused {
            self.let_go(&reading.op, &seen(exchange));
        }
    }
}
