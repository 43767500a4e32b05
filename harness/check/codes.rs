//! Judges the code and status of refusals.

use super::oracle::Walk;
use super::words::{any_of, words};
use crate::codec::Body;
use crate::history::{Exchange, clipped};
use crate::model::{Answer, Condition, Outcome, Role, World};
use crate::spec::Complaint;

impl Walk<'_> {
    /// Where success is due and documents name the code of a refusal that may come instead, another
    /// code is no such refusal.
    pub(super) fn with_fitting_codes(
        &self,
        exchange: &Exchange,
        mut possible: Vec<(World, Outcome)>,
    ) -> Vec<(World, Outcome)> {
        let code = exchange.code();
        let spec = &self.vendor.spec;
        let described = spec.operations.get(&exchange.call.operation);
        let rotates = described.is_some_and(|operation| operation.role == Role::Rotate);
        if let (Some(code), Answer::Done(_)) = (code, &possible[0].1.answer) {
            // Whoever does not know a documented operation has no other reason to refuse it.
            let (strangers, _) = spec.answers(Condition::UnknownOperation, &exchange.call.operation);
            let strange = spec.any_fits(strangers, code);
            possible.retain(|(_, outcome)| match outcome.answer {
                Answer::Refused(condition)
                    if strange && described.is_some() && condition != Condition::UnknownOperation =>
                {
                    false
                }
                Answer::Refused(condition) => {
                    let (codes, settled) = spec.answers(condition, &exchange.call.operation);
                    // Candidates are enough where anything at all could be the reason.
                    let named =
                        settled || rotates && condition == Condition::Unavailable && !codes.is_empty();
                    !named || spec.any_fits(codes, code)
                }
                Answer::Done(_) => true,
            });
        }
        possible
    }

    /// The code and status of a refusal that is due.
    pub(super) fn code(
        &mut self,
        at: usize,
        exchange: &Exchange,
        conditions: &[Condition],
        complaints: &[Complaint],
    ) {
        let Some(reply) = exchange.reply() else { return };
        let Body::Refused { code, .. } = &reply.body else { return };
        let spec = &self.vendor.spec;
        let operation = exchange.call.operation.as_str();
        let mut accepted: Vec<&String> = Vec::new();
        let mut settled = true;
        for condition in
            conditions.iter().copied().chain(complaints.iter().map(|complaint| complaint.condition))
        {
            let (codes, sure) = spec.answers(condition, operation);
            accepted.extend(codes);
            settled &= sure;
        }
        let known = spec.errors.keys().any(|template| spec.code_fits(template, code));
        if !settled {
            let why = if known { String::new() } else { ", which no document lists".into() };
            let condition = conditions.first().map_or("refused", |condition| words(*condition));
            return self
                .ruling
                .note("ROT-ERR-3", format!("{condition}: {operation} answers {}{why}", exchange.summary()));
        }
        let template = accepted.iter().find(|template| spec.code_fits(template, code));
        let statuses: Vec<u16> = template
            .and_then(|template| spec.errors.get(*template))
            .map_or(vec![], |error| error.status.clone());
        let wanted = || {
            let mut names: Vec<String> = accepted.iter().map(|name| (*name).clone()).collect();
            names.dedup();
            let status = any_of(&statuses);
            format!("{} {}", if status.is_empty() { "refused with" } else { &status }, names.join(" or "))
        };
        let holds = template.is_some() && statuses.contains(&reply.status);
        self.ruling.expect("ROT-ERR-3", holds, &[at], wanted, || exchange.summary());
        self.ruling.expect("ROT-ERR-4", known, &[at], || "a documented error code".into(), || clipped(code));
    }
}
