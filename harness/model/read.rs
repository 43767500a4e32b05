//! What reading operations answer.

use super::outcomes::Case;
use super::{
    Change, Condition, Expect, FIRST, Fact, Facts, Id, Key, LATER, Life, Meaning, Op, Outcome, Role, Secret,
    State, Version, When,
};

type Stated = Vec<(Meaning, Expect)>;

/// Name and full identifier.
pub(super) fn identity(key: &Key, secret: &Secret) -> Stated {
    let arn = match &secret.arn {
        Some(arn) => Expect::Is(Fact::Text(arn.clone())),
        None => Expect::Open(None),
    };
    vec![(Meaning::Secret, Expect::Is(Fact::Text(key.1.clone()))), (Meaning::Arn, arn)]
}

/// Automatic rotation, as replies show it that need not show it.
pub(super) fn policy_if_shown(case: &Case<'_>, secret: &Secret) -> Stated {
    let may = |(meaning, expect)| match expect {
        Expect::Open(_) | Expect::IfShown(_) => (meaning, expect),
        other => (meaning, Expect::IfShown(Box::new(other))),
    };
    policy(case, secret).into_iter().map(may).collect()
}

/// What is open, and what the reference says of it.
fn opened((meaning, expect): (Meaning, Expect)) -> (Meaning, Expect) {
    let fact = match expect {
        Expect::Is(fact) | Expect::Open(Some(fact)) => Some(fact),
        Expect::Within(when) => Some(Fact::Time(when.lo)),
        Expect::IfShown(inner) => return opened((meaning, *inner)),
        _ => None,
    };
    (meaning, Expect::Open(fact))
}

/// Automatic rotation, as descriptions show it.
pub(super) fn policy(case: &Case<'_>, secret: &Secret) -> Stated {
    if !case.law.kinds[secret.kind].rotates {
        return vec![
            (Meaning::Automatic, Expect::Open(None)),
            (Meaning::Interval, Expect::Absent),
            (Meaning::NextRotation, Expect::Absent),
            (Meaning::LastRotation, Expect::Absent),
        ];
    }
    let on = Expect::Is(Fact::Flag(secret.policy.on));
    // What was never switched on need not be shown.
    let never = !secret.policy.on && secret.policy.every.is_none();
    let state = (Meaning::Automatic, if never { Expect::IfShown(Box::new(on)) } else { on });
    let last = (Meaning::LastRotation, secret.last.map_or(Expect::Absent, Expect::Within));
    let function = secret.function.clone().map(|name| (Meaning::Function, unless_empty(&Fact::Text(name))));
    let mut stated = vec![state, last];
    stated.extend(function);
    if !secret.policy.on {
        // Documents show interval and date only while automatic rotation is on.
        stated.push((Meaning::Interval, Expect::Open(None)));
        stated.push((Meaning::NextRotation, Expect::Open(None)));
        return stated;
    }
    let every = secret.policy.every.map(|every| Expect::Is(Fact::Count(every)));
    stated.push(match (&secret.schedule, every) {
        (None, Some(every)) => (Meaning::Interval, every),
        _ => (Meaning::Interval, Expect::Open(None)),
    });
    stated.push(match &secret.schedule {
        Some(schedule) => (Meaning::Schedule, Expect::Is(Fact::Text(schedule.clone()))),
        None if secret.policy.every.is_some() => (Meaning::Schedule, Expect::Absent),
        None => (Meaning::Schedule, Expect::Open(None)),
    });
    stated.push((Meaning::NextRotation, secret.next.map_or(Expect::Open(None), Expect::Within)));
    stated
}

/// What counts as a change is open; that none comes before the creation or after now is not.
fn updated(case: &Case<'_>, secret: &Secret) -> Expect {
    if case.exact() {
        let last = secret.last.map_or(secret.created.lo, |last| last.lo);
        return Expect::Open(Some(Fact::Time(last)));
    }
    Expect::IfShown(Box::new(Expect::Within(When { lo: secret.created.lo, hi: case.now.hi })))
}

fn settings(secret: &Secret, shown: impl Fn(Meaning) -> bool) -> Stated {
    secret
        .settings
        .iter()
        .filter(|(meaning, _)| shown(*meaning))
        .map(|(meaning, fact)| (*meaning, unless_empty(fact)))
        .collect()
}

/// What is stored; what is empty need not be there.
fn unless_empty(fact: &Fact) -> Expect {
    let stored = Expect::Is(fact.clone());
    match fact {
        Fact::Text(text) if matches!(&**text, "" | "[]" | "{}") => Expect::IfShown(Box::new(stored)),
        _ => stored,
    }
}

/// Everything about a secret except its values.
pub(super) fn describe(case: &Case<'_>, key: &Key, secret: &Secret) -> Stated {
    let kind = &case.law.kinds[secret.kind];
    let mut facts = identity(key, secret);
    facts.push((Meaning::Kind, Expect::Is(Fact::Text(kind.name.clone()))));
    facts.push((Meaning::Created, Expect::Within(secret.created)));
    facts.push((Meaning::Updated, updated(case, secret)));
    facts.push((
        Meaning::DeleteAt,
        match secret.life {
            Life::Active | Life::Disabled => Expect::Absent,
            Life::Leaving(gone) => Expect::Within(gone),
        },
    ));
    facts.push((
        Meaning::Deleted,
        match secret.life {
            Life::Active | Life::Disabled => Expect::Absent,
            // The day of its deletion, or the day on which it will be gone.
            Life::Leaving(gone) if case.exact() => Expect::Open(Some(Fact::Time(gone.lo))),
            Life::Leaving(gone) => Expect::Within(When { lo: secret.created.lo, hi: gone.hi }),
        },
    ));
    let state = Fact::State(match secret.life {
        Life::Active => State::Active,
        Life::Disabled => State::Disabled,
        Life::Leaving(_) => State::Leaving,
    });
    let made = secret.making.is_none();
    facts.push((Meaning::State, if made { Expect::Is(state) } else { Expect::Open(Some(state)) }));
    facts.extend(match secret.life {
        Life::Active => policy(case, secret),
        // What a secret that is not in use shows of its schedule is open.
        Life::Leaving(_) | Life::Disabled => policy(case, secret).into_iter().map(opened).collect(),
    });
    let all = secret.versions.iter().filter(|version| !version.stages.is_empty()).cloned().collect();
    facts.push((Meaning::Versions, Expect::Versions { all, page: 1, size: None, may_miss: Vec::new() }));
    facts.extend(settings(secret, |meaning| match meaning {
        Meaning::Tags => case.op.with_tags,
        Meaning::Config => kind.rotates,
        _ => true,
    }));
    facts
}

/// What a reply to a write says of its secret beside what the outcome states: the same as a description. Of what
/// the call changed it is open whether the reply shows it as it was or as it is.
pub(super) fn besides(
    case: &Case<'_>,
    before: Option<&Secret>,
    (key, after): (&Key, &Secret),
    stated: &[(Meaning, Expect)],
    facts: &Facts,
) -> Stated {
    let news = |meaning: Meaning| {
        facts.iter().any(|(shown, _)| *shown == meaning) && !stated.iter().any(|(said, _)| *said == meaning)
    };
    if !facts.iter().any(|(meaning, _)| news(*meaning)) {
        return Stated::new();
    }
    let describes = Op::new(Role::Describe, key.0, key.1.clone());
    let case = Case { op: &describes, ..*case };
    let was = before.map(|before| describe(&case, key, before));
    let same = |fact: &(Meaning, Expect)| was.as_ref().is_none_or(|was| was.contains(fact));
    let told = describe(&case, key, after).into_iter();
    told.filter(|fact| news(fact.0) && fact.0 != Meaning::Versions && same(fact))
        .map(|(meaning, expect)| (meaning, Expect::IfShown(Box::new(expect))))
        .collect()
}

/// The value of one version.
pub(super) fn value(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let (law, op) = (case.law, case.op);
    if op.dry_run {
        return vec![Outcome::refused("READ-1", Condition::DryRun)];
    }
    let kind = &law.kinds[secret.kind];
    let stage = op.stage.as_ref().unwrap_or(&law.current);
    // Some kinds are read by stage alone; a version id is ignored.
    let asked = op.version.as_ref().filter(|_| !kind.by_stage);
    let by_stage = secret.staged(stage);
    let unknown = || Outcome::refused("READ-1", Condition::UnknownVersion);
    // A version that a rotation is making may have no value yet; one that it left behind never has.
    let bare = |version: &Version| {
        let left = version.rotated && version.value == super::Value::Unseen;
        left || secret.pending.as_ref().is_some_and(|it| it.id == version.id)
    };
    let Some(id) = asked else {
        let mut possible = vec![by_stage.map_or_else(unknown, |version| shown(case, key, secret, version))];
        possible.extend(by_stage.filter(|version| bare(version)).map(|_| unknown()));
        return possible;
    };
    if law.alias.as_ref() == Some(id) && !kind.unstaged {
        let current = secret.staged(&law.current);
        let mut possible = vec![current.map_or_else(unknown, |version| shown(case, key, secret, version))];
        // A word such as "latest" may mean the newest version, whatever is current.
        let newest = secret
            .versions
            .last()
            .filter(|newest| law.alias != Some(law.current.clone()) && Some(*newest) != current);
        possible.extend(newest.map(|newest| shown(case, key, secret, newest)));
        return possible;
    }
    let Some(version) = secret.version(id) else {
        // A list that does not show all, or that says so little that it is not judged, may have told the id.
        let nameless = |version: &&Version| matches!(version.id, Id::Made(_)) && version.stages.is_empty();
        let told = secret.versions.iter().filter(nameless).map(|version| shown(case, key, secret, version));
        return std::iter::once(unknown()).chain(told).collect();
    };
    let mut possible = vec![shown(case, key, secret, version)];
    if version.stages.is_empty() && law.may_vanish(secret) || bare(version) {
        possible.push(unknown());
    }
    if op.stage.is_some() && by_stage != Some(version) {
        if law.reads_match {
            possible[0] = Outcome::refused("READ-1", Condition::StageMismatch);
            return possible;
        }
        // Documents of this operation do not say which of the two counts when they do not match.
        possible.insert(0, unknown());
        possible.extend(by_stage.map(|version| shown(case, key, secret, version)));
    }
    possible
}

/// The version that has a stage.
pub(super) fn stage(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let stage = case.op.stage.as_ref().unwrap_or(&case.law.current);
    let Some(version) = secret.staged(stage) else {
        return vec![Outcome::refused("READ-1", Condition::UnknownVersion)];
    };
    let mut facts = identity(key, secret);
    facts.push((Meaning::Stage, Expect::Is(Fact::Text(stage.clone()))));
    facts.push((Meaning::Version, Expect::Version(version.id.clone())));
    vec![Outcome::done("ROT-RYW-1", Change::default(), facts)]
}

fn shown(case: &Case<'_>, key: &Key, secret: &Secret, version: &Version) -> Outcome {
    let kind = &case.law.kinds[secret.kind];
    let mut facts = identity(key, secret);
    facts.extend([
        (Meaning::Version, version_of(case, secret, version)),
        (Meaning::Stages, Expect::Stages(version.stages.clone())),
        (Meaning::Value, Expect::Value(version.value)),
        (Meaning::Kind, Expect::Is(Fact::Text(kind.name.clone()))),
        (
            Meaning::ValueType,
            match &version.value_type {
                Some(named) if kind.takes_values => Expect::Is(Fact::Text(named.clone())),
                _ => Expect::Open(Some(Fact::Text(case.law.value_type.clone()))),
            },
        ),
        // The page does not say whether this is the secret's time or the version's.
        (Meaning::Created, Expect::Within(secret.created.join(version.created))),
    ]);
    if secret.life == Life::Active {
        facts.extend(policy_if_shown(case, secret));
    }
    facts.extend(settings(secret, |meaning| match meaning {
        Meaning::Config => kind.rotates && case.op.with_config,
        _ => false,
    }));
    Outcome::done("ROT-RYW-1", Change::default(), facts)
}

/// The id of a version that is read; where an alias stands for it, that may be answered too.
fn version_of(case: &Case<'_>, secret: &Secret, version: &Version) -> Expect {
    let by_alias = case.law.alias.is_some() && case.op.version == case.law.alias;
    match by_alias && case.law.kinds[secret.kind].renames {
        true => Expect::Open(case.op.version.clone().map(Fact::Text)),
        false => Expect::Version(version.id.clone()),
    }
}

/// The versions of a secret.
pub(super) fn versions(case: &Case<'_>, key: &Key, secret: &Secret) -> Stated {
    let (op, kind) = (case.op, &case.law.kinds[secret.kind]);
    let shown = |version: &&Version| match () {
        () if kind.unstaged => true,
        // A history shows what is not current any more.
        () if kind.renames => !version.stages.contains(&case.law.current),
        () => op.deprecated || case.law.lists_all || !version.stages.is_empty(),
    };
    let all = match secret.versions.iter().all(|version| shown(&version)) {
        true => secret.versions.clone(),
        false => secret.versions.iter().filter(shown).cloned().collect(),
    };
    let page = match &op.marker {
        Some(_) => LATER,
        None if case.law.opaque_pages => FIRST,
        None => op.page.unwrap_or(1),
    };
    let lax = case.law.may_vanish(secret);
    // Whether lists by markers show what a rotation is making, or has left behind, is documented nowhere.
    let unmade = case.law.pending.as_ref().filter(|_| page == FIRST);
    let may_miss = secret.versions.iter().filter(|version| {
        lax && version.stages.is_empty() || unmade.is_some_and(|stage| version.stages.contains(stage))
    });
    let may_miss = may_miss.map(|version| version.id.clone()).collect();
    let total = Fact::Count(i64::try_from(all.len()).unwrap_or(i64::MAX));
    let mut facts = identity(key, secret);
    facts.extend([
        (Meaning::Versions, Expect::Versions { all, page, size: op.size, may_miss }),
        (Meaning::Page, Expect::Is(Fact::Count(op.page.unwrap_or(1)))),
        (Meaning::PageSize, op.size.map_or(Expect::Open(None), |size| Expect::Is(Fact::Count(size)))),
        (Meaning::Total, if lax { Expect::Open(Some(total)) } else { Expect::Is(total) }),
    ]);
    facts
}

/// The secrets of an account. Others may have made some too, so only the page is certain.
pub(super) fn list(case: &Case<'_>) -> Stated {
    let op = case.op;
    vec![
        (Meaning::Page, Expect::Is(Fact::Count(op.page.unwrap_or(1)))),
        (Meaning::PageSize, op.size.map_or(Expect::Open(None), |size| Expect::Is(Fact::Count(size)))),
    ]
}
