//! Which worlds are kept: each once, and not more than can be followed.

use super::{Id, Key, Op, Role, Text, Version, World};
use std::collections::BTreeSet;

/// Worlds that are kept at most; one more, and nothing is predicted about the secret any longer.
pub(super) const WORLDS: usize = 96;

/// Lost calls of which a world remembers that they may still arrive.
const OWED: usize = 3;

/// Worlds that are kept. Where there would be too many, the secrets that the last calls were about are
/// left out of all of them; so what is known of other secrets stays whole.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) worlds: Vec<World>,
    /// What is left out first.
    pub(super) about: Vec<Key>,
    /// It is left out.
    pub(super) crowded: bool,
    /// Everything is left out.
    pub(super) bare: bool,
    /// Rotations count for no limit.
    pub(super) uncounted: bool,
    pub(super) forgotten: BTreeSet<Key>,
}

impl Kept {
    /// Whether all of these worlds can be kept, so many times each: then nobody asks what is left out first.
    pub(super) fn has_room<'w>(times: usize, mut worlds: impl Iterator<Item = &'w World> + Clone) -> bool {
        times * worlds.clone().count() <= WORLDS && worlds.all(|world| world.owed.len() < OWED)
    }

    pub(super) fn take(&mut self, mut world: World) {
        if self.uncounted {
            world.forget_spent();
        }
        forget_repeated(&mut world);
        self.strip(&mut world);
        let full = world.owed.len() > OWED && !self.crowded;
        if !full && (self.worlds.contains(&world) || self.bare && self.worlds.len() >= WORLDS) {
            return;
        }
        if !full && self.worlds.len() < WORLDS {
            return self.worlds.push(world);
        }
        (self.crowded, self.bare) = (true, self.crowded);
        self.forgotten.extend(self.about.iter().cloned());
        let before = std::mem::take(&mut self.worlds);
        before.into_iter().chain([world]).for_each(|world| self.take(world));
    }

    fn strip(&mut self, world: &mut World) {
        if self.bare {
            self.forgotten.extend(std::mem::take(&mut world.secrets).keys().cloned());
            drop(std::mem::take(&mut world.tasks));
            world.owed.clear();
        } else if self.crowded {
            for key in &self.about {
                // A call that is on its way to it says nothing of anything else.
                let named = |late: &Op| {
                    let subject = world.subject(late).map(|(key, _)| key);
                    subject.map_or(late.account == key.0 && late.secret == key.1, |subject| subject == *key)
                };
                let owed = world.owed.iter().filter(|late| !named(&late.op)).cloned().collect();
                world.owed = owed;
                let gone = world.tasks.iter().filter(|(_, task)| task.key == *key);
                let gone: Vec<Text> = gone.map(|(id, _)| id.clone()).collect();
                gone.iter().for_each(|id| drop(world.tasks.remove(id)));
                world.secrets.remove(key);
            }
        }
    }
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
