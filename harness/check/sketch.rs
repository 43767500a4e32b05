//! The state of a secret in a few strokes: enough to tell that a call has led somewhere new.

use super::oracle::Walk;
use crate::history::History;
use crate::model::{Law, Life, Meaning, Secret};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

impl Walk<'_> {
    /// Digests of the secrets that these calls are about, call by call.
    pub(super) fn sketches(&self, history: &History, part: &Range<usize>) -> Vec<(usize, u64)> {
        part.clone()
            .filter_map(|at| Some((at, history.call(at)?)))
            .map(|(at, exchange)| {
                let described = self.vendor.spec.operations.get(&exchange.call.operation);
                let name = described
                    .and_then(|it| it.parameter(Meaning::Secret))
                    .and_then(|(name, _)| exchange.call.get(name));
                let found =
                    name.and_then(|name| self.belief.worlds().first()?.find(exchange.call.account, name));
                (at, found.map_or(0, |(_, secret)| sketch(&self.vendor.law, secret)))
            })
            .collect()
    }
}

/// Life, policy, schedule, rotation under way, how many versions, and which documented stages the newest have.
fn sketch(law: &Law, secret: &Secret) -> u64 {
    let mut hasher = DefaultHasher::new();
    let life = match secret.life {
        Life::Active => 0_u8,
        Life::Disabled => 1,
        Life::Leaving(_) => 2,
    };
    (life, secret.kind, secret.policy.on, secret.next.is_some(), secret.pending.is_some()).hash(&mut hasher);
    (secret.function.is_some(), secret.last.is_some(), !secret.dropped.is_empty()).hash(&mut hasher);
    secret.versions.len().min(4).hash(&mut hasher);
    let documented = [Some(&law.current), law.previous.as_ref(), law.pending.as_ref()];
    for version in secret.versions.iter().rev().take(2) {
        let among = documented.map(|stage| stage.is_some_and(|stage| version.stages.contains(stage)));
        let others = version.stages.len() > among.iter().filter(|has| **has).count();
        (among, others).hash(&mut hasher);
    }
    hasher.finish()
}
