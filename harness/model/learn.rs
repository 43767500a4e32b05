//! What a reply reveals of a secret: ids and values that the service made, exact times.

use super::compare::{pair, same_stages};
use super::{
    Fact, Facts, Id, Law, Life, Meaning, Op, Role, Secret, State, Task, Text, Value, Version, VersionFact,
    When, World,
};
use std::sync::Arc;

/// Narrows what is known of a secret by what a reply said about it.
pub(super) fn learned(law: &Law, mut world: World, op: &Op, facts: &Facts) -> World {
    let Some((mut key, before)) = world.subject(op) else { return world };
    let mut secret: Secret = (*before).clone();
    let mut read: Option<(Option<Text>, Option<u64>)> = None;
    for (meaning, fact) in facts {
        match (meaning, fact) {
            (Meaning::Arn, Fact::Text(arn)) => secret.arn = Some(arn.clone()),
            (Meaning::Task, Fact::Text(id)) if op.role != Role::Task => {
                if let Some(pending) = &mut secret.pending {
                    pending.task = Some(id.clone());
                }
                if world.tasks.get(id).is_none() {
                    world.tasks.insert(id.clone(), Task { key: key.clone(), state: State::Running });
                }
            }
            (Meaning::LastRotation, Fact::Time(at)) if secret.last.is_some() => {
                secret.last = Some(When::at(*at))
            }
            (Meaning::NextRotation, Fact::Time(at)) if secret.policy.on => {
                let exact = law.slack == 0 && !law.first_open;
                let lo = if exact { *at } else { secret.next.map_or(*at, |due| due.lo.min(*at)) };
                secret.next = Some(When { lo, hi: *at });
            }
            (Meaning::Created, Fact::Time(at)) if secret.created.holds(*at) => secret.created = When::at(*at),
            (Meaning::DeleteAt, Fact::Time(at)) => {
                if let Life::Leaving(_) = secret.life {
                    secret.life = Life::Leaving(When::at(*at));
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
        if let Some(name) = facts.iter().find_map(|(meaning, fact)| match (meaning, fact) {
            (Meaning::Secret, Fact::Text(name)) => Some(name.clone()),
            _ => None,
        }) {
            key.1 = name;
        }
    }
    // What tells nothing new leaves the secret to be shared with other worlds.
    if op.names_itself || secret != *before {
        world.secrets.insert(key, Arc::new(secret));
    }
    world
}

/// What a reply about one version tells of its id and value.
fn learn_version(
    law: &Law,
    secret: &mut Secret,
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
    if let Some(version) = place.and_then(|at| secret.versions.get_mut(at)) {
        if let (Id::Made(_), Some(id), false) = (&version.id, id, renamed) {
            version.id = Id::Known(id.clone());
        }
        if let Some(value) = value {
            version.value = Value::Known(value);
        }
    }
}

fn learn_versions(secret: &mut Secret, seen: &[VersionFact]) {
    let all = secret.versions.clone();
    let listed: Vec<Version> = match seen.iter().all(|entry| entry.stages.is_none()) {
        // A history of ids alone speaks of versions that are not current.
        true => all.iter().filter(|version| version.stages.is_empty()).cloned().collect(),
        false => all,
    };
    let Some(pairs) = pair(&listed, seen, Some(secret)) else { return };
    let strangers = pairs.iter().filter(|(version, _)| matches!(version.id, Id::Made(_))).count();
    for (version, fact) in pairs {
        if let Some(mine) = secret.versions.iter_mut().find(|mine| mine.id == version.id) {
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
}
