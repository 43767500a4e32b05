//! Which worlds are kept: each once, and not more than can be followed.

use super::{Id, Key, Op, Role, Secret, Text, Version, World};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Worlds that are kept at most; one more, and nothing is predicted about some secret any longer.
pub(super) const WORLDS: usize = 96;

/// Lost calls of which a world remembers that they may still arrive.
const OWED: usize = 3;

/// Worlds that are kept. Where there would be too many, secrets on which they do not agree are left out of all of
/// them, one after another, until there is room: so what is known of all others stays whole. What was heard of
/// longest ago goes first.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) worlds: Vec<World>,
    /// What the last calls were about, which goes last.
    pub(super) about: Vec<Key>,
    /// What was heard of lately, the last one last.
    pub(super) recent: Arc<Vec<Key>>,
    /// What is left out.
    pub(super) out: Vec<Key>,
    /// Everything is left out.
    pub(super) bare: bool,
    /// Rotations count for no limit.
    pub(super) uncounted: bool,
    /// What was left out as there was no room.
    pub(super) forgotten: BTreeSet<Key>,
}

impl Kept {
    /// Whether all of these worlds can be kept, so many times each: then nobody asks what goes last.
    pub(super) fn has_room<'w>(times: usize, mut worlds: impl Iterator<Item = &'w World> + Clone) -> bool {
        times * worlds.clone().count() <= WORLDS && worlds.all(|world| world.owed.len() < OWED)
    }

    pub(super) fn take(&mut self, mut world: World) {
        if self.uncounted {
            world.forget_spent();
        }
        forget_repeated(&mut world);
        self.strip(&mut world);
        let full = world.owed.len() > OWED && !self.bare;
        if !full && (self.worlds.contains(&world) || self.bare && self.worlds.len() >= WORLDS) {
            return;
        }
        if !full && self.worlds.len() < WORLDS {
            return self.worlds.push(world);
        }
        let goes = if full { self.first(owed(&world)) } else { self.first(self.disputed(&world)) };
        match goes {
            Some(key) => {
                self.forgotten.insert(key.clone());
                self.out.push(key);
            }
            None => self.bare = true,
        }
        let before = std::mem::take(&mut self.worlds);
        before.into_iter().chain([world]).for_each(|world| self.take(world));
    }

    /// Of these secrets, the one that is left out first; of none, one that the last calls were about.
    fn first(&self, keys: BTreeSet<Key>) -> Option<Key> {
        let heard = |key: &Key| self.recent.iter().rposition(|it| it == key).map_or(0, |at| at + 1);
        let first = keys.into_iter().min_by_key(|key| (self.about.contains(key), heard(key)));
        first.or_else(|| self.about.iter().find(|key| !self.out.contains(key)).cloned())
    }

    /// Secrets on which the worlds and one more do not agree.
    fn disputed(&self, world: &World) -> BTreeSet<Key> {
        let mut keys = owed(world);
        for other in &self.worlds {
            keys.extend(owed(other));
            let differs = |(key, secret): &(&Key, &Arc<Secret>)| world.secrets.get(key) != Some(secret);
            keys.extend(other.secrets.iter().filter(differs).map(|(key, _)| key.clone()));
            let lacks = |key: &&Key| other.secrets.get(key).is_none();
            keys.extend(world.secrets.keys().filter(lacks).cloned());
        }
        keys
    }

    fn strip(&mut self, world: &mut World) {
        if self.bare {
            self.forgotten.extend(std::mem::take(&mut world.secrets).keys().cloned());
            drop(std::mem::take(&mut world.tasks));
            world.owed.clear();
        }
        for key in &self.out {
            // A call that is on its way to it says nothing of anything else.
            let owed = world.owed.iter().filter(|late| bound_for(world, &late.op) != *key).cloned().collect();
            world.owed = owed;
            let gone = world.tasks.iter().filter(|(_, task)| task.key == *key);
            let gone: Vec<Text> = gone.map(|(id, _)| id.clone()).collect();
            gone.iter().for_each(|id| drop(world.tasks.remove(id)));
            world.secrets.remove(key);
        }
    }
}

/// The secret that a call is on its way to.
fn bound_for(world: &World, late: &Op) -> Key {
    world.subject(late).map_or_else(|| (late.account, late.secret.clone()), |(key, _)| key)
}

/// Secrets that calls are on their way to.
fn owed(world: &World) -> BTreeSet<Key> {
    world.owed.iter().map(|late| bound_for(world, &late.op)).collect()
}

/// A call with a token that already names a version changes nothing when it arrives.
fn forget_repeated(world: &mut World) {
    let repeated = |late: &Op| {
        let named =
            |version: &Version| matches!(&version.id, Id::Known(id) if Some(id) == late.token.as_ref());
        matches!(late.role, Role::Rotate | Role::Put)
            && late.token.is_some()
            && world.subject(late).is_some_and(|(_, secret)| secret.versions.iter().any(named))
    };
    if world.owed.iter().any(|late| repeated(&late.op)) {
        let rest = world.owed.iter().filter(|late| !repeated(&late.op)).cloned().collect();
        world.owed = rest;
    }
}

/// Adds a world that is not there yet, as long as there are not too many.
pub(super) fn keep(worlds: &mut Vec<World>, world: World, most: usize) {
    if worlds.len() < most && !worlds.contains(&world) {
        worlds.push(world);
    }
}
