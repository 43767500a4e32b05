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
    for refused in case.may_be_refused() {
        if !possible.contains(&refused) {
            possible.push(refused);
        }
    }
    possible
}

impl Case<'_> {
    /// The reference knows the time; an observer knows when a call ran.
    pub(super) const fn exact(&self) -> bool {
        self.now.lo == self.now.hi
    }

    /// Refusals that no document rules out, whatever else is wrong: which reason is found first is open.
    fn may_be_refused(&self) -> impl Iterator<Item = Outcome> {
        let (law, op) = (self.law, self.op);
        let spent =
            op.role == Role::Rotate && law.rate.is_some() && !rotating::within_limit(self, op.account).1;
        // What a secret can do that is not there yet, the codes of refusals apart, is documented nowhere.
        let early = op.role != Role::Task
            && self.world.subject(op).is_some_and(|(_, secret)| secret.making.is_some());
        let writes = op.role.writes().then_some(law.pending.as_ref()).flatten();
        let named = writes.is_some_and(|stage| {
            op.stage.as_ref() == Some(stage) || op.stages.iter().flatten().any(|it| it == stage)
        });
        let built_in = named && !law.pending_by_callers;
        let valueless = op.role == Role::Put && op.value.is_none();
        let bare = op.role == Role::MoveStage && op.move_to.is_none();
        let dropped = bare && op.stage.as_ref().is_some_and(|stage| law.fixed.contains(stage));
        let dated = matches!(op.role, Role::Create | Role::SetPolicy) && op.begins.is_some();
        [
            (spent, "ROT-THR-1", Condition::Throttled),
            // Whether a trial looks for what it names is open.
            (op.dry_run, "READ-1", Condition::DryRun),
            (early, "LIFE-1", Condition::Unavailable),
            // How early and how late automatic rotation may begin is documented nowhere.
            (dated, "ROT-POL-1", Condition::Invalid),
            // Where the value may come in several ways, none is required, and a call without any is open.
            (valueless, "PUT-1", Condition::Missing),
            (valueless, "PUT-1", Condition::Invalid),
            // Whether a caller may do anything to the stage of a rotation that goes on is not said everywhere.
            (built_in || dropped, "STAGE-2", Condition::BuiltInStage),
            (built_in, "STAGE-3", Condition::Invalid),
        ]
        .into_iter()
        .filter(|(holds, ..)| *holds)
        .map(|(_, rule, condition)| Outcome::refused(rule, condition))
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
                None if self.forced() => vec![self.gone_already()],
                None => {
                    // What another account has under that name is none of this one's business.
                    let elsewhere = world.secrets.keys().any(|key| key.1 == op.secret);
                    let rule = if elsewhere { "ROT-OWN-1" } else { "ROT-ERR-3" };
                    let mut possible = vec![Outcome::refused(rule, Condition::UnknownSecret)];
                    if op.secret.contains(':') {
                        // It may name another account; whether there is such a secret is then not told.
                        possible.push(Outcome::refused("ROT-OWN-1", Condition::Foreign));
                    }
                    possible
                }
                Some((key, _)) if key.0 != op.account => {
                    let mut possible = vec![Outcome::refused("ROT-OWN-1", Condition::Foreign)];
                    // To this account there is no such secret.
                    possible.extend(self.forced().then(|| self.gone_already()));
                    possible
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

    /// Whether it is a deletion that asks for nothing to be there.
    const fn forced(&self) -> bool {
        matches!(self.op.role, Role::Delete) && self.op.force && self.law.forces_unknown
    }

    /// What such a reply says of a secret that is not there is open.
    fn gone_already(&self) -> Outcome {
        let name = Expect::Open(Some(Fact::Text(self.op.secret.clone())));
        let gone = Expect::Open(Some(Fact::Time(self.now.lo)));
        let facts =
            vec![(Meaning::Secret, name), (Meaning::Arn, Expect::Open(None)), (Meaning::DeleteAt, gone)];
        Outcome::done("LIFE-4", Change::default(), facts)
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
