//! Which rule a difference belongs to: what was read, and what had been done before it was read.

use crate::model::{
    Condition, Difference, Expect, Fact, Flaw, Law, Meaning, Role, Secret, State, Text, Value, Version,
    VersionFact, digest,
};

/// What was done last to a secret, and what has happened since.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    /// The rule that decided what came of it.
    pub(super) rule: &'static str,
    /// What it was for.
    pub(super) role: Role,
    /// Why it was refused, if it was.
    pub(super) refused: Option<Condition>,
    /// Its place in the history.
    pub(super) at: usize,
    /// The difference stands in its own reply, not in a later read.
    pub(super) own: bool,
    /// The secret was read since.
    pub(super) read_since: bool,
    /// The clock was advanced since.
    pub(super) advanced_since: bool,
    /// Automatic rotation was on before.
    pub(super) was_on: bool,
    /// How the task ended that tells what became of it.
    pub(super) ended: Option<State>,
    /// Calls that overlapped with it.
    pub(super) along: Vec<usize>,
    /// What was done before a secret was switched on or off, where nobody has looked in between.
    pub(super) before: Option<Box<Deed>>,
}

impl Deed {
    /// What was just done.
    pub(super) const fn new(
        rule: &'static str,
        role: Role,
        refused: Option<Condition>,
        at: usize,
        was_on: bool,
    ) -> Self {
        Self {
            rule,
            role,
            refused,
            at,
            own: false,
            read_since: false,
            advanced_since: false,
            was_on,
            ended: None,
            along: Vec::new(),
            before: None,
        }
    }

    /// This deed, done after another one. Nobody can tell what a switch did from what was done before it, as
    /// long as nobody has looked in between; what it is not for is rather the other's work.
    pub(super) fn after(self, last: Option<Self>) -> Self {
        let unseen = last.filter(|last| !last.read_since && last.refused.is_none());
        let before = unseen.filter(|_| self.refused.is_none() && self.switches());
        Self { before: before.map(Box::new), ..self }
    }

    const fn switches(&self) -> bool {
        matches!(self.role, Role::Enable | Role::Disable)
    }

    /// Who is to blame first for what is shown of this.
    fn suspect(&self, meaning: Meaning) -> &Self {
        match &self.before {
            Some(before) if meaning != Meaning::State && !self.own && !self.read_since => {
                before.suspect(meaning)
            }
            _ => self,
        }
    }

    /// The calls that did it, the first one first.
    pub(super) fn calls(&self) -> Vec<usize> {
        let mut calls = self.before.as_ref().map_or_else(Vec::new, |before| before.calls());
        calls.extend(&self.along);
        calls.push(self.at);
        calls
    }
}

/// The rules that a difference breaks, the most telling first.
pub(super) fn blame(
    law: &Law,
    deed: &Deed,
    difference: &Difference,
    secret: Option<&Secret>,
) -> Vec<&'static str> {
    let mut rules = Vec::new();
    // Whatever was done before: what a call is about, and how a list is shown, does not depend on it.
    let (meaning, expect, observed) = difference;
    let deed = deed.suspect(*meaning);
    match secret.and_then(|secret| expect.flaw(observed.as_ref(), secret)) {
        Some(Flaw::Dates) => return vec!["WIRE-REP-1"],
        Some(Flaw::Unlabelled | Flaw::Size) if law.binds("ROT-PAGE-1") => return vec!["ROT-PAGE-1"],
        _ if matches!(meaning, Meaning::Secret | Meaning::Arn | Meaning::Kind) => return vec!["LIFE-5"],
        _ => {}
    }
    if crowded(deed.rule) && !deed.own && deed.refused.is_none() {
        // What calls at the same time left behind, or a retry, is their rule's first of all.
        rules.push(deed.rule);
        rules.extend(shape(law, difference));
        return rules;
    }
    rules.extend(shape(law, difference));
    // What a rotation does not touch is not what its task promised.
    let promised = matches!(
        meaning,
        Meaning::Version
            | Meaning::Versions
            | Meaning::Value
            | Meaning::Stages
            | Meaning::Total
            | Meaning::LastRotation
    );
    match deed.ended.filter(|_| !deed.own) {
        Some(State::Succeeded) if promised => rules.push("ROT-ASYNC-2"),
        Some(State::Failed) => rules.push("ROT-ASYNC-3"),
        _ => {}
    }
    if let Some(condition) = deed.refused {
        rules.extend(refused(deed, condition));
        return rules;
    }
    let rule = match meaning {
        Meaning::Schedule => "ROT-POL-6",
        Meaning::Function => "CONF-1",
        Meaning::TaskState => "ROT-ASYNC-1",
        Meaning::State if matches!(deed.role, Role::Enable | Role::Disable) => "ROT-STATE-3",
        Meaning::State if deed.role == Role::Restore => "LIFE-3",
        Meaning::State if deed.role == Role::Create && deed.own => "LIFE-1",
        Meaning::State => "LIFE-4",
        Meaning::DeleteAt | Meaning::Deleted if deed.role == Role::Restore => "LIFE-3",
        Meaning::DeleteAt | Meaning::Deleted => "LIFE-4",
        Meaning::NextRotation => next_rotation(deed),
        Meaning::LastRotation => rotated(deed, secret),
        Meaning::Automatic | Meaning::Interval => match deed.role {
            Role::SetPolicy | Role::Create => "ROT-POL-5",
            // Where a rotation carries the settings, one that did not happen shows in them.
            Role::Rotate if law.needs_function && deed.rule == "ROT-NEW-1" => deed.rule,
            Role::Restore => "LIFE-3",
            _ => "CONF-1",
        },
        Meaning::Value => value(deed, difference),
        Meaning::Total | Meaning::Page | Meaning::PageSize => "ROT-PAGE-1",
        Meaning::Updated => "WIRE-REP-1",
        // No call changes when a secret was made, and none but its creation has said anything of the rest yet.
        Meaning::Created if !law.binds("CONF-1") || deed.role == Role::Restore && !law.binds("LIFE-3") => {
            "WIRE-REP-1"
        }
        Meaning::Description | Meaning::Key | Meaning::Tags | Meaning::Config | Meaning::ValueType
            if deed.role == Role::Create && !law.binds("CONF-1") =>
        {
            "WIRE-REP-1"
        }
        Meaning::Description
        | Meaning::Key
        | Meaning::Tags
        | Meaning::Config
        | Meaning::ValueType
        | Meaning::Created => match deed.role {
            Role::Restore => "LIFE-3",
            _ => "CONF-1",
        },
        Meaning::Version | Meaning::Versions | Meaning::Stages if deed.own => deed.rule,
        Meaning::Version if deed.advanced_since => rotated(deed, secret),
        Meaning::Version
            if deed.role == Role::Rotate && deed.rule != "ROT-IDEMP-5" && deed.rule != "ROT-IDEMP-1" =>
        {
            "ROT-RYW-1"
        }
        Meaning::Versions | Meaning::Stages if deed.advanced_since => rotated(deed, secret),
        _ => deed.rule,
    };
    if !rules.contains(&rule) {
        rules.push(rule);
    }
    rules
}

/// Rules of calls that overlap, and of calls that are made again because a reply was lost.
pub(super) fn crowded(rule: &str) -> bool {
    matches!(rule, "ROT-CONC-1" | "ROT-CONC-2" | "ROT-IDEMP-6" | "ROT-IDEMP-7")
}

/// A call that was refused should have changed nothing.
fn refused(deed: &Deed, condition: Condition) -> Vec<&'static str> {
    match condition {
        Condition::Throttled => vec!["ROT-THR-2"],
        Condition::Missing | Condition::Invalid | Condition::BadBody if deed.role == Role::SetPolicy => {
            vec!["ROT-POL-8", "ROT-ERR-2"]
        }
        Condition::Missing | Condition::Invalid | Condition::BadBody => vec!["ROT-ERR-2"],
        // What stands behind the secret was not there: no rule of the call itself refused it.
        Condition::Unavailable | Condition::Internal => vec!["ROT-ERR-1"],
        _ => vec![deed.rule, "ROT-ERR-1"],
    }
}

fn next_rotation(deed: &Deed) -> &'static str {
    match deed.role {
        _ if deed.read_since && !deed.advanced_since => "ROT-SCHED-4",
        Role::SetPolicy if deed.was_on => "ROT-SCHED-3",
        Role::Rotate if deed.rule == "ROT-NEW-1" => "ROT-SCHED-2",
        Role::Restore => "LIFE-3",
        _ => "ROT-SCHED-1",
    }
}

fn rotated(deed: &Deed, secret: Option<&Secret>) -> &'static str {
    let on = secret.is_some_and(|secret| secret.policy.on);
    match (deed.advanced_since, on) {
        (true, true) => "ROT-SCHED-1",
        (true, false) => "ROT-SCHED-5",
        _ => deed.rule,
    }
}

fn value(deed: &Deed, (_, expect, observed): &Difference) -> &'static str {
    match (expect, observed) {
        (Expect::Value(Value::Sealed), _) if deed.advanced_since => "ROT-SCHED-1",
        (Expect::Value(Value::Sealed), _) => "ROT-NEW-1",
        _ if deed.rule == "WIRE-REQ-4" => "WIRE-REQ-4",
        _ if deed.role == Role::Put => "PUT-1",
        _ => "ROT-MONO-2",
    }
}

/// Whether a version shows the pending stage though no rotation goes on.
fn strays(all: &[Version], seen: &VersionFact, label: &Text) -> bool {
    seen.stages.as_ref().is_some_and(|stages| stages.contains(label))
        && !all.iter().any(|version| version.stages.contains(label))
}

/// Differences that show a broken invariant by themselves, whatever was done.
fn shape(law: &Law, (meaning, expect, observed): &Difference) -> Option<&'static str> {
    match (meaning, observed) {
        (Meaning::Version, Some(_)) if law.numbering.is_some() => Some("ROT-MONO-1"),
        (Meaning::Value, Some(Fact::Value(seen))) if *seen == digest("") => Some("ROT-CUR-1"),
        (Meaning::Versions, Some(Fact::Versions(seen))) => {
            let holders = |stage: &str| {
                let has = |stages: &Vec<Text>| stages.iter().any(|s| &**s == stage);
                seen.iter().filter(|version| version.stages.as_ref().is_some_and(has)).count()
            };
            let doubled = |at: usize| seen[..at].iter().any(|before| before.id == seen[at].id);
            let Expect::Versions { all, size, .. } = expect else { return None };
            let whole = size.is_none_or(|size| i64::try_from(all.len()).is_ok_and(|all| all <= size));
            if (0..seen.len()).any(doubled) {
                return Some("ROT-MONO-1");
            }
            if let Some(label) = &law.pending
                && seen.iter().any(|version| strays(all, version, label))
            {
                return Some("ROT-PEND-1");
            }
            let due = all.iter().any(|version| version.stages.contains(&law.current));
            let labelled = seen.iter().any(|version| version.stages.is_some());
            let expected =
                |id: &Text| all.iter().any(|version| version.id == crate::model::Id::Known(id.clone()));
            let skipped = law.numbering.is_some() && seen.len() == all.len();
            if skipped && seen.iter().any(|version| !expected(&version.id)) {
                return Some("ROT-MONO-1");
            }
            if holders(&law.current) > 1 || (whole && due && labelled && holders(&law.current) == 0) {
                return Some("ROT-CUR-1");
            }
            let label = law.previous.clone().unwrap_or_else(|| "".into());
            let previous = all.iter().find(|version| version.stages.contains(&label));
            let right = |id: &str| {
                previous.is_some_and(
                    |version| matches!(&version.id, crate::model::Id::Known(known) if &**known == id),
                )
            };
            let wrong_previous = seen.iter().any(|version| {
                let stages = version.stages.as_ref();
                stages.is_some_and(|it| it.contains(&label)) && previous.is_some() && !right(&version.id)
            });
            let known = |id: &str| {
                all.iter().any(|v| matches!(&v.id, crate::model::Id::Known(known) if &**known == id))
            };
            // Only where the right versions are there is a label what is wrong.
            let seen_all = |left_out: Option<&Version>| {
                let wanted = all.iter().filter(|version| Some(*version) != left_out);
                let found = |version: &Version| {
                    seen.iter().any(|it| version.id == crate::model::Id::Known(it.id.clone()))
                };
                wanted.into_iter().all(found)
            };
            // Where lists show what has a label, a version that lost its label is not there.
            let same_versions = seen.iter().all(|version| known(&version.id))
                && (seen.len() == all.len() || (seen.len() + 1 == all.len() && seen_all(previous)));
            if holders(&label) > 1
                || (same_versions && (wrong_previous || holders(&label) == 0 && previous.is_some()))
            {
                return Some("ROT-PREV-1");
            }
            let mut stages: Vec<_> =
                seen.iter().flat_map(|version| version.stages.iter().flatten()).collect();
            let count = stages.len();
            stages.sort();
            stages.dedup();
            (stages.len() < count).then_some("ROT-CUR-2")
        }
        _ => None,
    }
}

/// Effects that a read after a deed confirms.
pub(super) fn confirmed(law: &Law, deed: &Deed) -> Vec<&'static str> {
    match deed.refused {
        Some(Condition::Throttled) => vec!["ROT-THR-2", "ROT-ERR-1"],
        Some(Condition::Missing | Condition::Invalid | Condition::BadBody)
            if deed.role == Role::SetPolicy =>
        {
            vec!["ROT-POL-8", "ROT-ERR-2", "ROT-ERR-1"]
        }
        Some(Condition::Missing | Condition::Invalid | Condition::BadBody) => vec!["ROT-ERR-2", "ROT-ERR-1"],
        Some(_) => vec![deed.rule, "ROT-ERR-1"],
        None if deed.rule == "ROT-NEW-1" || deed.rule == "ROT-IDEMP-4" => {
            let mut rules =
                vec!["ROT-NEW-1", "ROT-CUR-1", "ROT-PREV-1", "ROT-MONO-1", "ROT-MONO-2", "ROT-RYW-1"];
            rules.push(deed.rule);
            rules.extend(law.pending.as_ref().map(|_| "ROT-PEND-1"));
            match deed.ended {
                Some(State::Succeeded) => rules.push("ROT-ASYNC-2"),
                Some(State::Failed) => rules.push("ROT-ASYNC-3"),
                _ => {}
            }
            rules.dedup();
            rules
        }
        None if deed.role == Role::SetPolicy => vec![deed.rule, "CONF-1"],
        None => vec![deed.rule],
    }
}
