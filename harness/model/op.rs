//! What a call asks for ([`Op`]) and what may come of it ([`Outcome`]).

use super::{Condition, Expect, Facts, Key, Meaning, Role, Secret, Task, Text, When, World};
use std::sync::Arc;

/// What a well-formed call asks for. Fields that its role does not have stay empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// What it does.
    pub role: Role,
    /// Index of the account that signs it.
    pub account: usize,
    /// Name or full identifier of the secret.
    pub secret: Text,
    /// Index of the kind in the law.
    pub kind: usize,
    /// Version id to make.
    pub token: Option<Text>,
    /// Digest of the value to store.
    pub value: Option<u64>,
    /// How the value is to be read.
    pub value_type: Option<Text>,
    /// The service makes the name itself.
    pub names_itself: bool,
    /// Stages to set.
    pub stages: Option<Vec<Text>>,
    /// Stage to read or move.
    pub stage: Option<Text>,
    /// Version to read.
    pub version: Option<Text>,
    /// Version that the stage moves to.
    pub move_to: Option<Text>,
    /// Version that the stage is taken from.
    pub remove_from: Option<Text>,
    /// Automatic rotation on or off.
    pub enable: Option<bool>,
    /// Rotate at once, or store the settings only.
    pub immediately: Option<bool>,
    /// Function that rotates.
    pub function: Option<Text>,
    /// When automatic rotation happens, as an expression.
    pub schedule: Option<Text>,
    /// Account or project that the call names, where it is not the signer's own.
    pub project: Option<Text>,
    /// Task asked for.
    pub task: Option<Text>,
    /// Where a page begins, as the endpoint said.
    pub marker: Option<Text>,
    /// Entries that a list skips.
    pub offset: Option<i64>,
    /// Interval of automatic rotation in seconds.
    pub interval: Option<i64>,
    /// When the first automatic rotation shall be.
    pub begins: Option<When>,
    /// Delete at once.
    pub force: bool,
    /// Days of the deletion window.
    pub window: Option<i64>,
    /// Show versions without a stage too.
    pub deprecated: bool,
    /// Only try it out.
    pub dry_run: bool,
    /// Show the configuration too.
    pub with_config: bool,
    /// Show the tags too.
    pub with_tags: bool,
    /// Page asked for.
    pub page: Option<i64>,
    /// Entries in a page.
    pub size: Option<i64>,
    /// Settings that are stored and read back as they are.
    pub settings: Facts,
    /// Digest of all that a rotation states beside the secret and the token, whatever it means: where it is
    /// another, the rotation is not the same again.
    pub states: u64,
}

impl Op {
    /// An empty call of a role.
    pub fn new(role: Role, account: usize, secret: Text) -> Self {
        Self {
            role,
            account,
            secret,
            kind: 0,
            token: None,
            value: None,
            value_type: None,
            names_itself: false,
            stages: None,
            stage: None,
            version: None,
            move_to: None,
            remove_from: None,
            enable: None,
            immediately: None,
            function: None,
            schedule: None,
            project: None,
            task: None,
            marker: None,
            offset: None,
            interval: None,
            begins: None,
            force: false,
            window: None,
            deprecated: false,
            dry_run: false,
            with_config: false,
            with_tags: false,
            page: None,
            size: None,
            settings: Facts::new(),
            states: 0,
        }
    }
}

/// What a reply may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The call succeeds and the reply states these facts.
    Done(Vec<(Meaning, Expect)>),
    /// The call is refused for this reason.
    Refused(Condition),
}

/// What a call changes in a world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The secret that is replaced, or dropped.
    pub secret: Option<(Key, Option<Arc<Secret>>)>,
    /// A rotation that counts for the account's limit: when, and whether it counts for certain.
    pub spent: Option<(usize, When, bool)>,
    /// A task whose state is known now.
    pub task: Option<(Text, Task)>,
    /// What it does to its secret nobody knows: no document says.
    pub unknown: bool,
}

impl Change {
    /// Stores a secret.
    pub fn store(key: Key, secret: Secret) -> Self {
        Self { secret: Some((key, Some(Arc::new(secret)))), ..Self::default() }
    }
}

/// One thing that may come of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the reply says.
    pub answer: Answer,
    /// What is different afterwards.
    pub change: Change,
    /// The rule that decides it.
    pub rule: &'static str,
}

impl Outcome {
    /// The call succeeds.
    pub fn done(rule: &'static str, change: Change, facts: Vec<(Meaning, Expect)>) -> Self {
        Self { answer: Answer::Done(facts), change, rule }
    }

    /// The call succeeds, and what it does is documented nowhere.
    pub fn unknown(rule: &'static str) -> Self {
        Self::done(rule, Change { unknown: true, ..Change::default() }, Vec::new())
    }

    /// The call is refused and changes nothing.
    pub fn refused(rule: &'static str, condition: Condition) -> Self {
        Self { answer: Answer::Refused(condition), change: Change::default(), rule }
    }
}

impl World {
    /// The secret that a call is about: the one that it names, or the one of its task.
    pub fn subject(&self, op: &Op) -> Option<(Key, Arc<Secret>)> {
        match &op.task {
            Some(task) => {
                let key = self.tasks.get(task)?.key.clone();
                self.secrets.get(&key).map(|secret| (key, secret.clone()))
            }
            None => self.find(op.account, &op.secret).map(|(key, secret)| (key.clone(), secret.clone())),
        }
    }

    /// Applies a change.
    pub fn apply(&mut self, change: Change) {
        match change.secret {
            Some((key, Some(secret))) => drop(self.secrets.insert(key, secret)),
            Some((key, None)) => self.remove(&key),
            None => {}
        }
        if let Some((id, task)) = change.task {
            self.tasks.insert(id, task);
        }
        if let Some((account, when, certain)) = change.spent {
            self.spend(account, when, certain);
        }
    }
}
