//! Everything that documents allow a call to do, the canonical outcome first.
//!
//! Each outcome names the rule that decides it. Where a rule does not bind for the vendor, the
//! outcomes it forbids follow, so that what documents leave open is never an accusation.

use super::{
    Change, Condition, Expect, Fact, Key, Law, Life, Meaning, Op, Outcome, Role, Secret, When, World, read,
    rotating, storing,
};
use std::sync::Arc;

/// One call at one secret, on the way to its outcomes.
pub(super) struct Case<'a> {
    pub(super) law: &'a Law,
    pub(super) world: &'a World,
    pub(super) op: &'a Op,
    pub(super) now: When,
}

/// Everything that documents allow, the canonical outcome first; never empty.
///
/// The schedule of the secret has been brought up to `now` before ([`super::tick`]).
pub fn outcomes(law: &Law, world: &World, op: &Op, now: When) -> Vec<Outcome> {
    let case = Case { law, world, op, now };
    let mut possible = case.possible();
    if op.role == Role::Rotate && law.rate.is_some() && !rotating::within_limit(&case, op.account).1 {
        // Whether the limit is looked at before anything else is open.
        let throttled = Outcome::refused("ROT-THR-1", Condition::Throttled);
        if !possible.contains(&throttled) {
            possible.push(throttled);
        }
    }
    let dry = Outcome::refused("READ-1", Condition::DryRun);
    if op.dry_run && !possible.contains(&dry) {
        // Whether a trial looks for what it names is open.
        possible.push(dry);
    }
    if op.role != Role::Task && world.subject(op).is_some_and(|(_, secret)| secret.making.is_some()) {
        // What a secret can do that is not there yet, the codes of refusals apart, is documented nowhere.
        let too_early = Outcome::refused("LIFE-1", Condition::Unavailable);
        if !possible.contains(&too_early) {
            possible.push(too_early);
        }
    }
    possible
}

impl Case<'_> {
    /// The reference knows the time; an observer knows when a call ran.
    pub(super) const fn exact(&self) -> bool {
        self.now.lo == self.now.hi
    }

    fn possible(&self) -> Vec<Outcome> {
        let (world, op) = (self.world, self.op);
        if op.project.is_some() {
            return vec![Outcome::refused("ROT-OWN-1", Condition::Foreign)];
        }
        match op.role {
            Role::Create => storing::create(self),
            Role::Task => rotating::task(self),
            Role::List => vec![Outcome::done("LIST-1", Change::default(), read::list(self))],
            Role::Password => vec![Outcome::done("WIRE-REP-1", Change::default(), Vec::new())],
            _ => match world.find(op.account, &op.secret) {
                None if op.role == Role::Delete && op.force && self.law.forces_unknown => {
                    // What such a reply says of a secret that is not there is open.
                    let name = Expect::Open(Some(Fact::Text(op.secret.clone())));
                    let gone = Expect::Open(Some(Fact::Time(self.now.lo)));
                    let facts = vec![
                        (Meaning::Secret, name),
                        (Meaning::Arn, Expect::Open(None)),
                        (Meaning::DeleteAt, gone),
                    ];
                    vec![Outcome::done("LIFE-4", Change::default(), facts)]
                }
                None => {
                    // What another account has under that name is none of this one's business.
                    let elsewhere = world.secrets.keys().any(|key| key.1 == op.secret);
                    let rule = if elsewhere { "ROT-OWN-1" } else { "ROT-ERR-3" };
                    vec![Outcome::refused(rule, Condition::UnknownSecret)]
                }
                Some((key, _)) if key.0 != op.account => {
                    vec![Outcome::refused("ROT-OWN-1", Condition::Foreign)]
                }
                Some((key, secret)) => {
                    let mut possible = self.in_life(key, secret);
                    if *key.1 != *op.secret && self.law.identifier_open {
                        // Older pages speak of names alone, so a full identifier may reach nothing.
                        possible.push(Outcome::refused("LIFE-5", Condition::UnknownSecret));
                        possible.push(Outcome::refused("LIFE-5", Condition::Invalid));
                    }
                    possible
                }
            },
        }
    }

    fn in_life(&self, key: &Key, secret: &Arc<Secret>) -> Vec<Outcome> {
        let (law, role) = (self.law, self.op.role);
        let done = |rule, facts| vec![Outcome::done(rule, Change::default(), facts)];
        let normal = || match role {
            Role::Rotate => rotating::rotate(self, key, secret),
            Role::SetPolicy => rotating::set_policy(self, key, secret),
            Role::Cancel => rotating::cancel(self, key, secret),
            Role::Put => storing::put(self, key, secret),
            Role::MoveStage => storing::move_stage(self, key, secret),
            Role::RemoveStage => storing::remove_stage(self, key, secret),
            Role::Delete => storing::delete(self, key, secret),
            Role::Restore => storing::restore(self, key, secret),
            Role::Disable | Role::Enable => storing::switch(self, key, secret),
            Role::Read => read::value(self, key, secret),
            Role::ReadStage => read::stage(self, key, secret),
            Role::Versions => done("ROT-PAGE-1", read::versions(self, key, secret)),
            Role::Describe => done("ROT-POL-5", read::describe(self, key, secret)),
            Role::Create | Role::List | Role::Password | Role::Task => Vec::new(),
        };
        let (refuses, allows, condition) = match secret.life {
            Life::Active => return normal(),
            Life::Disabled => (&law.disabled_refuses, &law.disabled_allows, Condition::Disabled),
            Life::Leaving(_) => (&law.leaving_refuses, &law.leaving_allows, Condition::InDeletion),
        };
        let own = match secret.life {
            Life::Leaving(_) => role == Role::Restore,
            _ => matches!(role, Role::Enable | Role::Disable | Role::Delete | Role::Restore | Role::Describe),
        };
        if own || allows.contains(&role) {
            return normal();
        }
        let mut possible = vec![Outcome::refused(self.resting_rule(secret.life), condition)];
        if !refuses.contains(&role) || self.op.force {
            possible.extend(normal());
        }
        possible
    }

    const fn resting_rule(&self, life: Life) -> &'static str {
        match (self.op.role, life) {
            (Role::Rotate, _) => "ROT-STATE-1",
            (Role::Read, Life::Disabled) => "READ-1",
            _ => "LIFE-2",
        }
    }
}
