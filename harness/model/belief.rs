//! What an observer may believe: every world that explains all replies so far.
//!
//! A reply that no world explains is a [`Gap`]. A lost reply leaves more worlds. What a reply reveals
//! (values, ids that the service made, exact times) narrows the worlds that remain.

use super::compare::differences;
use super::learn::learned;
use super::{
    Answer, Condition, Expect, Fact, Facts, Id, Key, Law, Life, Meaning, Op, Outcome, Role, Secret, State,
    Version, When, World, outcomes, schedule, tick,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Worlds that are kept at most; one more, and nothing is predicted about the secret any longer.
const WORLDS: usize = 96;

/// Lost calls of which a world remembers that they may still arrive.
const OWED: usize = 4;

/// What was observed of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It succeeded and said this.
    Done(Facts),
    /// It was refused.
    Refused,
    /// Nobody knows: no whole reply came back.
    Lost,
}

/// A reply that no legal world explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The rule that decides what should have come.
    pub rule: &'static str,
    /// What should have come.
    pub expected: Answer,
    /// Facts that differ, when the call rightly succeeded: expected and observed.
    pub facts: Vec<(Meaning, Expect, Option<Fact>)>,
}

/// The set of worlds that explain what was seen.
#[derive(Clone, Debug)]
pub struct Belief {
    worlds: Vec<World>,
    forgotten: BTreeSet<Key>,
    blurred: bool,
}

impl Default for Belief {
    fn default() -> Self {
        Self { worlds: vec![World::default()], forgotten: BTreeSet::new(), blurred: false }
    }
}

impl Belief {
    /// The worlds, the most likely first; never empty.
    pub fn worlds(&self) -> &[World] {
        &self.worlds
    }

    /// Stops predicting anything about a secret, because its state cannot be known any more.
    pub fn forget(&mut self, account: usize, name: &str) {
        if name.is_empty() {
            return;
        }
        let key = self.key(account, name).unwrap_or((account, name.into()));
        for world in &mut self.worlds {
            world.secrets.remove(&key);
        }
        self.forgotten.insert(key);
    }

    /// Takes a secret for granted that was there before.
    pub fn adopt(&mut self, account: usize, name: &str, secret: &Secret) {
        let key: Key = (account, name.into());
        self.forgotten.remove(&key);
        for world in &mut self.worlds {
            world.secrets.insert(key.clone(), Arc::new(secret.clone()));
        }
    }

    /// Account and name of the secret that a call names, where some world knows it.
    pub fn key(&self, account: usize, name: &str) -> Option<Key> {
        self.worlds.iter().find_map(|world| world.find(account, name).map(|(key, _)| key))
    }

    /// Whether anything can be predicted about the secret that a call names.
    pub fn tracks(&self, account: usize, name: &str) -> bool {
        !self.forgotten.iter().any(|key| (key.0 == account && &*key.1 == name) || name.ends_with(&*key.1))
    }

    /// A rotation or refusal that may count for the account's limit, seen outside any world.
    pub fn spend(&mut self, account: usize, when: When) {
        for world in &mut self.worlds {
            world.spent.entry(account).or_default().push((when, false));
        }
    }

    /// Whether there were too many worlds to keep since this was asked last: then something that is legal
    /// may look as if it were not.
    pub fn blurred(&mut self) -> bool {
        std::mem::take(&mut self.blurred)
    }

    /// Takes in what another order of the same calls leaves: either may be what happened.
    pub fn join(&mut self, other: Self) {
        self.forgotten.extend(other.forgotten);
        self.blurred |= other.blurred;
        for world in other.worlds {
            self.blurred |= !keep(&mut self.worlds, world);
        }
    }

    /// Forgets in which order versions were made that were made at the same time, where nothing depends
    /// on it: so that worlds are one that differ in nothing else.
    pub fn unordered(&mut self, law: &Law, key: &Key) {
        let worlds = std::mem::take(&mut self.worlds);
        for mut world in worlds {
            if let Some(secret) = world.secrets.get(key) {
                let keeps = law.kinds[secret.kind].keeps.unwrap_or(usize::MAX);
                let known = secret.versions.iter().all(|version| matches!(version.id, Id::Known(_)));
                if known && secret.versions.len() < keeps && secret.dropped.is_empty() {
                    let order = |a: &Version, b: &Version| (a.created, &a.id).cmp(&(b.created, &b.id));
                    if !secret.versions.is_sorted_by(|a, b| order(a, b).is_le()) {
                        let mut secret = (**secret).clone();
                        secret.versions.sort_by(order);
                        world.secrets.insert(key.clone(), Arc::new(secret));
                    }
                }
            }
            keep(&mut self.worlds, world);
        }
    }

    /// What was on its way when its reply was lost has arrived by now, or never will.
    pub fn landed(&mut self) {
        let mut worlds: Vec<World> = Vec::with_capacity(self.worlds.len());
        for mut world in std::mem::take(&mut self.worlds) {
            world.owed.clear();
            keep(&mut worlds, world);
        }
        self.worlds = worlds;
    }

    /// Everything that may come of a call now, with the world it comes from. `grace`: a schedule may
    /// still be about to act.
    pub fn possible(&self, law: &Law, op: &Op, now: When, grace: bool) -> Vec<(World, Outcome)> {
        let mut possible = Vec::new();
        for world in self.worlds.iter().flat_map(|world| arrived(law, world, op, now)) {
            for world in ticked(law, &world, op, now, grace) {
                possible.extend(
                    outcomes(law, &world, op, now).into_iter().map(|outcome| (world.clone(), outcome)),
                );
            }
        }
        // What has had its time goes on no more.
        let running = |outcome: &Outcome| {
            matches!(&outcome.answer, Answer::Done(facts)
                if facts.contains(&(Meaning::TaskState, Expect::Is(Fact::State(State::Running)))))
        };
        if !grace && possible.iter().any(|(_, outcome)| !running(outcome)) {
            possible.retain(|(_, outcome)| !running(outcome));
        }
        possible
    }

    /// Takes in a reply. `extra` are outcomes that the caller knows to be possible too.
    ///
    /// # Errors
    /// The gap, if no world explains the reply; the belief then stays as it was.
    pub fn observe(
        &mut self,
        law: &Law,
        op: &Op,
        possible: Vec<(World, Outcome)>,
        seen: &Seen,
        now: When,
    ) -> Result<(), Gap> {
        let mut next: Vec<World> = Vec::new();
        let mut nearest: Option<Gap> = None;
        for (world, outcome) in possible {
            let merged = match (&outcome.answer, seen) {
                (Answer::Refused(_), Seen::Lost) => Some(world),
                (Answer::Done(_), Seen::Lost) => {
                    // It may have happened, may still happen, or never will.
                    let mut before = world.clone();
                    if op.role.writes() {
                        self.blurred |= before.owed.len() >= OWED;
                        before.owed.push(Arc::new(op.clone()));
                    }
                    self.blurred |= !keep(&mut next, before);
                    Some(applied(law, world, &outcome, now))
                }
                (Answer::Refused(_), Seen::Refused) => Some(refused(law, world, op, now)),
                (Answer::Done(expected), Seen::Done(facts)) => {
                    let before = world.find(op.account, &op.secret).map(|(_, secret)| secret.clone());
                    let after = applied(law, world, &outcome, now);
                    let subject = after.find(op.account, &op.secret).map(|(_, s)| s.clone()).or(before);
                    let differing = differences(expected, facts, subject.as_deref());
                    if differing.is_empty() {
                        Some(learned(law, after, op, facts))
                    } else {
                        consider(
                            &mut nearest,
                            Gap { rule: outcome.rule, expected: outcome.answer, facts: differing },
                        );
                        None
                    }
                }
                _ => {
                    consider(
                        &mut nearest,
                        Gap { rule: outcome.rule, expected: outcome.answer, facts: Vec::new() },
                    );
                    None
                }
            };
            if let Some(world) = merged {
                self.blurred |= !keep(&mut next, world);
            }
        }
        if !next.is_empty() {
            self.worlds = next;
            return Ok(());
        }
        Err(nearest.unwrap_or(Gap {
            rule: "ROT-ERR-1",
            expected: Answer::Refused(Condition::Internal),
            facts: Vec::new(),
        }))
    }
}

fn ticked(law: &Law, world: &World, op: &Op, now: When, grace: bool) -> Vec<World> {
    // Asking for a task settles the task itself; time does not settle it before.
    let found = world.subject(op).filter(|_| op.role != Role::Task);
    let Some((key, secret)) = found else { return vec![world.clone()] };
    if !schedule::restless(&secret, now) {
        return vec![world.clone()];
    }
    let secrets = tick(law, &secret, now, grace);
    let with = |secret: Option<Secret>| {
        let mut world = world.clone();
        match secret {
            Some(secret) => world.secrets.insert(key.clone(), Arc::new(secret)),
            None => world.secrets.remove(&key),
        };
        world
    };
    let gone = matches!(secret.life, Life::Leaving(gone) if gone.lo <= now.hi);
    secrets.into_iter().map(|secret| with(Some(secret))).chain(gone.then(|| with(None))).collect()
}

/// The world, and what it is once calls have arrived whose replies were lost, if they are about the same
/// secret: in any number and order.
fn arrived(law: &Law, world: &World, op: &Op, now: When) -> Vec<World> {
    let mut worlds = vec![world.clone()];
    if world.owed.is_empty() {
        return worlds;
    }
    let about = |world: &World, op: &Op| world.subject(op).map(|(key, _)| key);
    let mut at = 0;
    while at < worlds.len() {
        let world = worlds[at].clone();
        for (place, late) in world.owed.iter().enumerate() {
            let same = late.account == op.account && late.secret == op.secret;
            if !same && about(&world, late) != about(&world, op) {
                continue;
            }
            for outcome in outcomes(law, &world, late, now) {
                let mut after = applied(law, world.clone(), &outcome, now);
                after.owed.remove(place);
                keep(&mut worlds, after);
            }
        }
        at += 1;
    }
    worlds
}

/// False if there are too many already.
fn keep(worlds: &mut Vec<World>, world: World) -> bool {
    let known = worlds.contains(&world);
    if !known && worlds.len() < WORLDS {
        worlds.push(world);
        return true;
    }
    known
}

/// Keeps the gap that says most: a wrong fact is nearer than a wrong outcome; among equals the first.
fn consider(nearest: &mut Option<Gap>, gap: Gap) {
    let weight = |gap: &Gap| if gap.facts.is_empty() { usize::MAX } else { gap.facts.len() };
    if nearest.as_ref().is_none_or(|best| weight(&gap) < weight(best)) {
        *nearest = Some(gap);
    }
}

fn applied(law: &Law, mut world: World, outcome: &Outcome, now: When) -> World {
    world.apply(outcome.change.clone());
    lapsed(law, world, now)
}

/// Documents do not say whether a refused rotation counts for the limit.
fn refused(law: &Law, mut world: World, op: &Op, now: When) -> World {
    if op.role == Role::Rotate {
        world.spent.entry(op.account).or_default().push((now, false));
    }
    lapsed(law, world, now)
}

/// Drops what counts for no limit any more, so that a world does not grow with each rotation. Twice
/// the window stays: an endpoint's clock may be off.
fn lapsed(law: &Law, mut world: World, now: When) -> World {
    match law.rate {
        Some(rate) => {
            let since = now.lo.saturating_sub(rate.per.saturating_mul(2));
            world.spent.values_mut().for_each(|spent| spent.retain(|(when, _)| when.hi > since));
        }
        None => world.spent.clear(),
    }
    world
}
