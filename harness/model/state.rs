//! What is stored: worlds, secrets, versions, and times that may be known only within bounds.

use super::{Fact, Facts, Shared, Shelf, State};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Shared text.
pub type Text = Arc<str>;

/// A span of time in Unix seconds, both ends included. The emulator knows its times exactly; an
/// observer knows them within the span in which a call ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct When {
    /// Not before.
    pub lo: i64,
    /// Not after.
    pub hi: i64,
}

impl When {
    /// An exact time.
    pub const fn at(seconds: i64) -> Self {
        Self { lo: seconds, hi: seconds }
    }

    /// The same span, later.
    pub const fn plus(self, seconds: i64) -> Self {
        Self { lo: self.lo.saturating_add(seconds), hi: self.hi.saturating_add(seconds) }
    }

    /// The least span that holds both.
    pub fn join(self, other: Self) -> Self {
        Self { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }

    /// Is the time in the span?
    pub const fn holds(self, seconds: i64) -> bool {
        self.lo <= seconds && seconds <= self.hi
    }
}

/// A version id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    /// Known.
    Known(Text),
    /// Made by the service, not seen yet; the number tells such ids apart.
    Made(u32),
}

/// The value of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// Known by its digest.
    Known(u64),
    /// Not seen yet, and unlike every other version's.
    Sealed,
    /// Not seen yet; it may be any.
    Unseen,
}

/// One version of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// Its id.
    pub id: Id,
    /// Its value.
    pub value: Value,
    /// When it was made.
    pub created: When,
    /// Whether a rotation made it.
    pub rotated: bool,
    /// How its value is to be read, where that is known.
    pub value_type: Option<Text>,
    /// Its stages, in the order they were set.
    pub stages: Vec<Text>,
}

impl Version {
    /// A version that no rotation made, without stages.
    pub const fn new(id: Id, value: Value, created: When) -> Self {
        Self { id, value, created, rotated: false, value_type: None, stages: Vec::new() }
    }
}

/// Automatic rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// Switched on?
    pub on: bool,
    /// Interval in seconds; kept or not while switched off, as documents say nothing of it.
    pub every: Option<i64>,
}

/// Where a secret is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Life {
    /// In use.
    Active,
    /// Switched off.
    Disabled,
    /// In its deletion window, gone at that time.
    Leaving(When),
}

/// One secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Secret {
    /// Full identifier, once seen.
    pub arn: Option<Text>,
    /// Index of its kind in the law.
    pub kind: usize,
    /// Where it is in its life.
    pub life: Life,
    /// Its versions, oldest first.
    pub versions: Shared<Vec<Version>>,
    /// Ids of versions that retention dropped.
    pub dropped: Vec<Text>,
    /// Automatic rotation.
    pub policy: Policy,
    /// When it was made.
    pub created: When,
    /// When it was rotated last, if ever.
    pub last: Option<When>,
    /// When it will be rotated next, if automatic rotation is on.
    pub next: Option<When>,
    /// Settings that are stored and read back as they are.
    pub settings: Shared<Facts>,
    /// How many ids the service has made for it.
    pub made: u32,
    /// The task of its creation, as long as nobody has told that it ended; empty where nobody heard which.
    pub making: Option<Text>,
    /// A rotation that goes on.
    pub pending: Option<Pending>,
    /// Function that rotates it.
    pub function: Option<Text>,
    /// When automatic rotation happens, as an expression.
    pub schedule: Option<Text>,
    /// What rotations asked for that chose their ids, as digests, where a replay must ask for the same.
    pub asked: Vec<(Text, u64)>,
    /// Some of its versions were made at the same time: nobody knows any more which is older.
    pub jumbled: bool,
}

/// A rotation that goes on after its call was answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pending {
    /// Id of the version that it makes.
    pub id: Id,
    /// When it is done, as far as that is known.
    pub due: When,
    /// The task that tells what becomes of it.
    pub task: Option<Text>,
    /// Where it counts from.
    pub since: When,
    /// It only tries out what rotates: its version vanishes again.
    pub trial: bool,
    /// The rotation that waits for its end.
    pub then: Option<Box<Pending>>,
}

impl Pending {
    /// A rotation that goes on since then, and is done when it is due.
    pub const fn new(id: Id, due: When, since: When) -> Self {
        Self { id, due, task: None, since, trial: false, then: None }
    }

    /// The rotation and those that wait for it.
    pub fn each(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |pending| pending.then.as_deref())
    }

    /// It and those that wait for it have had their time.
    fn settle(&mut self) {
        self.due.hi = self.due.lo;
        self.then.iter_mut().for_each(|then| then.settle());
    }

    /// The one that waits for all others.
    pub fn last(&mut self) -> &mut Self {
        match self.then {
            Some(ref mut then) => then.last(),
            None => self,
        }
    }
}

/// When a rotation that goes on is done: only the endpoint knows.
pub const SOMETIME: i64 = i64::MAX / 4;

/// What is known of a task.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Task {
    /// The secret that it is about.
    pub key: Key,
    /// What became of it, as far as it was told.
    pub state: State,
    /// The secret is gone; one that is called so now is another.
    pub orphan: bool,
    /// What it does has had its time.
    pub settled: bool,
}

impl Task {
    /// A task that was just told of.
    pub const fn new(key: Key, state: State) -> Self {
        Self { key, state, orphan: false, settled: false }
    }
}

impl Secret {
    /// The version that has this stage.
    pub fn staged(&self, stage: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.stages.iter().any(|s| &**s == stage))
    }

    /// The version with this id.
    pub fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| matches!(&version.id, Id::Known(known) if &**known == id))
    }

    /// The secret as it is when a version has vanished.
    pub(super) fn without(&self, id: &Id) -> Self {
        let mut without = self.clone();
        without.versions.retain(|version| version.id != *id);
        without
    }

    /// Puts a stage on the version with this id and takes it from every other.
    pub fn set_stage(&mut self, stage: &Text, on: Option<&Id>) {
        for version in self.versions.iter_mut() {
            let holds = version.stages.iter().position(|s| s == stage);
            match (holds, Some(&version.id) == on) {
                (Some(at), false) => drop(version.stages.remove(at)),
                (None, true) => version.stages.push(stage.clone()),
                _ => {}
            }
        }
    }

    /// Makes the version with this id current, and the one that was current the previous one.
    pub fn promote(&mut self, law: &super::Law, id: &Id) {
        let old = self.staged(&law.current).map(|version| version.id.clone());
        if old.as_ref() != Some(id) {
            if let Some(previous) = &law.previous {
                self.set_stage(previous, old.as_ref());
            }
            self.set_stage(&law.current, Some(id));
        }
    }

    /// The id that the service gives to the next version.
    pub fn next_id(&mut self, law: &super::Law) -> Id {
        self.made += 1;
        match &law.numbering {
            Some(template) => Id::Known(template.replace("{n}", &self.made.to_string()).into()),
            None => Id::Made(self.made),
        }
    }

    /// The id that a caller chose, or the one that the service gives.
    pub(super) fn id_for(&mut self, law: &super::Law, token: Option<&Text>) -> Id {
        token.cloned().map_or_else(|| self.next_id(law), Id::Known)
    }

    /// A stored setting.
    pub fn setting(&self, is: super::Meaning) -> Option<&Fact> {
        self.settings.iter().find(|(meaning, _)| *meaning == is).map(|(_, fact)| fact)
    }
}

/// Account and name of a secret.
pub type Key = (usize, Text);

/// Everything that is stored, as far as one observer can tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// Secrets by account and name.
    pub secrets: Shelf<Key, Arc<Secret>>,
    /// Rotations that count for a limit, by account: when each one happened, and whether it counts for certain.
    pub spent: Shared<BTreeMap<usize, Vec<(When, bool)>>>,
    /// Tasks that were told of.
    pub tasks: Shelf<Text, Task>,
    /// Calls whose replies were lost and that have had no effect so far: they may still arrive.
    pub owed: Vec<Arc<Late>>,
}

/// A call whose reply was lost, and that may arrive yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// What it asks for.
    pub op: super::Op,
    /// When it was sent.
    pub sent: When,
}

impl Late {
    /// When it arrived, if it has by now: at any time since it was sent.
    pub fn since(&self, now: When) -> When {
        When { lo: self.sent.lo, hi: now.hi }
    }
}

impl World {
    /// Writes down a rotation that counts for an account's limit, for certain or perhaps.
    pub fn spend(&mut self, account: usize, when: When, certain: bool) {
        self.spent.entry(account).or_default().push((when, certain));
    }

    /// What goes on has had its time: rotations and tasks.
    pub(super) fn settle(&mut self) {
        if self.secrets.iter().any(|(_, secret)| secret.pending.is_some()) {
            self.secrets.change(&|secret: &mut Arc<Secret>| {
                if secret.pending.is_some() {
                    Arc::make_mut(secret).pending.iter_mut().for_each(Pending::settle);
                }
            });
        }
        self.tasks.change(&|task: &mut Task| task.settled = true);
    }

    /// Removes a secret. Its tasks may still be asked about.
    pub fn remove(&mut self, key: &Key) {
        self.secrets.remove(key);
        let own = self.tasks.iter().filter(|(_, task)| task.key == *key && !task.orphan);
        let own: Vec<(Text, Task)> = own.map(|(id, task)| (id.clone(), task.clone())).collect();
        for (id, task) in own {
            self.tasks.insert(id, Task { orphan: true, ..task });
        }
    }

    /// Forgets what counts for any limit.
    pub(super) fn forget_spent(&mut self) {
        if !self.spent.is_empty() {
            self.spent = Shared::default();
        }
    }

    /// Finds a secret by name within the caller's account, or by full identifier in any.
    pub fn find(&self, account: usize, name: &str) -> Option<(&Key, &Arc<Secret>)> {
        let lies = |key: &Key| key.0.cmp(&account).then_with(|| (*key.1).cmp(name));
        if let Some(found) = self.secrets.find(lies) {
            return Some(found);
        }
        // Only a full identifier has colons and slashes in this order; names never start like that.
        if !name.contains(':') {
            return None;
        }
        let told = self.secrets.iter().find(|(_, secret)| secret.arn.as_deref() == Some(name));
        // A secret whose identifier was never told may have this one.
        let own = |(key, secret): &(&Key, &Arc<Secret>)| {
            key.0 == account && secret.arn.is_none() && identifies(name, &key.1)
        };
        told.or_else(|| self.secrets.iter().find(own))
    }
}

/// Whether a full identifier may be the one of a secret of this name: some end in characters of their own.
pub(crate) fn identifies(identifier: &str, name: &str) -> bool {
    // Names have no colons; most of what is asked about is a name.
    if !identifier.contains(':') {
        return false;
    }
    let rest = identifier.rfind(name).and_then(|at| identifier.get(at + name.len()..));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
