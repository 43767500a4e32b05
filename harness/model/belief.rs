//! What an observer may believe: every world that explains all replies so far.
//!
//! A reply that no world explains is a [`Gap`]. A lost reply leaves more worlds. What a reply reveals
//! (values, ids that the service made, exact times) narrows the worlds that remain.

use super::gap::{Gap, Nearest, otherwise};
use super::kept::{Kept, WORLDS, keep};
use super::learn::learned;
use super::outcomes::Case;
use super::state::identifies;
use super::{
    Answer, Facts, Id, Key, Late, Law, Life, Op, Outcome, Role, Secret, Text, Version, When, World, outcomes,
    schedule, tick,
};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Secrets at most of which it is known when they were heard of.
const RECENT: usize = 64;

/// Worlds at most in which calls have arrived in some order whose replies were lost.
const ARRIVALS: usize = 1_024;

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

/// The set of worlds that explain what was seen.
#[derive(Clone, Debug)]
pub struct Belief {
    /// Shared by copies: what follows from a belief takes the place of all of them.
    worlds: Arc<Vec<World>>,
    forgotten: BTreeSet<Key>,
    blurred: bool,
    /// What calls were about, the last one last.
    recent: Arc<Vec<Key>>,
    /// Forgotten as there was no room, though no call was about it then.
    crowded_out: BTreeSet<Key>,
}

impl Default for Belief {
    fn default() -> Self {
        Self {
            worlds: Arc::new(vec![World::default()]),
            forgotten: BTreeSet::new(),
            blurred: false,
            recent: Arc::default(),
            crowded_out: BTreeSet::new(),
        }
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
        let mut rest = Kept { out: vec![key.clone()], ..self.kept() };
        self.take_worlds().into_iter().for_each(|world| rest.take(world));
        self.forgotten.insert(key);
        self.hold(rest);
    }

    /// Whether nothing was predicted any more about what was called so.
    pub fn forgot(&self, account: usize, name: &Text) -> bool {
        self.forgotten.contains(&(account, name.clone()))
    }

    /// Stops predicting anything about secrets whose schedules may have acted more often, since they were
    /// heard of last, than anybody can tell.
    pub fn outrun(&mut self, law: &Law, now: When) {
        let behind = |world: &World| -> Vec<Key> {
            let secrets = world.secrets.iter().filter(|(_, secret)| schedule::outruns(law, secret, now));
            secrets.map(|(key, _)| key.clone()).collect()
        };
        let behind: BTreeSet<Key> = self.worlds.iter().flat_map(behind).collect();
        behind.iter().for_each(|(account, name)| self.forget(*account, name));
    }

    fn take_worlds(&mut self) -> Vec<World> {
        Arc::unwrap_or_clone(std::mem::take(&mut self.worlds))
    }

    /// No worlds yet, to be kept.
    fn kept(&self) -> Kept {
        Kept { recent: self.recent.clone(), ..Kept::default() }
    }

    /// Goes on with these worlds.
    fn hold(&mut self, kept: Kept) {
        self.worlds = Arc::new(kept.worlds);
        let (about, others): (Vec<Key>, Vec<Key>) =
            kept.forgotten.into_iter().partition(|key| kept.about.contains(key));
        self.blurred |= kept.bare || !about.is_empty();
        self.crowded_out.extend(others.iter().cloned());
        self.forgotten.extend(about.into_iter().chain(others));
    }

    /// A call comes that is about this: where worlds are too many, it is kept longer than others.
    pub fn turn_to(&mut self, op: &Op) {
        let key = self.key_of(op);
        if self.recent.last() == Some(&key) {
            return;
        }
        let recent = Arc::make_mut(&mut self.recent);
        recent.retain(|other| *other != key);
        if recent.len() >= RECENT {
            recent.remove(0);
        }
        recent.push(key);
    }

    /// Whether nothing is known of what a call is about only because there were too many worlds to keep, and this
    /// was not asked before.
    pub fn was_crowded_out(&mut self, op: &Op) -> bool {
        self.crowded_out.remove(&(op.account, op.secret.clone()))
    }

    /// Takes a secret for granted that was there before.
    pub fn adopt(&mut self, account: usize, name: &str, secret: &Secret) {
        let key: Key = (account, name.into());
        self.forgotten.remove(&key);
        for world in Arc::make_mut(&mut self.worlds) {
            world.secrets.insert(key.clone(), Arc::new(secret.clone()));
        }
    }

    /// Account and name of the secret that a call names, where some world knows it.
    pub fn key(&self, account: usize, name: &str) -> Option<Key> {
        self.worlds.iter().find_map(|world| world.find(account, name)).map(|(key, _)| key.clone())
    }

    /// What a call is about: the secret that some world knows, or what it is called.
    pub fn key_of(&self, op: &Op) -> Key {
        self.key(op.account, &op.secret).unwrap_or((op.account, op.secret.clone()))
    }

    /// Whether anything can be predicted about the secret that a call names.
    pub fn tracks(&self, account: usize, name: &str) -> bool {
        let lost = |key: &Key| (key.0 == account && &*key.1 == name) || identifies(name, &key.1);
        // Which identifier a secret has got is not known while no reply has told.
        let untold = |(key, secret): (&Key, &Arc<Secret>)| secret.arn.is_none() && identifies(name, &key.1);
        let may_be = |world: &World| name.contains(':') && world.secrets.iter().any(untold);
        // A secret that some world knows is not one that was forgotten, whatever it is called.
        let unknown = self.forgotten.iter().any(lost) || self.worlds.iter().any(may_be);
        !unknown || self.key(account, name).is_some()
    }

    /// Whether anything can be predicted about what a call is about; what gets a name from the service is new.
    pub fn follows(&self, op: &Op) -> bool {
        op.names_itself || self.tracks(op.account, &op.secret)
    }

    /// A rotation or refusal that may count for the account's limit, seen outside any world.
    pub fn spend(&mut self, account: usize, when: When) {
        for world in Arc::make_mut(&mut self.worlds) {
            world.spend(account, when, false);
        }
    }

    /// Whether there were too many worlds to keep since this was asked last: then something that is legal
    /// may look as if it were not.
    pub fn blurred(&mut self) -> bool {
        std::mem::take(&mut self.blurred)
    }

    /// The kinds that the secret may be of that a call is about, lost creations included.
    pub fn kinds(&self, op: &Op) -> BTreeSet<usize> {
        let made =
            |late: &Op| late.role == Role::Create && late.account == op.account && late.secret == op.secret;
        let there = self.worlds.iter().filter_map(|world| world.subject(op)).map(|(_, secret)| secret.kind);
        let late = self.worlds.iter().flat_map(|world| &world.owed).filter(|late| made(&late.op));
        there.chain(late.map(|late| late.op.kind)).collect()
    }

    /// The secrets that a call is about, by account and name.
    fn about(&self, op: &Op) -> Vec<Key> {
        let mut keys: Vec<Key> =
            self.worlds.iter().filter_map(|world| world.subject(op)).map(|(key, _)| key).collect();
        if !op.secret.is_empty() && self.key(op.account, &op.secret).is_none() {
            keys.push((op.account, op.secret.clone()));
        }
        keys.sort();
        keys.dedup();
        keys
    }

    /// Takes in what another order of the same calls leaves: either may be what happened.
    pub fn join<'o>(&mut self, other: Self, calls: impl Iterator<Item = &'o Op>) {
        let differ = self.forgotten != other.forgotten;
        let mut kept = self.kept();
        if !Kept::has_room(1, self.worlds.iter().chain(&*other.worlds)) {
            for op in calls {
                kept.about.extend(self.about(op));
                kept.about.extend(other.about(op));
            }
        }
        self.blurred |= other.blurred;
        self.crowded_out.extend(other.crowded_out);
        if differ {
            // What one of the orders leaves unknown is unknown.
            self.forgotten.extend(other.forgotten);
            kept.out.extend(self.forgotten.iter().cloned());
        }
        let others = Arc::unwrap_or_clone(other.worlds);
        self.take_worlds().into_iter().chain(others).for_each(|world| kept.take(world));
        self.hold(kept);
    }

    /// Forgets in which order versions were made that were made at the same time, where nothing depends
    /// on it: so that worlds are one that differ in nothing else.
    pub fn unordered(&mut self, law: &Law, key: &Key) {
        let order = |a: &Version, b: &Version| (a.created, &a.id).cmp(&(b.created, &b.id));
        let sorted = |world: &World| {
            let secret = world.secrets.get(key)?;
            let kind = &law.kinds[secret.kind];
            let counted = kind.keeps.is_some_and(|keeps| secret.versions.len() >= keeps || kind.rotates);
            let free = !counted && secret.dropped.is_empty();
            if !free || secret.versions.is_sorted_by(|a, b| order(a, b).is_le()) {
                return None;
            }
            let known = secret.versions.iter().all(|version| matches!(version.id, Id::Known(_)));
            let mut secret = known.then(|| (**secret).clone())?;
            secret.versions.sort_by(order);
            secret.jumbled = kind.keeps.is_some();
            Some(Arc::new(secret))
        };
        let changed: Vec<_> = self.worlds.iter().map(sorted).collect();
        if changed.iter().all(Option::is_none) {
            return;
        }
        let mut worlds = Vec::with_capacity(changed.len());
        for (mut world, secret) in self.take_worlds().into_iter().zip(changed) {
            secret.into_iter().for_each(|secret| drop(world.secrets.insert(key.clone(), secret)));
            keep(&mut worlds, world, WORLDS);
        }
        self.worlds = Arc::new(worlds);
    }

    /// Which version goes when there are too many, nobody knows of those that were made at the same time.
    fn forget_jumbled(&mut self, law: &Law, op: &Op) {
        let over = |secret: &Secret| {
            let keeps = law.kinds[secret.kind].keeps;
            secret.jumbled && keeps.is_some_and(|keeps| secret.versions.len() > keeps)
        };
        let found = |world: &World| world.find(op.account, &op.secret).is_some_and(|(_, it)| over(it));
        if op.role == Role::Put && self.worlds.iter().any(found) {
            self.forget(op.account, &op.secret);
        }
    }

    /// What goes on has had its time: it ends before anything else is heard of it.
    pub fn settle(&mut self) {
        Arc::make_mut(&mut self.worlds).iter_mut().for_each(World::settle);
    }

    /// What was on its way when its reply was lost has arrived by now, or never will.
    pub fn landed(&mut self) {
        let mut worlds: Vec<World> = Vec::with_capacity(self.worlds.len());
        for mut world in self.take_worlds() {
            world.owed.clear();
            keep(&mut worlds, world, WORLDS);
        }
        self.worlds = Arc::new(worlds);
    }

    /// Stops predicting anything about the secret of a call if something may have arrived there whose effect no
    /// document tells.
    pub fn let_arrive(&mut self, law: &Law, op: &Op, now: When) {
        let unfathomed = |world: &World| {
            let mut due = world.owed.iter().filter(|late| bears_on(world, late, op));
            due.any(|late| outcomes(law, world, &late.op, late.since(now)).iter().any(|it| it.change.unknown))
        };
        if self.worlds.iter().any(unfathomed) {
            self.forget(op.account, &op.secret);
        }
    }

    /// Everything that may come of a call now, with the world it comes from. What was due before the second
    /// `settled` has happened.
    pub fn possible(&self, law: &Law, op: &Op, now: When, settled: i64) -> Vec<(World, Outcome)> {
        let mut possible = Vec::new();
        for world in arrived(law, &self.worlds, op, now).iter() {
            for world in ticked(law, world, op, now, settled).iter() {
                let outcomes = outcomes(law, world, op, now);
                possible.extend(outcomes.into_iter().map(|outcome| (world.clone(), outcome)));
            }
        }
        possible
    }

    /// Takes in a reply. `extra` are outcomes that the caller knows to be possible too.
    ///
    /// # Errors
    /// The gap, if no world explains the reply; the belief then stays as it was, unless it has passed the gap.
    pub fn observe(
        &mut self,
        law: &Law,
        op: &Op,
        possible: Vec<(World, Outcome)>,
        seen: &Seen,
        now: When,
    ) -> Result<(), Gap> {
        let mut next = Kept { uncounted: law.rate.is_none(), ..self.kept() };
        // Each of them may be kept as it was and as it is then.
        if !Kept::has_room(2, possible.iter().map(|(world, _)| world)) {
            next.about = self.about(op);
        }
        let mut nearest = Nearest::default();
        let mut unknown = false;
        for (world, outcome) in possible {
            let unfathomed = outcome.change.unknown;
            let merged = match (&outcome.answer, seen) {
                (Answer::Refused(condition), Seen::Lost) => {
                    // It was refused, or it arrives when that is no longer so.
                    if op.role.writes() && condition.may_pass() {
                        let mut before = world.clone();
                        before.owed.push(Arc::new(Late { op: op.clone(), sent: now }));
                        next.take(before);
                    }
                    Some(world)
                }
                (Answer::Done(_), Seen::Lost) => {
                    // It may have happened, may still happen, or never will.
                    let mut before = world.clone();
                    if op.role.writes() {
                        before.owed.push(Arc::new(Late { op: op.clone(), sent: now }));
                    }
                    next.take(before);
                    Some(applied(law, world, &outcome, now))
                }
                (Answer::Refused(_), Seen::Refused) => Some(refused(law, world, op, now)),
                (Answer::Done(expected), Seen::Done(facts)) => {
                    let before = world.find(op.account, &op.secret).map(|(_, secret)| secret.clone());
                    let after = applied(law, world, &outcome, now);
                    let case = Case { law, world: &after, op, now };
                    let differing = otherwise(&case, before, &outcome, expected, facts);
                    if differing.is_empty() {
                        Some(learned(law, after, op, facts))
                    } else {
                        nearest.differs(&case, outcome, facts, differing);
                        None
                    }
                }
                _ => {
                    nearest.other_kind(outcome);
                    None
                }
            };
            unknown |= merged.is_some() && unfathomed;
            merged.into_iter().for_each(|world| next.take(world));
        }
        if !next.worlds.is_empty() {
            self.hold(next);
            self.forget_jumbled(law, op);
            if unknown {
                self.forget(op.account, &op.secret);
            }
            return Ok(());
        }
        let (gap, worlds) = nearest.found();
        if gap.passed {
            worlds.into_iter().for_each(|world| next.take(world));
            self.hold(next);
        }
        Err(gap)
    }
}

fn ticked<'w>(law: &Law, world: &'w World, op: &Op, now: When, settled: i64) -> Cow<'w, [World]> {
    let as_it_is = Cow::Borrowed(std::slice::from_ref(world));
    // Asking for a task settles the task itself; time does not settle it before.
    let found = world.subject(op).filter(|_| op.role != Role::Task);
    let Some((key, secret)) = found else { return as_it_is };
    if !schedule::restless(&secret, now) {
        return as_it_is;
    }
    let secrets = tick(law, &secret, now, settled);
    let with = |secret: Option<Secret>| {
        let mut world = world.clone();
        match secret {
            Some(secret) => drop(world.secrets.insert(key.clone(), Arc::new(secret))),
            None => world.remove(&key),
        };
        world
    };
    let gone = matches!(secret.life, Life::Leaving(gone) if gone.lo <= now.hi);
    secrets.into_iter().map(|secret| with(Some(secret))).chain(gone.then(|| with(None))).collect()
}

/// Whether a call that is on its way is about the same secret as another.
fn bears_on(world: &World, late: &Late, op: &Op) -> bool {
    let about = |op: &Op| world.subject(op).map(|(key, _)| key);
    let same = late.op.account == op.account && late.op.secret == op.secret;
    same || about(&late.op) == about(op)
}

/// The worlds, and what they are once calls have arrived whose replies were lost, if they are about the same
/// secret: in any number and order. What is reached in several ways is followed once.
fn arrived<'w>(law: &Law, worlds: &'w [World], op: &Op, now: When) -> Cow<'w, [World]> {
    if worlds.iter().all(|world| world.owed.is_empty()) {
        return Cow::Borrowed(worlds);
    }
    let mut worlds = worlds.to_vec();
    let mut at = 0;
    while at < worlds.len() {
        let world = worlds[at].clone();
        for (place, late) in world.owed.iter().enumerate() {
            if !bears_on(&world, late, op) {
                continue;
            }
            let now = late.since(now);
            for outcome in outcomes(law, &world, &late.op, now) {
                let mut after = applied(law, world.clone(), &outcome, now);
                after.owed.remove(place);
                keep(&mut worlds, after, ARRIVALS);
            }
        }
        at += 1;
    }
    worlds.into()
}

fn applied(law: &Law, mut world: World, outcome: &Outcome, now: When) -> World {
    let mut change = outcome.change.clone();
    change.spent = change.spent.filter(|_| law.rate.is_some());
    world.apply(change);
    lapsed(law, world, now)
}

/// Documents do not say whether a refused rotation counts for the limit.
fn refused(law: &Law, mut world: World, op: &Op, now: When) -> World {
    if op.role == Role::Rotate {
        world.spend(op.account, now, false);
    }
    lapsed(law, world, now)
}

/// Drops what counts for no limit any more, so that a world does not grow with each rotation. Twice
/// the window stays: an endpoint's clock may be off.
fn lapsed(law: &Law, mut world: World, now: When) -> World {
    match law.rate {
        Some(rate) => {
            let since = now.lo.saturating_sub(rate.per.saturating_mul(2));
            if world.spent.values().flatten().any(|(when, _)| when.hi <= since) {
                world.spent.values_mut().for_each(|spent| spent.retain(|(when, _)| when.hi > since));
            }
        }
        None => world.forget_spent(),
    }
    world
}
