//! What a reply reveals of a secret: ids and values that the service made, exact times.

use super::compare::{entry_fits, pair, same_stages};
use super::{
    Fact, Facts, Id, Law, Life, Meaning, Op, Role, Secret, State, Task, Text, Value, Version, VersionFact,
    When, World, name_told,
};
use std::borrow::Cow;
use std::sync::Arc;

/// Narrows what is known of a secret by what a reply said about it.
pub(super) fn learned(law: &Law, mut world: World, op: &Op, facts: &Facts) -> World {
    let Some((mut key, before)) = world.subject(op) else { return world };
    if key.0 != op.account {
        // What another account is told is nothing of this one's secret.
        return world;
    }
    // Most replies tell nothing new: then the secret stays one piece of memory with what other worlds have.
    let mut secret = before.clone();
    let mut read: Option<(Option<Text>, Option<u64>)> = None;
    for (meaning, fact) in facts {
        match (meaning, fact) {
            (Meaning::Arn, Fact::Text(arn)) if secret.arn.is_none() => {
                Arc::make_mut(&mut secret).arn = Some(arn.clone());
            }
            // What nobody set stays as it is shown first.
            (Meaning::Key | Meaning::Description, Fact::Text(text))
                if op.role == Role::Describe && !text.is_empty() && secret.setting(*meaning).is_none() =>
            {
                Arc::make_mut(&mut secret).settings.push((*meaning, fact.clone()));
            }
            (Meaning::Task, Fact::Text(id)) if op.role != Role::Task => {
                if op.role == Role::Create {
                    Arc::make_mut(&mut secret).making = Some(id.clone());
                }
                if secret.pending.is_some()
                    && let Some(pending) = &mut Arc::make_mut(&mut secret).pending
                {
                    pending.last().task = Some(id.clone());
                }
                if world.tasks.get(id).is_none() {
                    world.tasks.insert(id.clone(), Task::new(key.clone(), State::Running));
                }
            }
            (Meaning::LastRotation, Fact::Time(at)) if secret.last.is_some_and(|it| it != When::at(*at)) => {
                Arc::make_mut(&mut secret).last = Some(When::at(*at));
            }
            (Meaning::NextRotation, Fact::Time(at)) if secret.policy.on => {
                let exact = law.slack == 0 && !law.first_open;
                let lo = if exact { *at } else { secret.next.map_or(*at, |due| due.lo.min(*at)) };
                let next = Some(When { lo, hi: *at });
                if secret.next != next {
                    Arc::make_mut(&mut secret).next = next;
                }
            }
            (Meaning::Created, Fact::Time(at))
                // A read may state when the version was made.
                if op.role == Role::Describe
                    && secret.created.holds(*at)
                    && secret.created != When::at(*at) =>
            {
                Arc::make_mut(&mut secret).created = When::at(*at);
            }
            (Meaning::DeleteAt, Fact::Time(at)) => {
                if matches!(secret.life, Life::Leaving(gone) if gone != When::at(*at)) {
                    Arc::make_mut(&mut secret).life = Life::Leaving(When::at(*at));
                }
            }
            (Meaning::Version, Fact::Text(id)) if law.alias.as_ref() != Some(id) => {
                read = Some((Some(id.clone()), read.and_then(|(_, value)| value)));
            }
            (Meaning::Value, Fact::Value(value)) => read = Some((read.and_then(|(id, _)| id), Some(*value))),
            (Meaning::Versions, Fact::Versions(seen)) => learn_versions(&mut secret, seen),
            _ => {}
        }
    }
    if let Some((id, value)) = read {
        learn_version(law, &mut secret, op, id.as_ref(), facts, value);
    }
    if op.names_itself {
        world.secrets.remove(&key);
        if let Some(name) = name_told(facts) {
            key.1 = name.clone();
        }
    }
    if op.names_itself || !Arc::ptr_eq(&secret, &before) {
        world.secrets.insert(key, secret);
    }
    world
}

/// What a reply about one version tells of its id and value.
fn learn_version(
    law: &Law,
    secret: &mut Arc<Secret>,
    op: &Op,
    id: Option<&Text>,
    facts: &Facts,
    value: Option<u64>,
) {
    let stages = facts.iter().find_map(|(_, fact)| match fact {
        Fact::Stages(stages) => Some(stages),
        _ => None,
    });
    let fits = |version: &Version| stages.is_none_or(|stages| same_stages(&version.stages, stages));
    let place = |wanted: &dyn Fn(&Version) -> bool| secret.versions.iter().position(wanted);
    let known = id.and_then(|id| place(&|v| matches!(&v.id, Id::Known(known) if known == id)));
    // Where a kind is read by stage alone, the id that was asked for is ignored.
    let by_stage = law.kinds[secret.kind].by_stage;
    let asked = op.version.as_ref().filter(|asked| !by_stage && law.alias.as_ref() != Some(asked));
    let stage = op.stage.as_ref().unwrap_or(&law.current);
    let place = known.or_else(|| match (op.role, asked) {
        (Role::Read, Some(asked)) => place(&|v| matches!(&v.id, Id::Known(known) if known == asked)),
        (Role::Read | Role::ReadStage, None) => place(&|v| v.stages.contains(stage) && fits(v)),
        _ => place(&|v| secret.pending.as_ref().is_some_and(|it| it.id == v.id))
            .or_else(|| secret.versions.len().checked_sub(1).filter(|_| secret.pending.is_none())),
    });
    let renamed = law.kinds[secret.kind].renames;
    let Some((at, version)) = place.and_then(|at| Some((at, secret.versions.get(at)?))) else { return };
    // An id that the caller named is none that the service made.
    let made = |id: &&Text| op.token.as_ref() != Some(*id) && matches!(version.id, Id::Made(_));
    let id = id.filter(|id| !renamed && made(id));
    let value = value.filter(|value| version.value != Value::Known(*value));
    if id.is_none() && value.is_none() {
        return;
    }
    let version = &mut Arc::make_mut(secret).versions[at];
    if let Some(id) = id {
        version.id = Id::Known(id.clone());
    }
    if let Some(value) = value {
        version.value = Value::Known(value);
    }
}

fn learn_versions(secret: &mut Arc<Secret>, seen: &[VersionFact]) {
    let listed: Cow<'_, [Version]> = match seen.iter().all(|entry| entry.stages.is_none()) {
        // A history of ids alone speaks of versions that are not current.
        true => secret.versions.iter().filter(|version| version.stages.is_empty()).cloned().collect(),
        false => Cow::Borrowed(&secret.versions),
    };
    let Some(pairs) = pair(&listed, seen, Some(secret)) else { return };
    let strangers = pairs.iter().filter(|(version, _)| matches!(version.id, Id::Made(_))).count();
    let place = |version: &Version| secret.versions.iter().position(|mine| mine.id == version.id);
    let told = |mine: &Version, fact: &VersionFact| {
        matches!(&mine.id, Id::Known(id) if *id == fact.id)
            && fact.created.is_none_or(|at| mine.created == When::at(at))
    };
    let unknown: Vec<&Version> = listed.iter().filter(|it| matches!(it.id, Id::Made(_))).collect();
    // Where not all are shown, one may be any that it fits.
    let unclear = |version: &Version, fact: &VersionFact| {
        matches!(version.id, Id::Made(_))
            && strangers < unknown.len()
            && unknown.iter().filter(|other| entry_fits(other, fact)).count() > 1
    };
    let new = pairs.iter().filter(|(version, fact)| !told(version, fact) && !unclear(version, fact));
    let new: Vec<_> = new.filter_map(|(version, fact)| Some((place(version)?, *fact))).collect();
    for (at, fact) in new {
        let mine = &mut Arc::make_mut(secret).versions[at];
        if let (Id::Made(_), true) = (&mine.id, strangers > 1) {
            // Nobody can tell which of them is which.
            mine.value = Value::Unseen;
        }
        mine.id = Id::Known(fact.id.clone());
        if let Some(at) = fact.created {
            mine.created = When::at(at);
        }
    }
}
