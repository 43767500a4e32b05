//! What reading operations answer.

use super::outcomes::Case;
use super::{Change, Condition, Expect, Fact, Key, Life, Meaning, Outcome, Secret, Version};

type Stated = Vec<(Meaning, Expect)>;

/// Name and full identifier.
pub(super) fn identity(_case: &Case<'_>, key: &Key, secret: &Secret) -> Stated {
    let arn = match &secret.arn {
        Some(arn) => Expect::Is(Fact::Text(arn.clone())),
        None => Expect::Open(None),
    };
    vec![(Meaning::Secret, Expect::Is(Fact::Text(key.1.clone()))), (Meaning::Arn, arn)]
}

/// Automatic rotation, as replies show it that need not show it.
pub(super) fn policy_if_shown(case: &Case<'_>, secret: &Secret) -> Stated {
    let may = |(meaning, expect)| match expect {
        Expect::Open(_) => (meaning, expect),
        other => (meaning, Expect::IfShown(Box::new(other))),
    };
    policy(case, secret).into_iter().map(may).collect()
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
    let state = (Meaning::Automatic, Expect::Is(Fact::Flag(secret.policy.on)));
    let last = (Meaning::LastRotation, secret.last.map_or(Expect::Absent, Expect::Within));
    if !secret.policy.on {
        // Documents show interval and date only while automatic rotation is on.
        return vec![
            state,
            last,
            (Meaning::Interval, Expect::Open(None)),
            (Meaning::NextRotation, Expect::Open(None)),
        ];
    }
    let interval = secret.policy.every.map_or(Expect::Open(None), |every| Expect::Is(Fact::Count(every)));
    let next = secret.next.map_or(Expect::Open(None), Expect::Within);
    vec![state, last, (Meaning::Interval, interval), (Meaning::NextRotation, next)]
}

fn settings(secret: &Secret, shown: impl Fn(Meaning) -> bool) -> Stated {
    secret
        .settings
        .iter()
        .filter(|(meaning, _)| shown(*meaning))
        .map(|(meaning, fact)| (*meaning, Expect::Is(fact.clone())))
        .collect()
}

/// Everything about a secret except its values.
pub(super) fn describe(case: &Case<'_>, key: &Key, secret: &Secret) -> Stated {
    let kind = &case.law.kinds[secret.kind];
    let mut facts = identity(case, key, secret);
    facts.push((Meaning::Kind, Expect::Is(Fact::Text(kind.name.clone()))));
    facts.push((Meaning::Created, Expect::Within(secret.created)));
    facts.push((
        Meaning::Updated,
        Expect::Open(Some(Fact::Time(secret.last.map_or(secret.created.lo, |last| last.lo)))),
    ));
    facts.push((
        Meaning::DeleteAt,
        match secret.life {
            Life::Active => Expect::Absent,
            Life::Leaving(gone) => Expect::Within(gone),
        },
    ));
    facts.extend(match secret.life {
        Life::Active => policy(case, secret),
        // What a secret in its deletion window shows of its schedule is open.
        Life::Leaving(_) => Vec::new(),
    });
    facts.extend(settings(secret, |meaning| match meaning {
        Meaning::Tags => case.op.with_tags,
        Meaning::Config => kind.rotates,
        _ => true,
    }));
    facts
}

/// The value of one version.
pub(super) fn value(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let (law, op) = (case.law, case.op);
    if op.dry_run {
        return vec![Outcome::refused("READ-1", Condition::DryRun)];
    }
    let kind = &law.kinds[secret.kind];
    let stage = op.stage.as_ref().unwrap_or(&law.current);
    // Kinds that only rotate are read by stage alone; a version id is ignored.
    let asked = op.version.as_ref().filter(|_| kind.takes_values);
    let by_stage = secret.staged(stage);
    let Some(id) = asked else {
        return vec![match by_stage {
            Some(version) => shown(case, key, secret, version),
            None => Outcome::refused("READ-1", Condition::UnknownVersion),
        }];
    };
    let Some(version) = secret.version(id) else {
        return vec![Outcome::refused("READ-1", Condition::UnknownVersion)];
    };
    let mut possible = vec![shown(case, key, secret, version)];
    if op.stage.is_some() && by_stage != Some(version) {
        // Documents of this operation do not say which of the two counts when they do not match.
        possible.insert(0, Outcome::refused("READ-1", Condition::UnknownVersion));
        possible.extend(by_stage.map(|version| shown(case, key, secret, version)));
    }
    possible
}

fn shown(case: &Case<'_>, key: &Key, secret: &Secret, version: &Version) -> Outcome {
    let kind = &case.law.kinds[secret.kind];
    let mut facts = vec![
        (Meaning::Secret, Expect::Is(Fact::Text(key.1.clone()))),
        (Meaning::Version, Expect::Version(version.id.clone())),
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
    ];
    if secret.life == Life::Active {
        facts.extend(policy_if_shown(case, secret));
    }
    facts.extend(settings(secret, |meaning| match meaning {
        Meaning::Config => kind.rotates && case.op.with_config,
        _ => false,
    }));
    Outcome::done("ROT-RYW-1", Change::default(), facts)
}

/// The versions of a secret.
pub(super) fn versions(case: &Case<'_>, key: &Key, secret: &Secret) -> Stated {
    let op = case.op;
    let all: Vec<Version> = secret
        .versions
        .iter()
        .filter(|version| op.deprecated || !version.stages.is_empty())
        .cloned()
        .collect();
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    vec![
        (Meaning::Secret, Expect::Is(Fact::Text(key.1.clone()))),
        (Meaning::Versions, Expect::Versions { all, page: op.page.unwrap_or(1), size: op.size }),
        (Meaning::Page, Expect::Is(Fact::Count(op.page.unwrap_or(1)))),
        (Meaning::PageSize, op.size.map_or(Expect::Open(None), |size| Expect::Is(Fact::Count(size)))),
        (Meaning::Total, Expect::Is(Fact::Count(total))),
    ]
}

/// The secrets of an account. Others may have made some too, so only the page is certain.
pub(super) fn list(case: &Case<'_>) -> Stated {
    let op = case.op;
    vec![
        (Meaning::Page, Expect::Is(Fact::Count(op.page.unwrap_or(1)))),
        (Meaning::PageSize, op.size.map_or(Expect::Open(None), |size| Expect::Is(Fact::Count(size)))),
    ]
}
