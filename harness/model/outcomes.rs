//! Everything that documents allow a call to do, the canonical outcome first.
//!
//! Each outcome names the rule that decides it. Where a rule does not bind for the vendor, the
//! outcomes it forbids follow, so that what documents leave open is never an accusation.

use super::schedule::{add_version, retire};
use super::{
    Change, Condition, Expect, Fact, Id, Key, Law, Life, Meaning, Op, Outcome, Policy, Role, Secret, Text,
    Value, Version, When, World, read,
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
    if op.role == Role::Rotate && law.rate.is_some() && !case.within_limit(op.account).1 {
        // Whether the limit is looked at before anything else is open.
        possible.push(Outcome::refused("ROT-THR-1", Condition::Throttled));
    }
    possible
}

impl Case<'_> {
    fn possible(&self) -> Vec<Outcome> {
        let (world, op) = (self.world, self.op);
        match op.role {
            Role::Create => self.create(),
            Role::List => vec![Outcome::done("LIST-1", Change::default(), read::list(self))],
            Role::Password => vec![Outcome::done("WIRE-REP-1", Change::default(), Vec::new())],
            _ => match world.find(op.account, &op.secret) {
                None => vec![Outcome::refused("ROT-ERR-3", Condition::UnknownSecret)],
                Some((key, _)) if key.0 != op.account => {
                    vec![Outcome::refused("ROT-OWN-1", Condition::Foreign)]
                }
                Some((key, secret)) => {
                    let mut possible = self.in_life(&key, secret);
                    if *key.1 != *op.secret {
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
        let normal = |case: &Self| match case.op.role {
            Role::Rotate => case.rotate(key, secret),
            Role::SetPolicy => case.set_policy(key, secret),
            Role::Put => case.put(key, secret),
            Role::MoveStage => case.move_stage(key, secret),
            Role::Delete => case.delete(key, secret),
            Role::Restore => case.restore(key, secret),
            Role::Read => read::value(case, key, secret),
            Role::Versions => {
                vec![Outcome::done("ROT-PAGE-1", Change::default(), read::versions(case, key, secret))]
            }
            Role::Describe => {
                vec![Outcome::done("ROT-POL-5", Change::default(), read::describe(case, key, secret))]
            }
            Role::Create | Role::List | Role::Password => Vec::new(),
        };
        if !matches!(secret.life, Life::Leaving(_)) || self.op.role == Role::Restore {
            return normal(self);
        }
        let refused = Outcome::refused(self.leaving_rule(), Condition::InDeletion);
        if self.law.leaving_allows.contains(&self.op.role) {
            return normal(self);
        }
        let mut possible = vec![refused];
        if !self.law.leaving_refuses.contains(&self.op.role) || self.op.force {
            possible.extend(normal(self));
        }
        possible
    }

    const fn leaving_rule(&self) -> &'static str {
        match self.op.role {
            Role::Rotate => "ROT-STATE-1",
            _ => "LIFE-2",
        }
    }

    fn create(&self) -> Vec<Outcome> {
        let op = self.op;
        match self.world.find(op.account, &op.secret).filter(|_| !op.names_itself) {
            Some((_, taken)) if matches!(taken.life, Life::Leaving(_)) => {
                return vec![Outcome::refused("LIFE-1", Condition::InDeletion)];
            }
            Some(_) => return vec![Outcome::refused("LIFE-1", Condition::Exists)],
            None => {}
        }
        let kind = &self.law.kinds[op.kind];
        let id = op.token.clone().map_or(Id::Made(0), Id::Known);
        // What a managed kind reads back has another shape than what creation was given.
        let value =
            if kind.takes_values { op.value.map_or(Value::Unseen, Value::Known) } else { Value::Unseen };
        let on = kind.rotates && op.enable == Some(true);
        let policy = Policy { on, every: op.interval.filter(|_| on) };
        let secret = Secret {
            arn: None,
            kind: op.kind,
            life: Life::Active,
            versions: vec![Version {
                id,
                value,
                created: self.now,
                value_type: op.value_type.clone(),
                stages: vec![self.law.current.clone()],
            }],
            dropped: Vec::new(),
            policy,
            created: self.now,
            last: None,
            next: policy.every.map(|every| self.now.plus(every)),
            settings: op.settings.clone(),
            made: 1,
        };
        let mut facts = read::identity(self, &(op.account, op.secret.clone()), &secret);
        if op.names_itself {
            facts[0].1 = Expect::Open(None);
        }
        facts.push((Meaning::Version, Expect::Version(secret.versions[0].id.clone())));
        facts.push((Meaning::Kind, Expect::Is(Fact::Text(kind.name.clone()))));
        facts.extend(read::policy_if_shown(self, &secret));
        let mut possible =
            vec![Outcome::done("LIFE-1", Change::store((op.account, op.secret.clone()), secret), facts)];
        if kind.rotates {
            // Behind it stands a database or a server that need not be there.
            possible.push(Outcome::refused("LIFE-1", Condition::Unavailable));
        }
        possible
    }

    fn rotate(&self, key: &Key, secret: &Secret) -> Vec<Outcome> {
        let (law, op) = (self.law, self.op);
        let mut possible = Vec::new();
        let token = op.token.as_ref().filter(|_| law.replays);
        let known = token.and_then(|token| secret.version(token));
        let rotates = law.kinds[secret.kind].rotates;
        if !rotates {
            possible.push(Outcome::refused("ROT-KIND-1", Condition::KindCannotRotate));
        }
        let (may_pass, _) = self.within_limit(key.0);
        if let Some(version) = known {
            possible.push(self.replay(key, secret, version));
        } else if rotates || !law.binds("ROT-KIND-1") {
            let fresh = self.fresh(key, secret);
            if may_pass {
                possible.push(fresh);
            } else if !law.binds("ROT-THR-1") {
                possible.extend([Outcome::refused("ROT-THR-1", Condition::Throttled), fresh]);
            }
            // An id that retention dropped is open: a replay, a refusal, or an id like any other.
            if token.is_some_and(|token| secret.dropped.contains(token)) {
                possible.push(Outcome::refused("ROT-MONO-1", Condition::VersionExists));
                possible.push(self.echo("ROT-IDEMP-1", key, secret, op.token.clone()));
            }
        }
        possible
    }

    /// Whether documents allow one more rotation in this window, and whether they promise it.
    fn within_limit(&self, account: usize) -> (bool, bool) {
        let Some(rate) = self.law.rate else { return (true, true) };
        let spent = self.world.spent.get(&account).map_or(&[][..], Vec::as_slice);
        let possible = spent.iter().filter(|(when, _)| when.hi > self.now.lo - rate.per).count();
        // A window may slide or be cut by the clock: only what lies in both for certain is certain.
        let sure = |when: &When| {
            when.lo > self.now.hi - rate.per
                && when.lo.div_euclid(rate.per) == self.now.hi.div_euclid(rate.per)
        };
        let certain = spent.iter().filter(|(when, certain)| *certain && sure(when)).count();
        (certain < rate.calls, possible < rate.calls)
    }

    fn replay(&self, key: &Key, secret: &Secret, version: &Version) -> Outcome {
        let current = version.stages.contains(&self.law.current);
        let rule = if current { "ROT-IDEMP-1" } else { "ROT-IDEMP-5" };
        self.echo(rule, key, secret, self.op.token.clone())
    }

    fn echo(&self, rule: &'static str, key: &Key, secret: &Secret, token: Option<Text>) -> Outcome {
        let mut facts = read::identity(self, key, secret);
        facts.extend(token.map(|token| (Meaning::Version, Expect::Version(Id::Known(token)))));
        let change = Change { secret: None, spent: Some((key.0, self.now, false)) };
        Outcome::done(rule, change, facts)
    }

    fn fresh(&self, key: &Key, secret: &Secret) -> Outcome {
        let mut next = secret.clone();
        let id = match &self.op.token {
            Some(token) => Id::Known(token.clone()),
            None => Id::Made(next.made),
        };
        next.made += 1;
        add_version(self.law, &mut next, id.clone(), Value::Sealed, self.now);
        next.last = Some(self.now);
        next.next = match (next.policy.on, next.policy.every) {
            // Whether a rotation by hand restarts the clock is a rule of its own.
            (true, Some(every)) if self.law.binds("ROT-SCHED-2") => Some(self.now.plus(every)),
            (true, Some(every)) => {
                Some(secret.next.map_or(self.now, |due| due.join(self.now)).join(self.now.plus(every)))
            }
            _ => None,
        };
        let mut facts = read::identity(self, key, secret);
        facts.push((Meaning::Version, Expect::Version(id)));
        let rule = if self.op.token.is_some() && self.law.replays { "ROT-NEW-1" } else { "ROT-IDEMP-4" };
        let mut change = Change::store(key.clone(), next);
        change.spent = Some((key.0, self.now, true));
        Outcome::done(rule, change, facts)
    }

    fn set_policy(&self, key: &Key, secret: &Secret) -> Vec<Outcome> {
        if !self.law.kinds[secret.kind].rotates {
            return vec![Outcome::refused("ROT-KIND-2", Condition::KindCannotRotate)];
        }
        let op = self.op;
        let on = op.enable == Some(true);
        let mut next = secret.clone();
        // Documents do not say whether a policy that is switched off keeps its interval.
        next.policy = Policy { on, every: if on { op.interval } else { secret.policy.every } };
        next.next = match (on, op.interval, secret.last) {
            (true, Some(every), Some(last)) => Some(last.plus(every)),
            // The base of a secret that was never rotated is open: its creation, or this call.
            (true, Some(every), None) => Some(secret.created.join(self.now).plus(every)),
            _ => None,
        };
        // A changed interval recomputes the date; where that does not bind, the old date may stay.
        if let (true, Some(old), Some(new)) = (secret.policy.on && on, secret.next, next.next)
            && !self.law.binds("ROT-SCHED-3")
        {
            next.next = Some(old.join(new));
        }
        if self.now.lo == self.now.hi {
            // The reference counts from creation, and what is overdue is due at once.
            next.next = next.next.map(|due| When::at(due.lo.max(self.now.lo)));
        }
        let mut facts = read::identity(self, key, secret);
        facts.retain(|(meaning, _)| *meaning == Meaning::Secret);
        vec![Outcome::done(
            if on { "ROT-POL-1" } else { "ROT-POL-4" },
            Change::store(key.clone(), next),
            facts,
        )]
    }

    fn put(&self, key: &Key, secret: &Secret) -> Vec<Outcome> {
        let (law, op) = (self.law, self.op);
        if !law.kinds[secret.kind].takes_values {
            return vec![Outcome::refused("PUT-2", Condition::KindOnlyRotates)];
        }
        let mut facts = read::identity(self, key, secret);
        facts.extend(op.token.clone().map(|token| (Meaning::Version, Expect::Version(Id::Known(token)))));
        if let Some(version) = op.token.as_ref().and_then(|token| secret.version(token)) {
            let same = op.value.map(Value::Known) == Some(version.value);
            facts.push((Meaning::Stages, Expect::Open(Some(Fact::Stages(version.stages.clone())))));
            return vec![match same || version.value == Value::Unseen {
                true => Outcome::done("PUT-1", Change::default(), facts),
                false => Outcome::refused("PUT-1", Condition::VersionExists),
            }];
        }
        let mut next = secret.clone();
        let id = op.token.clone().map_or(Id::Made(next.made), Id::Known);
        let stages = op.stages.clone().unwrap_or_else(|| vec![law.current.clone()]);
        let value = op.value.map_or(Value::Unseen, Value::Known);
        next.versions.push(Version {
            id: id.clone(),
            value,
            created: self.now,
            value_type: op.value_type.clone(),
            stages: Vec::new(),
        });
        for stage in stages.iter().filter(|stage| **stage != law.current) {
            next.set_stage(stage, Some(&id));
        }
        if stages.contains(&law.current) {
            next.promote(&law.current, &law.previous, &id);
        }
        if law.stages_at_most.is_some_and(|most| distinct_stages(&next) > most) {
            return vec![Outcome::refused("STAGE-3", Condition::QuotaExceeded)];
        }
        retire(law, &mut next);
        facts.push((Meaning::Stages, Expect::Stages(stages)));
        let mut possible = vec![Outcome::done("PUT-1", Change::store(key.clone(), next), facts)];
        if op.token.as_ref().is_some_and(|token| secret.dropped.contains(token)) {
            possible.push(Outcome::refused("ROT-MONO-1", Condition::VersionExists));
            possible.push(Outcome::done("PUT-1", Change::default(), Vec::new()));
        }
        possible
    }

    fn move_stage(&self, key: &Key, secret: &Secret) -> Vec<Outcome> {
        let (law, op) = (self.law, self.op);
        if !law.kinds[secret.kind].takes_values {
            return vec![Outcome::refused("PUT-2", Condition::KindOnlyRotates)];
        }
        let stage = op.stage.clone().unwrap_or_else(|| law.current.clone());
        if op.move_to.is_none() && op.remove_from.is_none() {
            return vec![Outcome::refused("STAGE-1", Condition::Missing)];
        }
        let built_in = stage == law.current || stage == law.previous;
        if built_in && op.move_to.is_none() {
            return vec![Outcome::refused("STAGE-2", Condition::Missing)];
        }
        let exists = |id: &Option<Text>| id.as_ref().is_none_or(|id| secret.version(id).is_some());
        if !exists(&op.move_to) || !exists(&op.remove_from) {
            return vec![Outcome::refused("STAGE-1", Condition::UnknownVersion)];
        }
        let mut possible = Vec::new();
        let holder = secret.staged(&stage).map(|version| version.id.clone());
        let wrong_source =
            op.remove_from.as_ref().is_some_and(|from| holder != Some(Id::Known(from.clone())));
        if wrong_source {
            possible.push(Outcome::refused("STAGE-1", Condition::Invalid));
            if law.binds("STAGE-1") {
                return possible;
            }
        }
        let mut facts = read::identity(self, key, secret);
        facts.retain(|(meaning, _)| *meaning == Meaning::Secret);
        let target = op.move_to.clone().map(Id::Known);
        let mut plain = secret.clone();
        plain.set_stage(&stage, target.as_ref());
        if law.stages_at_most.is_some_and(|most| distinct_stages(&plain) > most) {
            return vec![Outcome::refused("STAGE-3", Condition::QuotaExceeded)];
        }
        if let (true, Some(target)) = (stage == law.current, &target) {
            let mut follows = secret.clone();
            follows.promote(&law.current, &law.previous, target);
            possible.push(Outcome::done("STAGE-1", Change::store(key.clone(), follows), facts.clone()));
        }
        // Documents do not say whether the previous stage follows when the current one is moved by hand.
        possible.push(Outcome::done("STAGE-1", Change::store(key.clone(), plain), facts));
        possible
    }

    fn delete(&self, key: &Key, secret: &Secret) -> Vec<Outcome> {
        let mut facts = read::identity(self, key, secret);
        facts.retain(|(meaning, _)| *meaning == Meaning::Secret);
        if self.op.force {
            facts.push((Meaning::DeleteAt, Expect::Open(Some(Fact::Time(self.now.lo)))));
            return vec![Outcome::done(
                "LIFE-4",
                Change { secret: Some((key.clone(), None)), spent: None },
                facts,
            )];
        }
        let gone = self.now.plus(self.op.window.unwrap_or(self.law.window_days).saturating_mul(86_400));
        let mut next = secret.clone();
        next.life = Life::Leaving(gone);
        facts.push((Meaning::DeleteAt, Expect::Within(gone)));
        vec![Outcome::done("LIFE-4", Change::store(key.clone(), next), facts)]
    }

    fn restore(&self, key: &Key, secret: &Secret) -> Vec<Outcome> {
        if secret.life == Life::Active {
            return vec![Outcome::refused("LIFE-3", Condition::NotInDeletion)];
        }
        let mut next = secret.clone();
        next.life = Life::Active;
        let mut facts = read::identity(self, key, secret);
        facts.retain(|(meaning, _)| *meaning == Meaning::Secret);
        vec![Outcome::done("LIFE-3", Change::store(key.clone(), next), facts)]
    }
}

fn distinct_stages(secret: &Secret) -> usize {
    let mut stages: Vec<&Text> = secret.versions.iter().flat_map(|version| &version.stages).collect();
    stages.sort();
    stages.dedup();
    stages.len()
}
