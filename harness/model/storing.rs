//! What creating, writing, moving stages, deleting and restoring may come to.

use super::outcomes::Case;
use super::rotating::unwanted_date;
use super::schedule::{first_date, retire};
use super::{
    Change, Condition, Expect, Fact, Id, Key, Life, Meaning, Op, Outcome, Policy, Role, Secret, Text, Value,
    Version, read,
};

pub(super) fn create(case: &Case<'_>) -> Vec<Outcome> {
    let (law, op) = (case.law, case.op);
    match case.world.find(op.account, &op.secret).filter(|_| !op.names_itself) {
        Some((_, taken)) if matches!(taken.life, Life::Leaving(_)) => {
            return vec![Outcome::refused("LIFE-1", Condition::InDeletion)];
        }
        Some((key, taken)) => {
            let again = op.token.as_ref().and_then(|token| taken.version(token));
            return vec![match again.filter(|_| law.creation_replays) {
                Some(version) if op.value.map(Value::Known) == Some(version.value) => {
                    let mut facts = read::identity(key, taken);
                    facts.push((Meaning::Version, Expect::Version(version.id.clone())));
                    Outcome::done("LIFE-1", Change::default(), facts)
                }
                _ => Outcome::refused("LIFE-1", Condition::Exists),
            }];
        }
        None => {}
    }
    let kind = &law.kinds[op.kind];
    let key = (op.account, op.secret.clone());
    let on = kind.rotates && op.enable == Some(true);
    let policy = Policy { on, every: op.interval.filter(|_| on) };
    let mut secret = Secret {
        arn: None,
        kind: op.kind,
        life: Life::Active,
        versions: Vec::new().into(),
        dropped: Vec::new(),
        policy,
        created: case.now,
        last: None,
        next: policy.every.map(|every| first_date(case, case.now, every)),
        settings: op.settings.clone().into(),
        made: 0,
        making: None,
        pending: None,
        function: op.function.clone(),
        schedule: op.schedule.clone(),
        jumbled: false,
    };
    if op.value.is_some() || !kind.takes_values || !law.may_be_empty {
        let next = secret.next_id(law);
        let id = op.token.clone().map_or(next, Id::Known);
        // What a managed kind reads back has another shape than what creation was given.
        let value =
            if kind.takes_values { op.value.map_or(Value::Unseen, Value::Known) } else { Value::Unseen };
        let stages = if kind.unstaged { Vec::new() } else { vec![law.current.clone()] };
        let value_type = op.value_type.clone();
        secret.versions.push(Version { id, value, created: case.now, value_type, stages });
    }
    let mut facts = read::identity(&key, &secret);
    if op.names_itself {
        facts[0].1 = Expect::Open(None);
    }
    if let Some(version) = secret.versions.first() {
        facts.push((Meaning::Version, Expect::Version(version.id.clone())));
    }
    facts.push((Meaning::Task, Expect::Open(None)));
    facts.push((Meaning::Kind, Expect::Is(Fact::Text(kind.name.clone()))));
    facts.extend(read::policy_if_shown(case, &secret));
    let mut possible = vec![Outcome::done("LIFE-1", Change::store(key, secret), facts)];
    if kind.rotates && !kind.takes_values {
        // Behind it stands a database or a server that need not be there.
        possible.push(Outcome::refused("LIFE-1", Condition::Unavailable));
    }
    if !kind.rotates && op.enable == Some(true) {
        // Whether a wish that cannot be fulfilled is passed over or refused is said nowhere.
        let reasons = [Condition::KindCannotRotate, Condition::Invalid];
        possible.extend(reasons.map(|reason| Outcome::refused("LIFE-1", reason)));
    }
    possible.extend(unwanted_date(case));
    possible
}

pub(super) fn put(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let mut possible = written(case, key, secret);
    if case.op.value.is_none() {
        // Where the value may come in several ways, none is required, and a call without any is open.
        possible.push(Outcome::refused("PUT-1", Condition::Missing));
        possible.push(Outcome::refused("PUT-1", Condition::Invalid));
    }
    possible
}

fn written(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let (law, op) = (case.law, case.op);
    let kind = &law.kinds[secret.kind];
    let mut possible = Vec::new();
    if !kind.takes_values {
        possible.push(Outcome::refused("PUT-2", Condition::KindOnlyRotates));
        if !kind.values_open {
            return possible;
        }
    }
    let mut facts = read::identity(key, secret);
    if let Some(version) = op.token.as_ref().and_then(|token| secret.version(token)) {
        facts.extend(op.token.clone().map(|token| (Meaning::Version, Expect::Version(Id::Known(token)))));
        let same = op.value.map(Value::Known) == Some(version.value);
        facts.push((Meaning::Stages, Expect::Open(Some(Fact::Stages(version.stages.clone())))));
        let refused = Outcome::refused("PUT-1", Condition::VersionExists);
        let unseen = version.value == Value::Unseen;
        let done = Outcome::done("PUT-1", Change::default(), facts);
        // Whether the same bytes of another type are the same value is open.
        let retyped = version.value_type != op.value_type;
        // Where nobody saw the value, nobody knows whether it is the same.
        possible.extend(match (same, unseen || (same && (retyped || !law.puts_replay))) {
            (_, true) => vec![refused, done],
            (true, false) => vec![done],
            (false, false) => vec![refused],
        });
        return possible;
    }
    let mut next = secret.clone();
    let id = op.token.clone().map_or_else(|| next.next_id(law), Id::Known);
    facts.push((Meaning::Version, Expect::Version(id.clone())));
    let usual = if kind.unstaged { Vec::new() } else { vec![law.current.clone()] };
    let stages = op.stages.clone().unwrap_or(usual);
    let value = op.value.map_or(Value::Unseen, Value::Known);
    let value_type = op.value_type.clone();
    next.versions.push(Version { id: id.clone(), value, created: case.now, value_type, stages: Vec::new() });
    for stage in stages.iter().filter(|stage| **stage != law.current) {
        next.set_stage(stage, Some(&id));
    }
    if stages.contains(&law.current) || (secret.versions.is_empty() && !kind.unstaged) {
        next.promote(law, &id);
    }
    if law.stages_at_most.is_some_and(|most| distinct_stages(&next) > most) {
        return vec![Outcome::refused("STAGE-3", Condition::QuotaExceeded)];
    }
    if kind.at_most.is_some_and(|most| next.versions.len() > most) {
        possible.push(Outcome::refused("ROT-HIST-1", Condition::QuotaExceeded));
        if law.binds("ROT-HIST-1") {
            return possible;
        }
    }
    retire(law, &mut next);
    facts.push((Meaning::Stages, Expect::Stages(stages)));
    possible.push(Outcome::done("PUT-1", Change::store(key.clone(), next), facts));
    if op.token.as_ref().is_some_and(|token| secret.dropped.contains(token)) {
        possible.push(Outcome::refused("ROT-MONO-1", Condition::VersionExists));
        possible.push(Outcome::done("PUT-1", Change::default(), Vec::new()));
    }
    possible
}

pub(super) fn move_stage(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let (law, op) = (case.law, case.op);
    let kind = &law.kinds[secret.kind];
    if !kind.takes_values && !kind.values_open {
        return vec![Outcome::refused("PUT-2", Condition::KindOnlyRotates)];
    }
    let stage = op.stage.clone().unwrap_or_else(|| law.current.clone());
    if op.move_to.is_none() && op.remove_from.is_none() {
        return vec![Outcome::refused("STAGE-1", Condition::Missing)];
    }
    if law.fixed.contains(&stage) && op.move_to.is_none() {
        return vec![Outcome::refused("STAGE-2", Condition::BuiltInStage)];
    }
    let exists = |id: &Option<Text>| id.as_ref().is_none_or(|id| secret.version(id).is_some());
    if !exists(&op.move_to) || !exists(&op.remove_from) {
        return vec![Outcome::refused("STAGE-1", Condition::UnknownVersion)];
    }
    let mut possible = Vec::new();
    let holder = secret.staged(&stage).map(|version| version.id.clone());
    let target = op.move_to.clone().map(Id::Known);
    let named = op.remove_from.clone().map(Id::Known);
    let unnamed = law.moves_name_source && holder.is_some() && named.is_none();
    if named.is_some_and(|named| holder != Some(named)) || unnamed {
        possible.push(Outcome::refused("STAGE-1", Condition::WrongSource));
        // Moving a stage to where it is already may be taken for done.
        if law.binds("STAGE-1") && !(unnamed && holder == target) {
            return possible;
        }
    }
    let mut facts = read::identity(key, secret);
    facts.push((Meaning::Stage, Expect::Is(Fact::Text(stage.clone()))));
    facts.extend(target.clone().map(|id| (Meaning::Version, Expect::Version(id))));
    let mut plain = secret.clone();
    plain.set_stage(&stage, target.as_ref());
    if law.stages_at_most.is_some_and(|most| distinct_stages(&plain) > most) {
        return vec![Outcome::refused("STAGE-3", Condition::QuotaExceeded)];
    }
    let done = |secret| Outcome::done("STAGE-1", Change::store(key.clone(), secret), facts.clone());
    if let (true, Some(target)) = (stage == law.current, &target) {
        let mut follows = secret.clone();
        follows.promote(law, target);
        possible.push(done(follows));
        if law.previous_follows {
            return possible;
        }
    }
    // Documents do not say whether the previous stage follows when the current one is moved by hand.
    possible.push(done(plain));
    let current = secret.staged(&law.current).map(|version| version.id.clone());
    if law.previous.as_ref() == Some(&stage) && target.is_some() && target == current {
        // Nor whether a version may be the current one and the one before it.
        let reasons = [Condition::WrongSource, Condition::Invalid];
        possible.extend(reasons.map(|reason| Outcome::refused("STAGE-1", reason)));
    }
    possible
}

pub(super) fn remove_stage(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let Some(stage) = &case.op.stage else {
        return vec![Outcome::refused("STAGE-1", Condition::Missing)];
    };
    if case.law.fixed.contains(stage) {
        return vec![Outcome::refused("STAGE-2", Condition::BuiltInStage)];
    }
    let mut next = secret.clone();
    next.set_stage(stage, None);
    let done = Outcome::done("STAGE-1", Change::store(key.clone(), next), Vec::new());
    match secret.staged(stage) {
        Some(_) => vec![done],
        None => vec![Outcome::refused("STAGE-1", Condition::UnknownVersion), done],
    }
}

pub(super) fn delete(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let mut facts = read::identity(key, secret);
    facts.push((Meaning::Task, Expect::Open(None)));
    if case.law.needs_disabled && secret.life == Life::Active {
        return vec![Outcome::refused("LIFE-4", Condition::NotDisabled)];
    }
    let days = case.op.window.unwrap_or(case.law.window_days);
    if case.op.force || days == 0 {
        facts.push((Meaning::DeleteAt, Expect::Open(Some(Fact::Time(case.now.lo)))));
        let change = Change { secret: Some((key.clone(), None)), ..Change::default() };
        return vec![Outcome::done("LIFE-4", change, facts)];
    }
    let gone = case.now.plus(days.saturating_mul(86_400));
    let mut next = secret.clone();
    next.life = Life::Leaving(gone);
    facts.push((Meaning::DeleteAt, Expect::IfShown(Box::new(Expect::Within(gone)))));
    vec![Outcome::done("LIFE-4", Change::store(key.clone(), next), facts)]
}

pub(super) fn restore(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let mut next = secret.clone();
    let facts = read::identity(key, secret);
    if !matches!(secret.life, Life::Leaving(_)) {
        let mut possible = vec![Outcome::refused("LIFE-3", Condition::NotInDeletion)];
        if case.law.restores_anything {
            possible.push(Outcome::done("LIFE-3", Change::default(), facts));
        }
        return possible;
    }
    next.life = if case.law.restores_disabled { Life::Disabled } else { Life::Active };
    vec![Outcome::done("LIFE-3", Change::store(key.clone(), next), facts)]
}

/// Switches a secret on or off; what the same call again answers is open.
pub(super) fn switch(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let Op { role, .. } = case.op;
    let wanted = if *role == Role::Enable { Life::Active } else { Life::Disabled };
    let mut next = secret.clone();
    next.life = wanted;
    let done = Outcome::done("ROT-STATE-3", Change::store(key.clone(), next), read::identity(key, secret));
    match secret.life == wanted {
        false => vec![done],
        true => vec![done, Outcome::refused("ROT-STATE-3", Condition::Disabled)],
    }
}

fn distinct_stages(secret: &Secret) -> usize {
    let mut stages: Vec<&Text> = secret.versions.iter().flat_map(|version| &version.stages).collect();
    stages.sort();
    stages.dedup();
    stages.len()
}
