//! What creating, writing, moving stages, deleting and restoring may come to.

use super::outcomes::Case;
use super::schedule::{first_date, may_count_anew, retire};
use super::{
    Change, Condition, Expect, Fact, Id, Key, Life, Meaning, Op, Outcome, Pending, Policy, Restored, Role,
    Secret, Text, Value, Version, read,
};

pub(super) fn create(case: &Case<'_>) -> Vec<Outcome> {
    let (op, kind) = (case.op, &case.law.kinds[case.op.kind]);
    let mut possible = vec![created(case)];
    let taken = case.world.find(op.account, &op.secret).filter(|_| !op.names_itself);
    if taken.is_some_and(|(_, taken)| taken.versions.len() > 1) {
        // Nobody says whether the token of a version that no creation made makes this the same creation.
        possible.push(Outcome::refused("LIFE-1", Condition::Exists));
    }
    if let Some((key, taken)) = taken.filter(|_| case.law.creation_replays && op.value.is_none())
        && taken.versions.is_empty()
    {
        // What makes a creation without a value the same, where nothing else tells, is not said either.
        possible.push(Outcome::done("LIFE-1", Change::default(), read::identity(key, taken)));
    }
    if kind.rotates && !kind.takes_values {
        // Behind it stands a database or a server that need not be there.
        possible.push(Outcome::refused("LIFE-1", Condition::Unavailable));
    }
    if !kind.rotates && op.enable == Some(true) {
        // Whether a wish that cannot be fulfilled is passed over or refused is said nowhere.
        let reasons = [Condition::KindCannotRotate, Condition::Invalid];
        possible.extend(reasons.map(|reason| Outcome::refused("LIFE-1", reason)));
    }
    possible
}

fn created(case: &Case<'_>) -> Outcome {
    let (law, op) = (case.law, case.op);
    match case.world.find(op.account, &op.secret).filter(|_| !op.names_itself) {
        Some((_, taken)) if matches!(taken.life, Life::Leaving(_)) => {
            return Outcome::refused("LIFE-1", Condition::InDeletion);
        }
        Some((key, taken)) => {
            let again = op.token.as_ref().and_then(|token| taken.version(token));
            return match again.filter(|_| law.creation_replays) {
                Some(version) if op.value.map(Value::Known) == Some(version.value) => {
                    let mut facts = read::identity(key, taken);
                    facts.push((Meaning::Version, Expect::Version(version.id.clone())));
                    Outcome::done("LIFE-1", Change::default(), facts)
                }
                _ => Outcome::refused("LIFE-1", Condition::Exists),
            };
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
        making: (kind.made_by_task && !case.exact()).then(|| "".into()),
        pending: None,
        function: op.function.clone(),
        schedule: op.schedule.clone(),
        jumbled: false,
        asked: Vec::new(),
    };
    if op.value.is_some() || !kind.takes_values || !law.may_be_empty {
        let id = secret.id_for(law, op.token.as_ref());
        // What a managed kind reads back has another shape than what creation was given.
        let value =
            if kind.takes_values { op.value.map_or(Value::Unseen, Value::Known) } else { Value::Unseen };
        let stages = if kind.unstaged { Vec::new() } else { vec![law.current.clone()] };
        let (value_type, new) = (op.value_type.clone(), Version::new(id, value, case.now));
        secret.versions.push(Version { value_type, stages, ..new });
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
    Outcome::done("LIFE-1", Change::store(key, secret), facts)
}

pub(super) fn put(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let mut possible = written(case, key, secret);
    if let Some(before) = unreserved(case, secret) {
        possible.extend(written(case, key, &before));
    }
    possible
}

/// The secret as if rotations that go on took their numbers only once they end: no document says when they do.
fn unreserved(case: &Case<'_>, secret: &Secret) -> Option<Secret> {
    let pending = secret.pending.as_ref().filter(|_| case.op.token.is_none())?;
    case.law.numbering.as_ref()?;
    let hidden = |it: &Pending| secret.versions.iter().all(|version| version.id != it.id);
    let count = u32::try_from(pending.each().filter(|it| hidden(it)).count()).ok()?;
    let mut before = secret.clone();
    before.made = before.made.checked_sub(count).filter(|_| count > 0)?;
    let mut numbers = before.clone();
    let mut expected = numbers.next_id(case.law);
    let mut next = before.pending.as_mut();
    while let Some(pending) = next {
        if hidden(pending) {
            if pending.id != expected {
                return None;
            }
            // Each has the number that follows.
            expected = numbers.next_id(case.law);
            pending.id = expected.clone();
        }
        next = pending.then.as_deref_mut();
    }
    Some(before)
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
    let going_on = secret.pending.as_ref().map(|pending| &pending.id);
    if let (Some(Id::Known(id)), Some(token)) = (going_on, &op.token)
        && id == token
    {
        // The version that a rotation is making may have no value yet.
        return vec![Outcome::refused("PUT-1", Condition::VersionExists), Outcome::unknown("PUT-1")];
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
        if version.rotated && unseen {
            // What a rotation left behind may become a version like any other.
            possible.push(Outcome::unknown("PUT-1"));
        }
        if version.stages.is_empty() && law.may_vanish(secret) {
            possible.extend(written(case, key, &secret.without(&version.id)));
        }
        if law.stages_may_be_at_most.is_some() {
            let mut asked = secret.clone();
            op.stages.iter().flatten().for_each(|stage| asked.set_stage(stage, Some(&version.id)));
            possible.extend(crowded(law.stages_may_be_at_most, &asked));
        }
        return possible;
    }
    let mut next = secret.clone();
    let id = next.id_for(law, op.token.as_ref());
    // What rotations that go on have for numbers, nothing else gets.
    let is_taken = |number: &Id| secret.pending.iter().flat_map(Pending::each).any(|it| it.id == *number);
    let mut after = next.clone();
    while is_taken(&after.next_id(law)) {
        next.made += 1;
    }
    facts.push((Meaning::Version, Expect::Version(id.clone())));
    let usual = if kind.unstaged { Vec::new() } else { vec![law.current.clone()] };
    let stages = op.stages.clone().unwrap_or(usual);
    let value = op.value.map_or(Value::Unseen, Value::Known);
    let value_type = op.value_type.clone();
    next.versions.push(Version { value_type, ..Version::new(id.clone(), value, case.now) });
    for stage in stages.iter().filter(|stage| **stage != law.current) {
        next.set_stage(stage, Some(&id));
    }
    if stages.contains(&law.current) || (secret.versions.is_empty() && !kind.unstaged) {
        next.promote(law, &id);
    }
    if let Some(refused) = crowded(law.stages_at_most, &next) {
        possible.push(refused);
        // Whether a stage counts that follows from others is not said.
        if stages.iter().any(|stage| secret.staged(stage).is_none()) {
            return possible;
        }
    }
    if kind.at_most.is_some_and(|most| next.versions.len() > most) {
        possible.push(Outcome::refused("ROT-HIST-1", Condition::QuotaExceeded));
        if law.binds("ROT-HIST-1") {
            return possible;
        }
    }
    // A value that is written by hand may count as a rotation.
    may_count_anew(case, &mut next);
    retire(law, &mut next);
    let takes_stage = law.pending.as_ref().is_some_and(|it| stages.contains(it));
    let held = next.versions.iter().find(|version| version.id == id);
    facts.push((Meaning::Stages, Expect::Stages(held.map_or(stages, |version| version.stages.clone()))));
    let perhaps = crowded(law.stages_may_be_at_most, &next);
    // What becomes of a rotation whose version loses its stage is documented nowhere: it may end.
    let ended = (going_on.is_some() && takes_stage).then(|| Secret { pending: None, ..next.clone() });
    let done = |next| Outcome::done("PUT-1", Change::store(key.clone(), next), facts.clone());
    possible.extend(std::iter::once(next).chain(ended).map(done));
    possible.extend(perhaps);
    if let Some(token) = op.token.as_ref().filter(|token| secret.dropped.contains(token)) {
        possible.push(Outcome::refused("ROT-MONO-1", Condition::VersionExists));
        let mut facts = read::identity(key, secret);
        facts.push((Meaning::Version, Expect::Open(Some(Fact::Text(token.clone())))));
        possible.push(Outcome::done("PUT-1", Change::default(), facts));
    }
    possible
}

pub(super) fn move_stage(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let mut possible = moved(case, key, secret);
    let stage = case.op.stage.as_ref().unwrap_or(&case.law.current);
    let holder = secret.staged(stage).map(|version| &version.id);
    let target = case.op.move_to.clone().map(Id::Known);
    let going_on = secret.pending.as_ref().map(|pending| &pending.id);
    if going_on.is_some() && (going_on == holder || going_on == target.as_ref()) {
        // What becomes of a rotation whose version is moved about is documented nowhere.
        possible.extend([Outcome::unknown("STAGE-1"), Outcome::refused("STAGE-1", Condition::WrongSource)]);
    }
    let named = case.op.move_to.as_ref().and_then(|id| secret.version(id));
    if named.is_some_and(|version| version.stages.is_empty()) && case.law.may_vanish(secret) {
        possible.push(Outcome::refused("STAGE-1", Condition::UnknownVersion));
    }
    possible
}

fn moved(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
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
    let refused = crowded(law.stages_at_most, &plain);
    if refused.is_some() && holder.is_none() {
        return refused.into_iter().collect();
    }
    // Whether a stage counts that follows from others is not said: there may be too many without one more.
    let refused = refused.or_else(|| crowded(law.stages_may_be_at_most, &plain));
    let done = |secret| Outcome::done("STAGE-1", Change::store(key.clone(), secret), facts.clone());
    if let (true, Some(target)) = (stage == law.current, &target) {
        let mut follows = secret.clone();
        follows.promote(law, target);
        possible.push(done(follows));
        if law.previous_follows {
            possible.extend(refused);
            return possible;
        }
    }
    // Documents do not say whether the previous stage follows when the current one is moved by hand.
    possible.push(done(plain));
    possible.extend(refused);
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
    let days = case.op.window.unwrap_or(case.law.window_days);
    let mut refused = Vec::new();
    if case.law.kinds[secret.kind].windowless && days > 0 {
        refused.push(Outcome::refused("LIFE-4", Condition::Invalid));
    }
    if case.law.needs_disabled && secret.life == Life::Active {
        refused.push(Outcome::refused("LIFE-4", Condition::NotDisabled));
    }
    if !refused.is_empty() {
        return refused;
    }
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
    overslept(case, &mut next);
    let lives: &[Life] = match case.law.restores {
        Restored::InUse => &[Life::Active],
        Restored::Disabled => &[Life::Disabled],
        Restored::Open => &[Life::Active, Life::Disabled],
    };
    let mut possible = Vec::new();
    for life in lives {
        next.life = *life;
        let stored = Change::store(key.clone(), next.clone());
        possible.push(Outcome::done("LIFE-3", stored, facts.clone()));
        if case.law.restores == Restored::Open && next.policy.on {
            let mut idle = next.clone();
            (idle.policy.on, idle.next) = (false, None);
            possible.push(Outcome::done("LIFE-3", Change::store(key.clone(), idle), facts.clone()));
        }
    }
    possible
}

/// Whether an automatic rotation whose date passed while the secret was not in use is made up for is said nowhere.
fn overslept(case: &Case<'_>, secret: &mut Secret) {
    if secret.next.is_some_and(|due| due.lo <= case.now.hi) {
        may_count_anew(case, secret);
    }
}

/// Switches a secret on or off; what the same call again answers is open.
pub(super) fn switch(case: &Case<'_>, key: &Key, secret: &Secret) -> Vec<Outcome> {
    let Op { role, .. } = case.op;
    let wanted = if *role == Role::Enable { Life::Active } else { Life::Disabled };
    let mut next = secret.clone();
    next.life = wanted;
    if secret.life != wanted && wanted == Life::Active {
        overslept(case, &mut next);
    }
    let done = Outcome::done("ROT-STATE-3", Change::store(key.clone(), next), read::identity(key, secret));
    match secret.life == wanted {
        false => vec![done],
        true => vec![done, Outcome::refused("ROT-STATE-3", Condition::Disabled)],
    }
}

/// A refusal of what leaves more stages than so many.
fn crowded(most: Option<usize>, after: &Secret) -> Option<Outcome> {
    let crowded = most.is_some_and(|most| distinct_stages(after) > most);
    crowded.then(|| Outcome::refused("STAGE-3", Condition::QuotaExceeded))
}

fn distinct_stages(secret: &Secret) -> usize {
    let mut stages: Vec<&Text> = secret.versions.iter().flat_map(|version| &version.stages).collect();
    stages.sort();
    stages.dedup();
    stages.len()
}
