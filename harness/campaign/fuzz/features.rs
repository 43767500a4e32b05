//! What a plan has shown, as numbers: feedback without instrumentation.
//!
//! A feature is an operation and how it was answered; a parameter's class and the answer; a state of a
//! secret and the one after it; two calls in a row at one secret and their answers.

use super::perform::Performed;
use crate::history::Exchange;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Everything that a plan has shown.
pub fn features(performed: &Performed<'_>, states: &[(usize, u64, u64)]) -> Vec<u64> {
    let mut all = Vec::new();
    let mut last: BTreeMap<usize, (&str, String)> = BTreeMap::new();
    for (at, ask) in &performed.asked {
        let Some(exchange) = performed.history.call(*at) else { continue };
        let (operation, answer) = (ask.operation.as_str(), answer(exchange));
        all.push(digest(("call", operation, &answer, ask.foreign, ask.leave)));
        if let Some(tamper) = &ask.tamper {
            all.push(digest(("tamper", std::mem::discriminant(tamper), &answer)));
        }
        for argument in &ask.with {
            all.push(digest(("class", operation, &argument.name, argument.class, &answer)));
        }
        if let Some((before, its_answer)) = last.insert(ask.secret, (operation, answer.clone())) {
            all.push(digest(("pair", before, &its_answer, operation, &answer)));
        }
    }
    for (at, before, after) in states {
        let operation = performed.history.call(*at).map(|exchange| exchange.call.operation.as_str());
        all.push(digest(("state", operation, before, after)));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Status and error code, without anything that is new each time.
fn answer(exchange: &Exchange) -> String {
    let code = exchange.reply().and_then(|reply| reply.code()).unwrap_or_default();
    let status = exchange.reply().map_or(0, |reply| reply.status);
    format!("{status} {}", code.chars().filter(|c| !c.is_ascii_digit()).take(60).collect::<String>())
}

fn digest(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
