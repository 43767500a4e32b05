//! A reply that no legal world explains: what it is nearest to, and whether one can go on from there.

use super::compare::differences;
use super::learn::learned;
use super::outcomes::Case;
use super::{Answer, Condition, Expect, Fact, Meaning, Outcome, Secret, World, read};
use std::sync::Arc;

/// What is expected of a meaning and what was observed, where they differ.
pub type Difference = (Meaning, Expect, Option<Fact>);

/// A reply that no legal world explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The rule that decides what should have come.
    pub rule: &'static str,
    /// What should have come.
    pub expected: Answer,
    /// Facts that differ, when the call rightly succeeded: expected and observed.
    pub facts: Vec<Difference>,
    /// The secret, as it should be shown.
    pub secret: Option<Arc<Secret>>,
    /// Only what is shown differs, and not what the call did: the belief has gone on.
    pub passed: bool,
}

/// What should have come instead of a reply, as near as possible to what came.
#[derive(Default)]
pub(super) struct Nearest {
    found: Option<(usize, Gap)>,
    /// Worlds to go on in, where the reply shows something wrong and no more than that.
    worlds: Vec<World>,
}

impl Nearest {
    /// The call should have been refused, or should not.
    pub(super) fn other_kind(&mut self, outcome: Outcome) {
        let gap = Gap {
            rule: outcome.rule,
            expected: outcome.answer,
            facts: Vec::new(),
            secret: None,
            passed: false,
        };
        self.consider(usize::MAX, gap);
    }

    /// The call rightly succeeded and led to the world of the case; the reply says something else.
    pub(super) fn differs(
        &mut self,
        case: &Case<'_>,
        outcome: Outcome,
        facts: &[(Meaning, Fact)],
        mut differing: Vec<Difference>,
    ) {
        tell_once(&mut differing);
        let subject = case.world.find(case.op.account, &case.op.secret).map(|(_, secret)| secret);
        let flawed = |(_, expect, observed): &Difference| {
            subject.is_some_and(|secret| expect.flaw(observed.as_ref(), secret).is_some())
        };
        let far = differing.iter().filter(|it| !flawed(it)).count();
        let passed = differing.iter().all(|it| superficial(it.0) || flawed(it));
        if passed {
            let fits = |(meaning, _): &&(Meaning, Fact)| !differing.iter().any(|it| it.0 == *meaning);
            let rest = facts.iter().filter(fits).cloned().collect();
            let world = shown(case, &differing);
            self.worlds.push(learned(case.law, world, case.op, &rest));
        }
        let (rule, expected, secret) = (outcome.rule, outcome.answer, subject.cloned());
        self.consider(far, Gap { rule, expected, facts: differing, secret, passed });
    }

    /// A wrong fact is nearer than a wrong outcome; among equals the first says most.
    fn consider(&mut self, distance: usize, gap: Gap) {
        if self.found.as_ref().is_none_or(|(least, _)| distance < *least) {
            self.found = Some((distance, gap));
        }
    }

    /// The gap, and the worlds to go on in.
    pub(super) fn found(self) -> (Gap, Vec<World>) {
        let nothing = || Gap {
            rule: "ROT-ERR-1",
            expected: Answer::Refused(Condition::Internal),
            facts: Vec::new(),
            secret: None,
            passed: false,
        };
        let gap = self.found.map_or_else(nothing, |(_, gap)| gap);
        let worlds = if gap.passed { self.worlds } else { Vec::new() };
        (gap, worlds)
    }
}

/// A total that counts the versions beside it is no more wrong than they are.
fn tell_once(differing: &mut Vec<Difference>) {
    let shown = differing.iter().find_map(|(.., observed)| match observed {
        Some(Fact::Versions(shown)) => i64::try_from(shown.len()).ok(),
        _ => None,
    });
    let counts = |(meaning, _, observed): &Difference| {
        *meaning == Meaning::Total && shown.is_some() && *observed == shown.map(Fact::Count)
    };
    differing.retain(|difference| !counts(difference));
}

/// Whether what a reply shows of this says nothing of what a secret's versions and schedule are.
const fn superficial(meaning: Meaning) -> bool {
    is_setting(meaning)
        || matches!(
            meaning,
            Meaning::Arn
                | Meaning::Kind
                | Meaning::Created
                | Meaning::Updated
                | Meaning::Deleted
                | Meaning::Total
                | Meaning::Page
                | Meaning::PageSize
                | Meaning::ValueType
        )
}

const fn is_setting(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Description | Meaning::Key | Meaning::Tags | Meaning::Config)
}

/// The world of the case, in which settings are what a reply shows.
fn shown(case: &Case<'_>, differing: &[Difference]) -> World {
    let mut world = case.world.clone();
    let Some((key, secret)) = case.world.find(case.op.account, &case.op.secret) else { return world };
    let settings = || differing.iter().filter(|(meaning, ..)| is_setting(*meaning));
    if settings().next().is_none() {
        return world;
    }
    let mut secret: Secret = (**secret).clone();
    for (meaning, _, observed) in settings() {
        secret.settings.retain(|(known, _)| known != meaning);
        secret.settings.extend(observed.clone().map(|fact| (*meaning, fact)));
    }
    world.secrets.insert(key.clone(), Arc::new(secret));
    world
}

/// What a reply states otherwise than an outcome does that led from `before` to the world of the case.
pub(super) fn otherwise(
    case: &Case<'_>,
    before: Option<Arc<Secret>>,
    outcome: &Outcome,
    stated: &[(Meaning, Expect)],
    facts: &super::Facts,
) -> Vec<Difference> {
    let after = case.world.find(case.op.account, &case.op.secret);
    let subject = match outcome.change.secret {
        Some(_) => after.map(|(_, secret)| secret).or(before.as_ref()),
        None => before.as_ref(),
    };
    let mut differing = differences(stated, facts, subject.map(Arc::as_ref));
    if let (true, Some((key, after))) = (case.op.role.shows_secret(), after) {
        let besides = read::besides(case, before.as_deref(), (key, after), stated, facts);
        differing.extend(differences(&besides, facts, subject.map(Arc::as_ref)));
    }
    differing
}
